//! Fully connected layer for small batches, and its gradients.
//!
//! With few images, the layer is limited by the memory bandwidth of its weights, which are read, or
//! written, once, row by row. The weight is `[inputs, outputs]`; arrays of images are
//! `[images, inputs]` and `[images, outputs]`. The outputs of all images are processed in blocks
//! that stay in the L1 cache.

use crate::cpu::micro::gradient::LinearArgs;
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// Outputs of a block.
const OUTPUTS_PER_BLOCK: usize = 512;

/// Granularity of the partition among threads, in outputs or inputs.
const UNITS_PER_CHUNK: usize = 32;

/// Returns `x weight + bias`.
///
/// # Panics
///
/// When the lengths of the arrays do not fit each other.
pub(crate) fn linear(
    isa: Isa,
    threads: usize,
    images: usize,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let code = &Kernels::get(isa).linear;
    let [inputs, outputs] = sides(images, x.len(), weight.len());
    let mut y = match bias {
        Some(bias) => bias.repeat(images),
        None => vec![0.0; images * outputs],
    };
    assert_eq!(
        y.len(),
        images * outputs,
        "the bias must have one value per output"
    );
    let to = Shared::new(&mut y);
    run_team(threads, &|part| {
        let chunks = part.static_range(outputs.div_ceil(UNITS_PER_CHUNK));
        let range = chunks.start * UNITS_PER_CHUNK..(chunks.end * UNITS_PER_CHUNK).min(outputs);
        for first in range.clone().step_by(OUTPUTS_PER_BLOCK) {
            // SAFETY: only this thread writes the outputs of the range. The arrays have `images`
            // rows, the weight has `inputs` rows, and the block ends within the rows.
            unsafe {
                (code.forward)(&LinearArgs {
                    x: x.as_ptr().cast_mut(),
                    x_row: inputs,
                    weight: weight[first..].as_ptr().cast_mut(),
                    y: to.at(first),
                    row: outputs,
                    images,
                    inputs,
                    outputs: (range.end - first).min(OUTPUTS_PER_BLOCK),
                    accumulate: true,
                });
            }
        }
    });
    y
}

/// Returns the gradient of the input, where `gradient` is the gradient of the output.
///
/// # Panics
///
/// When the lengths of the arrays do not fit each other.
pub(crate) fn linear_input_gradient(
    isa: Isa,
    threads: usize,
    images: usize,
    weight: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let code = &Kernels::get(isa).linear;
    let [outputs, inputs] = sides(images, gradient.len(), weight.len());
    let mut x = vec![0.0; images * inputs];
    let to = Shared::new(&mut x);
    run_team(threads, &|part| {
        for chunk in part.static_range(inputs.div_ceil(UNITS_PER_CHUNK)) {
            let rows = chunk * UNITS_PER_CHUNK..((chunk + 1) * UNITS_PER_CHUNK).min(inputs);
            for first in (0..outputs).step_by(OUTPUTS_PER_BLOCK) {
                // SAFETY: only this thread writes the inputs of the chunk. The arrays have `images`
                // rows, the chunk's rows of the weight exist, and the block ends within the rows.
                unsafe {
                    (code.input)(&LinearArgs {
                        x: to.at(rows.start),
                        x_row: inputs,
                        weight: weight[rows.start * outputs + first..].as_ptr().cast_mut(),
                        y: gradient[first..].as_ptr().cast_mut(),
                        row: outputs,
                        images,
                        inputs: rows.len(),
                        outputs: (outputs - first).min(OUTPUTS_PER_BLOCK),
                        accumulate: true,
                    });
                }
            }
        }
    });
    x
}

/// Returns the gradient of the weight, where `gradient` is the gradient of the output.
///
/// # Panics
///
/// When an array is not a whole number of images.
pub(crate) fn linear_weight_gradient(
    isa: Isa,
    threads: usize,
    images: usize,
    x: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let code = &Kernels::get(isa).linear;
    let [inputs, outputs] = [x, gradient].map(|values| values.len() / images);
    assert!(
        x.len() == images * inputs && gradient.len() == images * outputs,
        "the arrays must hold whole images"
    );
    let mut weight = Vec::with_capacity(inputs * outputs);
    let to = Shared::uninit(weight.spare_capacity_mut());
    run_team(threads, &|part| {
        for chunk in part.static_range(inputs.div_ceil(UNITS_PER_CHUNK)) {
            let rows = chunk * UNITS_PER_CHUNK..((chunk + 1) * UNITS_PER_CHUNK).min(inputs);
            for first in (0..outputs).step_by(OUTPUTS_PER_BLOCK) {
                // SAFETY: only this thread writes the chunk's rows of the weight, which lie within
                // the capacity. Both arrays have `images` rows, and the block ends within the rows.
                unsafe {
                    (code.weight)(&LinearArgs {
                        x: x[rows.start..].as_ptr().cast_mut(),
                        x_row: inputs,
                        weight: to.at(rows.start * outputs + first),
                        y: gradient[first..].as_ptr().cast_mut(),
                        row: outputs,
                        images,
                        inputs: rows.len(),
                        outputs: (outputs - first).min(OUTPUTS_PER_BLOCK),
                        accumulate: false,
                    });
                }
            }
        }
    });
    // SAFETY: the chunks of the parts cover all rows of the weight, the blocks all columns.
    unsafe { weight.set_len(inputs * outputs) };
    weight
}

/// Values per image of an array of `len` elements, and of the array on the other side of a weight of
/// `weights` elements.
fn sides(images: usize, len: usize, weights: usize) -> [usize; 2] {
    let near = len / images;
    let far = weights / near;
    assert!(
        len == images * near && weights == near * far,
        "arrays of {len} values and {weights} weights do not form a layer for {images} images"
    );
    [near, far]
}
