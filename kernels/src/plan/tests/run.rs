//! Plans give the same bits however they are run, and say what is wrong with a call.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::sketch::{every_step, separate_images};
use crate::cpu::tests::{instruction_sets, noise};
use crate::cpu::{Buffer, Isa};
use crate::plan::{Plan, Program, ProgramError, RunError, Step, phases};

const IMAGE: usize = 3 * 12 * 11;

fn run(plan: &mut Plan, input: &[f32]) -> Vec<u32> {
    let images = input.len() / IMAGE;
    let mut outputs = vec![vec![f32::NAN; images * 10]; 2];
    let mut slices: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    plan.run(input, &mut slices).unwrap();
    assert!(outputs.iter().flatten().all(|x| x.is_finite()));
    outputs.iter().flatten().map(|x| x.to_bits()).collect()
}

fn plan(isa: Isa, images: usize, threads: usize) -> Plan {
    let (program, weights) = every_step(isa, images);
    Plan::new(program, weights, threads).unwrap()
}

/// One image after the other.
fn alone(isa: Isa, input: &[f32]) -> Vec<u32> {
    let mut plan = plan(isa, 1, 1);
    let all: Vec<_> = input
        .chunks(IMAGE)
        .map(|image| run(&mut plan, image))
        .collect();
    let output = |from: usize| all.iter().flat_map(move |image| &image[from..from + 10]);
    output(0).chain(output(10)).copied().collect()
}

/// Nor does how many images pass which steps together, before which others of the batch.
#[test]
fn threads_and_earlier_runs_change_no_bit() {
    for (isa, _) in instruction_sets() {
        for images in 1..=7 {
            let input = noise(images as u64, images * IMAGE);
            let expected = alone(isa, &input);
            for (most, threads) in [(images, 1), (images, 2), (7, 1), (7, 3), (8, 4)] {
                let mut plan = plan(isa, most, threads);
                run(&mut plan, &noise(9, most * IMAGE));
                let found = run(&mut plan, &input);
                assert!(found == expected, "{isa}, {images} of {most} on {threads}");
            }
        }
    }
}

/// Neither does it where each thread takes some images through all steps, nor in between.
#[test]
fn images_with_memory_of_their_own_give_the_same_bits() {
    for (isa, _) in instruction_sets() {
        assert!(!phases::are_separate(&every_step(isa, 6).0), "{isa}");
        let (program, weights) = separate_images(isa, 6);
        assert!(phases::are_separate(&program), "{isa}");
        let mut six = Plan::new(program, weights, 1).unwrap();
        for images in 1..=6 {
            let input = noise(images as u64, images * IMAGE);
            let expected = alone(isa, &input);
            assert!(run(&mut six, &input) == expected, "{isa}, {images}");
            for threads in 2..=3 {
                let (program, weights) = separate_images(isa, 6);
                let mut plan = Plan::new(program, weights, threads).unwrap();
                run(&mut plan, &noise(9, 6 * IMAGE));
                let found = run(&mut plan, &input);
                assert!(found == expected, "{isa}, {images} on {threads}");
            }
        }
    }
}

/// And no image's memory may be another's.
#[test]
fn maps_with_other_steps_between_images_are_not_separate() {
    let (program, _) = separate_images(Isa::Scalar, 2);
    for change in [
        |program: &mut Program| program.steps[0].micro_batch = 1,
        |program: &mut Program| match &mut program.steps[0].step {
            Step::Import(import) => import.y.image += 1,
            other => panic!("{other:?}"),
        },
        |program: &mut Program| match &mut program.steps[0].step {
            Step::Import(import) => import.y.offset += import.y.image,
            other => panic!("{other:?}"),
        },
    ] {
        let mut changed = program.clone();
        change(&mut changed);
        assert!(!phases::are_separate(&changed));
    }
}

#[test]
fn callers_at_once_get_the_same_bits() {
    let input = noise(1, 2 * IMAGE);
    let isa = Isa::detect().unwrap();
    let plan = plan(isa, 2, 3);
    let expected = run(&mut plan.clone(), &input);
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let (mut plan, input, expected) = (plan.clone(), &input, &expected);
            scope.spawn(move || {
                for _ in 0..50 {
                    assert!(run(&mut plan, input) == *expected, "caller {caller}");
                }
            });
        }
    });
}

#[test]
fn profile_times_every_step() {
    let mut plan = plan(Isa::Scalar, 1, 2);
    let mut times = vec![std::time::Duration::ZERO; plan.program().steps.len()];
    let mut outputs = [[0.0; 10]; 2];
    let [first, second] = &mut outputs;
    let input = noise(1, IMAGE);
    plan.profile(&input, &mut [first, second], &mut times)
        .unwrap();
    assert!(times.iter().all(|time| !time.is_zero()));
}

#[test]
fn wrong_lengths_are_refused() {
    let mut plan = plan(Isa::Scalar, 2, 1);
    let mut call = |input: usize, outputs: &[usize]| {
        let input = vec![0.0; input];
        let mut outputs: Vec<_> = outputs.iter().map(|len| vec![0.0; *len]).collect();
        let mut slices: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        plan.run(&input, &mut slices).unwrap_err()
    };
    let (found, image) = (IMAGE + 1, IMAGE);
    assert_eq!(call(found, &[10, 10]), RunError::Input { found, image });
    for found in [0, 3] {
        let error = RunError::Batch { found, most: 2 };
        assert_eq!(call(found * IMAGE, &[10 * found; 2]), error);
    }
    let (found, expected) = (1, 2);
    assert_eq!(call(IMAGE, &[10]), RunError::Outputs { found, expected });
    let error = RunError::Output {
        index: 1,
        found: 10,
        expected: 20,
    };
    assert_eq!(call(2 * IMAGE, &[20, 10]), error);
}

#[test]
fn wrong_memory_is_refused() {
    let (program, weights) = every_step(Isa::Scalar, 1);
    let check = |program: Program, weights: usize| {
        Plan::new(program, Buffer::zeroed(weights), 1)
            .map(|_| ())
            .unwrap_err()
    };
    let (found, expected) = (weights.len() - 1, weights.len());
    let error = ProgramError::Weights { found, expected };
    assert_eq!(check(program.clone(), found), error);

    let less = Program {
        weights: found,
        ..program.clone()
    };
    let step = "distances".to_owned();
    assert_eq!(check(less, found), ProgramError::Outside { step });

    let less = Program {
        arena: program.arena - 1,
        ..program.clone()
    };
    let step = "distances".to_owned();
    assert_eq!(check(less, expected), ProgramError::Outside { step });

    for micro_batch in [0, 2] {
        let mut wrong = program.clone();
        wrong.steps[3].micro_batch = micro_batch;
        let error = ProgramError::MicroBatch {
            step: wrong.steps[3].name.clone(),
            found: micro_batch,
            least: 1,
            most: 1,
        };
        assert_eq!(check(wrong, expected), error);
    }

    // Neither all nor a power of two; fewer than before.
    for (steps, found, least) in [(2.., 3, 1), (6.., 1, 2)] {
        let (mut wrong, weights) = every_step(Isa::Scalar, 5);
        let step = wrong.steps[steps.start].name.clone();
        for named in &mut wrong.steps[steps] {
            named.micro_batch = found;
        }
        let error = ProgramError::MicroBatch {
            step,
            found,
            least,
            most: 5,
        };
        assert_eq!(check(wrong, weights.len()), error);
    }

    let none = Program {
        images: 0,
        ..program.clone()
    };
    assert_eq!(check(none, expected), ProgramError::Size);
}

#[test]
fn a_panic_reaches_the_caller_and_ends_nothing() {
    let (program, weights) = every_step(Isa::Scalar, 1);
    let (mut nowhere, same) = every_step(Isa::Scalar, 1);
    for named in &mut nowhere.steps {
        if let Step::Export(export) = &mut named.step {
            export.output = usize::MAX;
        }
    }
    // Unchecked: there is no such output, which panics on every thread that has something to export.
    let mut broken = Plan::checked(nowhere, same, 3);
    let input = noise(1, IMAGE);
    let panicked = catch_unwind(AssertUnwindSafe(|| run(&mut broken, &input)));
    assert!(panicked.is_err());

    let mut whole = Plan::new(program, weights, 3).unwrap();
    let expected = run(&mut plan(Isa::Scalar, 1, 1), &input);
    assert!(run(&mut whole, &input) == expected);
}
