//! Mutated programs, as untrusted files may contain them: every program that passes the check
//! accesses only the memory that it plans.

use proptest::prelude::*;
use serde_json::Value;

use super::program_builder::program_with_every_step;
use crate::cpu::tests::{GuardedMemory, config, instruction_sets, random_values};
use crate::cpu::{Context, Isa, Kernels};
use crate::plan::Program;

/// Change of a number.
#[derive(Debug, Clone, Copy)]
enum Change {
    Add(i64),
    Multiply(u64),
    Set(u64),
    /// Copies the value of the number with this index.
    CopyFrom(usize),
}

/// Change of one number of a program, or of all equal numbers within a scope.
#[derive(Debug, Clone, Copy)]
struct Mutation {
    /// Index of the number, modulo the count of numbers.
    number: usize,
    change: Change,
    scope: Scope,
}

/// Numbers that a mutation changes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scope {
    /// One number.
    Number,
    /// All equal numbers of the same step.
    Step,
    /// All equal numbers of the program.
    Program,
}

/// Strategy for one to three mutations.
fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
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
        1 => (2..=3_u64).prop_map(Change::Multiply),
        1 => (0..=20_u64).prop_map(Change::Set),
        1 => prop::sample::select(large.to_vec()).prop_map(Change::Set),
        1 => any::<u16>().prop_map(|number| Change::CopyFrom(number.into())),
    ];
    let scope = prop::sample::select(vec![Scope::Number, Scope::Step, Scope::Program]);
    let mutation = (any::<u16>(), change, scope).prop_map(|(number, change, scope)| Mutation {
        number: number.into(),
        change,
        scope,
    });
    prop::collection::vec(mutation, 1..=3)
}

/// Appends to `paths` the JSON pointers of all integers and booleans of `value`.
fn find_numbers(value: &Value, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::Bool(_) => paths.push(path.to_owned()),
        Value::Number(number) if number.is_u64() || number.is_i64() => paths.push(path.to_owned()),
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                find_numbers(value, &format!("{path}/{at}"), paths);
            }
        }
        Value::Object(values) => {
            for (key, value) in values {
                find_numbers(value, &format!("{path}/{key}"), paths);
            }
        }
        _ => {}
    }
}

/// Returns the index of the step that contains the number at `path`, or `None` outside of steps.
fn step_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/steps/")?;
    let end = rest.find('/')?;
    Some(&rest[..end])
}

/// Returns `program` with `mutations` applied in order, or `None` if the result is not a valid
/// file. Booleans count as 0 and 1, and negative numbers as large ones (two's complement).
fn mutate(program: &Program, mutations: &[Mutation]) -> Option<Program> {
    let mut value = serde_json::to_value(program).unwrap();
    let mut paths = Vec::new();
    find_numbers(&value, "", &mut paths);
    let get = |value: &Value, path: &str| match value.pointer(path).unwrap() {
        Value::Bool(boolean) => u64::from(*boolean),
        number => match number.as_i64() {
            Some(number) => number.cast_unsigned(),
            None => number.as_u64().unwrap(),
        },
    };
    for mutation in mutations {
        let path = &paths[mutation.number % paths.len()];
        let old = get(&value, path);
        let new = match mutation.change {
            Change::Add(difference) => old.saturating_add_signed(difference),
            Change::Multiply(factor) => old.saturating_mul(factor),
            Change::Set(new) => new,
            Change::CopyFrom(number) => get(&value, &paths[number % paths.len()]),
        };
        for other in &paths {
            let is_in_scope = match mutation.scope {
                Scope::Number => other == path,
                Scope::Step => step_of(other) == step_of(path),
                Scope::Program => true,
            };
            if is_in_scope && get(&value, other) == old {
                let value = value.pointer_mut(other).unwrap();
                *value = match value {
                    Value::Bool(_) => (new > 0).into(),
                    Value::Number(number) if !number.is_u64() => new.cast_signed().into(),
                    _ => new.into(),
                };
            }
        }
    }
    serde_json::from_value(value).ok()
}

/// Runs all steps in guarded memory of the planned size. Threads are simulated one after the other.
fn run_guarded(program: &Program, threads: usize) {
    let kernels = Kernels::get(program.isa);
    let mut arena = GuardedMemory::from_slice(&vec![0.5; program.arena]);
    let weights = GuardedMemory::from_slice(&random_values(1, program.weights));
    let count = |shape: &[usize; 3]| program.images * shape.iter().product::<usize>();
    let input = GuardedMemory::from_slice(&random_values(2, count(&program.input)));
    let mut outputs: Vec<_> = (program.outputs.iter())
        .map(|shape| GuardedMemory::new(count(shape)))
        .collect();
    let outputs: Vec<_> = outputs
        .iter_mut()
        .map(|output| output.as_mut_ptr())
        .collect();
    for program_step in &program.steps {
        for first in (0..program.images).step_by(program_step.micro_batch) {
            for thread in 0..threads {
                let mut scratch = GuardedMemory::new(program_step.step.operation().scratch());
                let context = Context {
                    kernels,
                    arena: arena.as_mut_ptr(),
                    weights: &weights,
                    input: input.as_ptr(),
                    outputs: &outputs,
                    scratch: scratch.as_mut_ptr(),
                    images: program_step.micro_batch.min(program.images - first),
                    first,
                    thread,
                    threads,
                    stealable: None,
                };
                // SAFETY: the program passed its check, and arena, weights, input, outputs and
                // scratch memory have the sizes that it plans. Nothing else accesses this memory.
                // An access out of bounds, which this test is to detect, is caught by the guarded
                // memory.
                unsafe { program_step.step.operation().run(&context) };
            }
        }
    }
}

#[test]
fn an_unmutated_program_is_equal_and_stays_in_its_memory() {
    for (isa, _) in instruction_sets() {
        let (program, weights) = program_with_every_step(isa, 3);
        let same = mutate(&program, &[]).unwrap();
        assert_eq!(same, program);
        assert_eq!(same.check(weights.len()), Ok(()));
        run_guarded(&same, 2);
    }
}

/// Changes every number of the program: random mutations seldom choose the one number that a check
/// neglects.
#[test]
fn a_program_with_one_mutated_number_that_passes_the_check_stays_in_its_memory() {
    let isa = Isa::detect().unwrap();
    let (program, _) = program_with_every_step(isa, 1);
    let mut paths = Vec::new();
    find_numbers(&serde_json::to_value(&program).unwrap(), "", &mut paths);
    let ends = [program.arena, program.weights].map(|end| Change::Set(end as u64));
    let changes = [&[Change::Set(0), Change::Add(1)][..], &ends].concat();
    for number in 0..paths.len() {
        for &change in &changes {
            let mutation = Mutation {
                number,
                change,
                scope: Scope::Number,
            };
            if let Some(mutated) = mutate(&program, &[mutation])
                && mutated.check(program.weights).is_ok()
            {
                run_guarded(&mutated, 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8 * config().cases, ..config() })]

    /// One mutated program in twenty passes the check.
    #[test]
    fn a_mutated_program_that_passes_the_check_stays_in_its_memory(
        mutations in mutations(),
        images in 1..=3_usize,
    ) {
        let isa = Isa::detect().unwrap();
        let (program, _) = program_with_every_step(isa, images);
        let Some(mutated) = mutate(&program, &mutations) else {
            return Ok(());
        };
        // Larger programs may be valid as well, but this machine may lack the memory to run them.
        let is_small = |mutated: usize, original: usize| mutated <= 8 * original;
        if mutated.check(mutated.weights).is_ok()
            && mutated != program
            && is_small(mutated.arena, program.arena)
            && is_small(mutated.weights, program.weights)
            && is_small(mutated.images, images)
        {
            run_guarded(&mutated, 1);
            run_guarded(&mutated, 3);
        }
    }
}
