//! Test that a plan does not allocate memory when it runs.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use receptive_kernels::cpu::{
    Activation, Border, Buffer, ConvSpec, Direct, Export, Import, Isa, Map, Output, Softmax,
    Winograd, WinogradTile,
};
use receptive_kernels::plan::{Plan, Program, ProgramStep, Step};

/// The system allocator, which counts allocations while `IS_COUNTING` is set.
struct Counting;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

fn count() {
    if IS_COUNTING.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every method calls the method of the system allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller satisfies the contract of this method, which is that of the system allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        count();
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(start, layout, len) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Program of a direct convolution, a Winograd convolution and a softmax, with its packed weights.
fn program(isa: Isa, images: usize) -> (Program, Buffer) {
    let lanes = isa.lanes();
    let padding = Border {
        top: 1,
        bottom: 1,
        left: 1,
        right: 1,
    };
    let spec = |channels_in, channels_out| ConvSpec {
        channels_in,
        channels_out,
        kernel: [3, 3],
        stride: [1, 1],
        padding,
        dilation: [1, 1],
        groups: 1,
    };
    let input = [3, 16, 16];
    let image = Map::new(input, padding, 1, 0).with_slots(images);
    let x = Map::new([40, 16, 16], padding, lanes, image.end()).with_slots(images);
    let y = Map::new([24, 16, 16], Border::default(), lanes, x.end()).with_slots(images);
    let output = |y| Output {
        y,
        residual: None,
        activation: Activation::Relu,
    };
    let first = spec(3, 40);
    let direct = Direct::new(first, image, output(x), 0);
    let from = Direct::packed_len(&first, 1, lanes);
    let second = spec(40, 24);
    let tile = WinogradTile::Four;
    let winograd = Winograd::new(tile, second, x, output(y), from, isa.blocking());
    let mut weights = Buffer::zeroed(from + Winograd::packed_len(tile, &second, lanes));
    direct.pack(&vec![0.1; first.weights()], None, &mut weights);
    winograd.pack(&vec![0.1; second.weights()], None, &mut weights);
    let steps = [
        Step::Import(Import { y: image }),
        Step::Direct(direct),
        Step::Winograd(winograd),
        Step::Softmax(Softmax::new(y, y)),
        Step::Export(Export { x: y, output: 0 }),
    ];
    let program = Program {
        isa,
        images,
        input,
        outputs: vec![[24, 16, 16]],
        steps: (steps.into_iter())
            .map(|step| ProgramStep {
                name: String::new(),
                step,
                micro_batch: 1,
            })
            .collect(),
        arena: y.end(),
        weights: weights.len(),
    };
    (program, weights)
}

#[test]
fn a_run_allocates_nothing() {
    for isa in Isa::available() {
        for threads in [1, 3] {
            let (program, weights) = program(isa, 2);
            let mut plan = Plan::new(program, weights, threads).unwrap();
            let input = vec![0.5; 2 * 3 * 16 * 16];
            let mut output = vec![0.0; 2 * 24 * 16 * 16];
            plan.run(&input, &mut [&mut output]).unwrap();
            let mut allocations = || {
                ALLOCATIONS.store(0, Ordering::SeqCst);
                IS_COUNTING.store(true, Ordering::SeqCst);
                for images in [1, 2] {
                    let input = &input[..images * 3 * 16 * 16];
                    let output = &mut output[..images * 24 * 16 * 16];
                    plan.run(input, &mut [output]).unwrap();
                }
                IS_COUNTING.store(false, Ordering::SeqCst);
                ALLOCATIONS.load(Ordering::SeqCst)
            };
            // A thread of the pool allocates when it starts, which no run waits for.
            let fewest = (0..50).map(|_| allocations()).min();
            assert_eq!(fewest, Some(0), "{isa}, {threads} threads");
            assert!(output.iter().all(|x| x.is_finite()));
        }
    }
}
