//! Operations by [`crate::cpu`] for Burn's CPU backends.
//!
//! An operation in float32, with all that is fused to it, is a [plan](crate::plan) of its own:
//! import, the step, export. Packing a convolution's weights takes as long as the convolution, so that plans are
//! kept ([`cache`]).

pub(super) mod cache;
#[cfg(feature = "flex")]
mod flex;
mod fold;
#[cfg(feature = "ndarray")]
mod ndarray;
pub(super) mod pool;
mod program;
#[cfg(feature = "autodiff")]
pub(super) mod training;

use std::cell::RefCell;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::Shape;

use super::convolution::{self, Layer};
use crate::plan::{PackedProgram, Workspace};
use program::Geometry;

/// A backend whose tensors are arrays in this process's memory.
pub(super) trait Host: Backend {
    /// The elements, row by row, of a contiguous tensor of `f32`.
    fn floats(x: &FloatTensor<Self>) -> Option<&[f32]>;

    /// The same values, contiguous.
    fn contiguous(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// A tensor of these elements.
    fn tensor(values: Vec<f32>, shape: Shape) -> FloatTensor<Self>;

    /// The elements, row by row, of a contiguous tensor of `f32` whose memory nobody else has.
    fn floats_mut(x: &mut FloatTensor<Self>) -> Option<&mut [f32]>;

    /// Whether clones of `x` share its memory, which nobody writes while it is shared.
    fn is_shareable(x: &FloatTensor<Self>) -> bool;

    /// Whether nobody else has the memory of `x`.
    fn is_unshared(x: &FloatTensor<Self>) -> bool;
}

/// Bytes of maps that a thread keeps for its next convolution.
const KEPT: usize = 64 << 20;

/// Multiply-adds for which waking another thread does not pay: some tens of microseconds.
const ALONE: usize = 1 << 20;

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// As [`convolution::forward`], which runs what the kernels do not.
pub(super) fn convolution<B: Host>(x: FloatTensor<B>, layer: Layer<B>) -> FloatTensor<B> {
    let Some(geometry) = Geometry::new(&x.shape().dims(), &layer) else {
        return convolution::forward::<B>(x, layer);
    };
    let Some(key) = cache::Key::new::<B>(&layer) else {
        return convolution::forward::<B>(x, layer);
    };
    let images = x.shape()[0];
    let x = B::contiguous(x);
    let Some(input) = B::floats(&x) else {
        return convolution::forward::<B>(x, layer);
    };
    let [height, width] = geometry.spec.output(geometry.size);
    let shape = Shape::new([images, geometry.spec.channels_out, height, width]);
    let threads = threads(images * geometry.spec.multiply_adds([height, width]));
    let plan = cache::plan::<B>(key, geometry, layer);
    B::tensor(run(&plan, threads, input), shape)
}

/// How many threads so many multiply-adds, or as simple operations, are worth.
fn threads(operations: usize) -> usize {
    match operations {
        ..ALONE => 1,
        _ => rayon::current_num_threads(),
    }
}

/// The output of `plan` for these images.
fn run(plan: &PackedProgram, threads: usize, images: &[f32]) -> Vec<f32> {
    WORKSPACE.with_borrow_mut(|workspace| {
        let values = plan.run_borrowed(workspace, threads, images);
        if workspace.bytes() > KEPT {
            *workspace = Workspace::default();
        }
        values.expect("whole images")
    })
}
