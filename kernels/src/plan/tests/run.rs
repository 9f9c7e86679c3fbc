//! Runs of plans: results do not depend on threads, batches and earlier runs, and invalid programs
//! and calls are errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::program_builder::{program_with_every_step, program_with_separate_images};
use crate::cpu::tests::{instruction_sets, random_values};
use crate::cpu::{Buffer, Isa};
use crate::plan::{Plan, Program, ProgramError, RunError, Step, phases};

/// Elements of an input image.
const IMAGE: usize = 3 * 12 * 11;

/// Runs `plan` and returns the bits of both outputs, the first output before the second.
fn run(plan: &mut Plan, input: &[f32]) -> Vec<u32> {
    let images = input.len() / IMAGE;
    let mut outputs = vec![vec![f32::NAN; images * 10]; 2];
    let mut slices: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    plan.run(input, &mut slices).unwrap();
    assert!(outputs.iter().flatten().all(|x| x.is_finite()));
    outputs.iter().flatten().map(|x| x.to_bits()).collect()
}

/// A plan of the program that contains every kind of step.
fn plan(isa: Isa, images: usize, threads: usize) -> Plan {
    let (program, weights) = program_with_every_step(isa, images);
    Plan::new(program, weights, threads).unwrap()
}

/// Returns the bits of both outputs, computed by one thread in batches of one image.
fn run_image_by_image(isa: Isa, input: &[f32]) -> Vec<u32> {
    let mut plan = plan(isa, 1, 1);
    let all: Vec<_> = input
        .chunks(IMAGE)
        .map(|image| run(&mut plan, image))
        .collect();
    let output = |from: usize| all.iter().flat_map(move |image| &image[from..from + 10]);
    output(0).chain(output(10)).copied().collect()
}

/// The batch size of the plan, which determines the micro-batches, changes no bit either.
#[test]
fn threads_batches_and_earlier_runs_change_no_bit() {
    for (isa, _) in instruction_sets() {
        for images in 1..=7 {
            let input = random_values(images as u64, images * IMAGE);
            let expected = run_image_by_image(isa, &input);
            for (max_images, threads) in [(images, 1), (images, 2), (7, 1), (7, 3), (8, 4)] {
                let mut plan = plan(isa, max_images, threads);
                run(&mut plan, &random_values(9, max_images * IMAGE));
                let found = run(&mut plan, &input);
                assert!(
                    found == expected,
                    "{isa}: {images} of {max_images} images on {threads} threads"
                );
            }
        }
    }
}

/// Tests batches of which each thread computes some images in all steps, and batches that cannot be
/// divided in this way.
#[test]
fn images_in_separate_parts_of_the_arena_give_the_same_bits() {
    for (isa, _) in instruction_sets() {
        assert!(
            !phases::are_separate(&program_with_every_step(isa, 6).0),
            "{isa}"
        );
        let (program, weights) = program_with_separate_images(isa, 6);
        assert!(phases::are_separate(&program), "{isa}");
        let mut serial = Plan::new(program, weights, 1).unwrap();
        for images in 1..=6 {
            let input = random_values(images as u64, images * IMAGE);
            let expected = run_image_by_image(isa, &input);
            assert!(
                run(&mut serial, &input) == expected,
                "{isa}: {images} images"
            );
            for threads in 2..=3 {
                let (program, weights) = program_with_separate_images(isa, 6);
                let mut plan = Plan::new(program, weights, threads).unwrap();
                run(&mut plan, &random_values(9, 6 * IMAGE));
                let found = run(&mut plan, &input);
                assert!(
                    found == expected,
                    "{isa}: {images} images on {threads} threads"
                );
            }
        }
    }
}

/// Images are not separate if a micro-batch is not the batch, if maps have different strides
/// between images, or if a map lies in the part of another image.
#[test]
fn programs_whose_images_share_memory_are_not_separate() {
    let (program, _) = program_with_separate_images(Isa::Scalar, 2);
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
fn concurrent_callers_get_the_same_bits() {
    let input = random_values(1, 2 * IMAGE);
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
    let input = random_values(1, IMAGE);
    plan.profile(&input, &mut [first, second], &mut times)
        .unwrap();
    assert!(times.iter().all(|time| !time.is_zero()));
}

#[test]
fn wrong_lengths_are_errors() {
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
fn wrong_memory_is_an_error() {
    let (program, weights) = program_with_every_step(Isa::Scalar, 1);
    let check = |program: Program, weights: usize| {
        Plan::new(program, Buffer::zeroed(weights), 1)
            .map(|_| ())
            .unwrap_err()
    };
    let (found, expected) = (weights.len() - 1, weights.len());
    let error = ProgramError::Weights { found, expected };
    assert_eq!(check(program.clone(), found), error);

    let smaller = Program {
        weights: found,
        ..program.clone()
    };
    let step = "distances".to_owned();
    assert_eq!(check(smaller, found), ProgramError::Outside { step });

    let smaller = Program {
        arena: program.arena - 1,
        ..program.clone()
    };
    let step = "distances".to_owned();
    assert_eq!(check(smaller, expected), ProgramError::Outside { step });

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

    // A micro-batch that is neither the batch nor a power of two, and one that is smaller than the
    // micro-batch of the step before.
    for (steps, found, least) in [(2.., 3, 1), (6.., 1, 2)] {
        let (mut wrong, weights) = program_with_every_step(Isa::Scalar, 5);
        let step = wrong.steps[steps.start].name.clone();
        for program_step in &mut wrong.steps[steps] {
            program_step.micro_batch = found;
        }
        let error = ProgramError::MicroBatch {
            step,
            found,
            least,
            most: 5,
        };
        assert_eq!(check(wrong, weights.len()), error);
    }

    let empty = Program {
        images: 0,
        ..program.clone()
    };
    assert_eq!(check(empty, expected), ProgramError::Size);
}

#[test]
fn a_panic_reaches_the_caller_and_later_runs_succeed() {
    let (program, weights) = program_with_every_step(Isa::Scalar, 1);
    let (mut invalid, same_weights) = program_with_every_step(Isa::Scalar, 1);
    for program_step in &mut invalid.steps {
        if let Step::Export(export) = &mut program_step.step {
            export.output = usize::MAX;
        }
    }
    // The program is not checked: the index of the output is out of range, which panics on every
    // thread that exports.
    let mut broken = Plan::checked(invalid, same_weights, 3).unwrap();
    let input = random_values(1, IMAGE);
    let panicked = catch_unwind(AssertUnwindSafe(|| run(&mut broken, &input)));
    assert!(panicked.is_err());

    let mut intact = Plan::new(program, weights, 3).unwrap();
    let expected = run(&mut plan(Isa::Scalar, 1, 1), &input);
    assert!(run(&mut intact, &input) == expected);
}

/// Enough for every program of the tests.
const MOST_BYTES: usize = 1 << 30;

#[test]
fn an_untrusted_program_uses_the_memory_that_it_asks_for() {
    for (isa, _) in instruction_sets() {
        for images in 2..=5 {
            for program in [program_with_every_step, program_with_separate_images] {
                let (program, weights) = program(isa, images);
                let input = random_values(1, images * IMAGE);
                let mut plan = Plan::untrusted(program, weights, 2, MOST_BYTES).unwrap();
                assert!(run(&mut plan, &input) == run_image_by_image(isa, &input));
            }
        }
    }
    let check = |change: &dyn Fn(&mut Program), most_bytes: usize| {
        let (mut program, weights) = program_with_every_step(Isa::Scalar, 2);
        change(&mut program);
        Plan::untrusted(program, weights, 1, most_bytes).map(|_| ())
    };
    // Nearly the address space: allocated fallibly.
    let huge = |program: &mut Program| program.arena = isize::MAX as usize / 8;
    let (mut program, weights) = program_with_every_step(Isa::Scalar, 2);
    huge(&mut program);
    assert!(matches!(
        Plan::new(program, weights, 1).map(|_| ()),
        Err(ProgramError::Memory { .. })
    ));
    assert!(matches!(
        check(&huge, MOST_BYTES),
        Err(ProgramError::UnusedArena { .. })
    ));
    let no_outputs = |program: &mut Program| {
        program.outputs.clear();
        let is_export = |step: &crate::plan::ProgramStep| matches!(step.step, Step::Export(_));
        program.steps.retain(|step| !is_export(step));
    };
    let none = ProgramError::Unwritten {
        outputs: 0,
        written: 0,
    };
    assert_eq!(check(&no_outputs, MOST_BYTES), Err(none));
    let another_output = |program: &mut Program| program.outputs.push([1 << 20, 1, 1]);
    let unwritten = ProgramError::Unwritten {
        outputs: 3,
        written: 2,
    };
    assert_eq!(check(&another_output, MOST_BYTES), Err(unwritten));
    let no_steps = |program: &mut Program| program.steps.clear();
    assert!(matches!(
        check(&no_steps, MOST_BYTES),
        Err(ProgramError::Unwritten { written: 0, .. })
    ));
    // A copy of the input to the end of the arena, which nothing reads.
    let unread = |program: &mut Program| {
        let mut step = program.steps[0].clone();
        let Step::Import(import) = &mut step.step else {
            panic!("{step:?}");
        };
        import.y.offset = program.arena;
        program.arena += import.y.elements();
        step.name = "unread".to_owned();
        program.steps.insert(1, step);
    };
    let step = "unread".to_owned();
    assert_eq!(
        check(&unread, MOST_BYTES),
        Err(ProgramError::UnusedStep { step })
    );
    assert!(matches!(
        check(&|_| (), 1000),
        Err(ProgramError::Limit { limit: 1000, .. })
    ));
}
