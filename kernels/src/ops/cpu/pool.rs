//! Max pooling as a program.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::execute::{run, threads};
use super::host::Host;
use super::program::isa;
use crate::cpu::{Border, Buffer, Export, Import, Kernels, Map, MaxPool, PoolWindow};
use crate::plan::{PackedProgram, Program, ProgramStep, Step};

/// As Burn's own, which runs what the kernels do not.
pub(in crate::ops) fn max_pool<B: Host>(
    x: FloatTensor<B>,
    window: PoolWindow,
    ceil: bool,
) -> FloatTensor<B> {
    let x = B::contiguous(x);
    let input = B::floats(&x).filter(|input| !input.is_empty());
    let (Some(input), Some(isa)) = (input, isa()) else {
        let PoolWindow {
            kernel,
            stride,
            padding,
            dilation,
        } = window;
        return B::max_pool2d(x, kernel, stride, padding, dilation, ceil);
    };
    let [images, channels, height, width] = x.shape().dims();
    let size = [height, width];
    let windows: [usize; 2] = std::array::from_fn(|axis| {
        let extent = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        let room = size[axis] + 2 * window.padding[axis] - extent;
        1 + match ceil {
            true => room.div_ceil(window.stride[axis]),
            false => room / window.stride[axis],
        }
    });
    let lanes = Kernels::get(isa).lanes;
    let shape = [channels, windows[0], windows[1]];
    let from = Map::new([channels, height, width], Border::default(), lanes, 0);
    let y = Map::new(shape, Border::default(), lanes, from.image);
    let steps = [
        Step::Import(Import { y: from }),
        Step::MaxPool(MaxPool::new(window, from, y)),
        Step::Export(Export { x: y, output: 0 }),
    ];
    let named = |step| ProgramStep {
        name: String::new(),
        step,
        micro_batch: 1,
    };
    let program = Program {
        isa,
        images: 1,
        input: [channels, height, width],
        outputs: vec![shape],
        steps: steps.map(named).into(),
        arena: y.end(),
        weights: 0,
    };
    let plan = PackedProgram::new(program, Buffer::default()).expect("made to fit");
    let taps = window.kernel[0] * window.kernel[1];
    let threads = threads(input.len() * taps);
    let values = run(&plan, threads, input);
    let shape = Shape::new([images, channels, windows[0], windows[1]]);
    B::tensor(values, shape)
}
