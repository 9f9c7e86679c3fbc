//! A fully connected layer of few images, and its gradients: as fast as memory gives its weights, which are
//! read, or written, once, row by row.
//!
//! The weight is `[inputs, outputs]`, arrays of images `[images, inputs]` and `[images, outputs]`. Some hundred
//! outputs are taken at a time, whose values of all images stay in the nearest cache.

use crate::cpu::micro::gradient::LinearArgs;
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// Outputs that are taken at a time.
const OUTPUTS: usize = 512;

/// Outputs, or inputs, of which a thread takes all or none.
const UNIT: usize = 32;

/// `x weight + bias`.
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
    assert_eq!(y.len(), images * outputs, "a bias for each output");
    let to = Shared::new(&mut y);
    run_team(threads, &|team| {
        let units = team.static_range(outputs.div_ceil(UNIT));
        let part = units.start * UNIT..(units.end * UNIT).min(outputs);
        for first in part.clone().step_by(OUTPUTS) {
            // SAFETY: the outputs are this thread's, and the arrays have as many rows and columns.
            unsafe {
                (code.forward)(&LinearArgs {
                    x: x.as_ptr().cast_mut(),
                    x_row: inputs,
                    weight: weight[first..].as_ptr().cast_mut(),
                    y: to.at(first),
                    row: outputs,
                    images,
                    inputs,
                    outputs: (part.end - first).min(OUTPUTS),
                    accumulate: true,
                });
            }
        }
    });
    y
}

/// The gradient of the input where `gradient` is that of the output.
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
    run_team(threads, &|team| {
        let units = team.static_range(inputs.div_ceil(UNIT));
        for unit in units {
            let rows = unit * UNIT..((unit + 1) * UNIT).min(inputs);
            for first in (0..outputs).step_by(OUTPUTS) {
                // SAFETY: the inputs are this thread's, and the arrays have as many rows and
                // columns.
                unsafe {
                    (code.input)(&LinearArgs {
                        x: to.at(rows.start),
                        x_row: inputs,
                        weight: weight[rows.start * outputs + first..].as_ptr().cast_mut(),
                        y: gradient[first..].as_ptr().cast_mut(),
                        row: outputs,
                        images,
                        inputs: rows.len(),
                        outputs: (outputs - first).min(OUTPUTS),
                        accumulate: true,
                    });
                }
            }
        }
    });
    x
}

/// The gradient of the weight where `gradient` is that of the output.
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
        "whole images"
    );
    let mut weight = Vec::with_capacity(inputs * outputs);
    let to = Shared::uninit(weight.spare_capacity_mut());
    run_team(threads, &|team| {
        let units = team.static_range(inputs.div_ceil(UNIT));
        for unit in units {
            let rows = unit * UNIT..((unit + 1) * UNIT).min(inputs);
            for first in (0..outputs).step_by(OUTPUTS) {
                // SAFETY: the inputs are this thread's, and the arrays have as many rows and
                // columns.
                unsafe {
                    (code.weight)(&LinearArgs {
                        x: x[rows.start..].as_ptr().cast_mut(),
                        x_row: inputs,
                        weight: to.at(rows.start * outputs + first),
                        y: gradient[first..].as_ptr().cast_mut(),
                        row: outputs,
                        images,
                        inputs: rows.len(),
                        outputs: (outputs - first).min(OUTPUTS),
                        accumulate: false,
                    });
                }
            }
        }
    });
    // SAFETY: the threads together wrote all of it.
    unsafe { weight.set_len(inputs * outputs) };
    weight
}

/// What an image has on this side of a weight, and on the other.
fn sides(images: usize, values: usize, weights: usize) -> [usize; 2] {
    let here = values / images;
    let there = weights / here;
    assert!(
        values == images * here && weights == here * there,
        "arrays of other lengths than the layer's"
    );
    [here, there]
}
