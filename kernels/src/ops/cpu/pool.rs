//! Max pooling by the CPU kernels.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::execute::{run, threads};
use super::host::HostBackend;
use super::program::isa;
use crate::cpu::{Border, Buffer, Export, Import, Kernels, Map, MaxPool, PoolWindow};
use crate::plan::{PackedProgram, Program, ProgramStep, Step};

/// As Burn's `max_pool2d`, which computes the tensors that the kernels do not support.
pub(in crate::ops) fn max_pool<B: HostBackend>(
    x: FloatTensor<B>,
    window: PoolWindow,
    ceil: bool,
) -> FloatTensor<B> {
    let x = B::into_contiguous(x);
    let input = B::as_f32_slice(&x).filter(|input| !input.is_empty());
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
        let travel = size[axis] + 2 * window.padding[axis] - extent;
        1 + match ceil {
            true => travel.div_ceil(window.stride[axis]),
            false => travel / window.stride[axis],
        }
    });
    let lanes = Kernels::get(isa).lanes;
    let shape = [channels, windows[0], windows[1]];
    let x_map = Map::new([channels, height, width], Border::default(), lanes, 0);
    let y_map = Map::new(shape, Border::default(), lanes, x_map.image);
    let steps = [
        Step::Import(Import { y: x_map }),
        Step::MaxPool(MaxPool::new(window, x_map, y_map)),
        Step::Export(Export {
            x: y_map,
            output: 0,
        }),
    ];
    let program_step = |step| ProgramStep {
        name: String::new(),
        step,
        micro_batch: 1,
    };
    let program = Program {
        isa,
        images: 1,
        input: [channels, height, width],
        outputs: vec![shape],
        steps: steps.map(program_step).into(),
        arena: y_map.end(),
        weights: 0,
    };
    let program = PackedProgram::new(program, Buffer::default()).expect("the program is valid");
    let taps = window.kernel[0] * window.kernel[1];
    let threads = threads(input.len() * taps);
    let values = run(&program, threads, input);
    let shape = Shape::new([images, channels, windows[0], windows[1]]);
    B::from_vec(values, shape)
}
