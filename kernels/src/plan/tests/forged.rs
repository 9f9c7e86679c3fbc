//! Programs from a file that somebody has changed: what passes the check stays in its memory.

use proptest::prelude::*;
use serde_json::Value;

use super::sketch::every_step;
use crate::cpu::tests::{Guarded, config, instruction_sets, noise};
use crate::cpu::{Context, Isa, Kernels};
use crate::plan::Program;

/// What becomes of a number.
#[derive(Debug, Clone, Copy)]
enum Change {
    Add(i64),
    Times(u64),
    Be(u64),
    /// What another number is.
    Another(usize),
}

/// A number of the program, and what becomes of it: alone, or with all of its step, or of the
/// program, that are equal to it.
#[derive(Debug, Clone, Copy)]
struct Forgery {
    number: usize,
    change: Change,
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Reach {
    Alone,
    Step,
    Program,
}

fn forgeries() -> impl Strategy<Value = Vec<Forgery>> {
    let large = [
        1 << 32,
        (1 << 62) - 1,
        i64::MAX as u64,
        (1 << 63) + 16,
        u64::MAX,
    ];
    let change = prop_oneof![
        4 => (-2..=2_i64).prop_map(Change::Add),
        2 => (-40..=40_i64).prop_map(Change::Add),
        1 => (2..=3_u64).prop_map(Change::Times),
        1 => (0..=20_u64).prop_map(Change::Be),
        1 => prop::sample::select(large.to_vec()).prop_map(Change::Be),
        1 => any::<u16>().prop_map(|number| Change::Another(number.into())),
    ];
    let reach = prop::sample::select(vec![Reach::Alone, Reach::Step, Reach::Program]);
    let forgery = (any::<u16>(), change, reach).prop_map(|(number, change, reach)| Forgery {
        number: number.into(),
        change,
        reach,
    });
    prop::collection::vec(forgery, 1..=3)
}

/// Where the whole numbers of `value` are, and what is true or false, which counts as 1 or 0.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Bool(_) => found.push(path.to_owned()),
        Value::Number(number) if number.is_u64() => found.push(path.to_owned()),
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                numbers(value, &format!("{path}/{at}"), found);
            }
        }
        Value::Object(values) => {
            for (key, value) in values {
                numbers(value, &format!("{path}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// `/steps/n/` of a number in a step.
fn step_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/steps/")?;
    let end = rest.find('/')?;
    Some(&rest[..end])
}

fn forge(program: &Program, forgeries: &[Forgery]) -> Option<Program> {
    let mut value = serde_json::to_value(program).unwrap();
    let mut paths = Vec::new();
    numbers(&value, "", &mut paths);
    let get = |value: &Value, path: &str| match value.pointer(path).unwrap() {
        Value::Bool(truth) => u64::from(*truth),
        number => number.as_u64().unwrap(),
    };
    for forgery in forgeries {
        let path = &paths[forgery.number % paths.len()];
        let then = get(&value, path);
        let now = match forgery.change {
            Change::Add(more) => then.saturating_add_signed(more),
            Change::Times(times) => then.saturating_mul(times),
            Change::Be(now) => now,
            Change::Another(number) => get(&value, &paths[number % paths.len()]),
        };
        for other in &paths {
            let reached = match forgery.reach {
                Reach::Alone => other == path,
                Reach::Step => step_of(other) == step_of(path),
                Reach::Program => true,
            };
            if reached && get(&value, other) == then {
                let value = value.pointer_mut(other).unwrap();
                *value = match value {
                    Value::Bool(_) => (now > 0).into(),
                    _ => now.into(),
                };
            }
        }
    }
    serde_json::from_value(value).ok()
}

/// Runs all steps where nothing lies behind the memory that the program plans.
fn run_guarded(program: &Program, threads: usize) {
    let kernels = Kernels::get(program.isa);
    let mut arena = Guarded::of(&vec![0.5; program.arena]);
    let weights = Guarded::of(&noise(1, program.weights));
    let count = |shape: &[usize; 3]| program.images * shape.iter().product::<usize>();
    let input = Guarded::of(&noise(2, count(&program.input)));
    let mut outputs: Vec<_> = (program.outputs.iter())
        .map(|shape| Guarded::new(count(shape)))
        .collect();
    let outputs: Vec<_> = outputs
        .iter_mut()
        .map(|output| output.as_mut_ptr())
        .collect();
    for named in &program.steps {
        for first in (0..program.images).step_by(named.micro_batch) {
            for thread in 0..threads {
                let mut scratch = Guarded::new(named.step.operation().scratch());
                let context = Context {
                    kernels,
                    arena: arena.as_mut_ptr(),
                    weights: &weights,
                    input: input.as_ptr(),
                    outputs: &outputs,
                    scratch: scratch.as_mut_ptr(),
                    images: named.micro_batch.min(program.images - first),
                    first,
                    thread,
                    threads,
                    stealable: None,
                };
                // SAFETY: the program passed its check; that this is enough is what is tested.
                unsafe { named.step.operation().run(&context) };
            }
        }
    }
}

#[test]
fn survives_a_file_unchanged() {
    for (isa, _) in instruction_sets() {
        let (program, weights) = every_step(isa, 3);
        let same = forge(&program, &[]).unwrap();
        assert_eq!(same, program);
        assert_eq!(same.check(weights.len()), Ok(()));
        run_guarded(&same, 2);
    }
}

/// Chance seldom tries the one number that a step's check forgets.
#[test]
fn each_number_changed_alone_stays_in_memory() {
    let isa = Isa::detect().unwrap();
    let (program, _) = every_step(isa, 1);
    let mut paths = Vec::new();
    numbers(&serde_json::to_value(&program).unwrap(), "", &mut paths);
    let ends = [program.arena, program.weights].map(|end| Change::Be(end as u64));
    let changes = [&[Change::Be(0), Change::Add(1)][..], &ends].concat();
    for number in 0..paths.len() {
        for &change in &changes {
            let forgery = Forgery {
                number,
                change,
                reach: Reach::Alone,
            };
            if let Some(forged) = forge(&program, &[forgery])
                && forged.check(program.weights).is_ok()
            {
                run_guarded(&forged, 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8 * config().cases, ..config() })]

    /// One in twenty passes.
    #[test]
    fn what_passes_stays_in_its_memory(forgeries in forgeries(), images in 1..=3_usize) {
        let isa = Isa::detect().unwrap();
        let (program, _) = every_step(isa, images);
        let Some(forged) = forge(&program, &forgeries) else {
            return Ok(());
        };
        // What is larger can be as sound, but there is no room to try it.
        let small = |now: usize, then: usize| now <= 8 * then;
        if forged.check(forged.weights).is_ok()
            && forged != program
            && small(forged.arena, program.arena)
            && small(forged.weights, program.weights)
            && small(forged.images, images)
        {
            run_guarded(&forged, 1);
            run_guarded(&forged, 3);
        }
    }
}
