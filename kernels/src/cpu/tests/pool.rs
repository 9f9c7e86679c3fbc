//! Pooling against the definitions in `f64`.

use proptest::prelude::*;

use super::super::{AdaptiveMean, MaxPool, MeanPool, PoolWindow};
use super::test_map::{margins, nchw_indices, nchw_offset, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

/// Strategy for windows. Half of the windows are square without dilation, with kernels and strides
/// that have specialized micro-kernels.
fn windows() -> impl Strategy<Value = PoolWindow> {
    let general = (
        [1..=5_usize, 1..=5],
        [1..=3_usize, 1..=3],
        [1..=2_usize, 1..=3],
    );
    let specialized =
        (2..=3_usize, 1..=2_usize).prop_map(|(kernel, stride)| ([kernel; 2], [stride; 2], [1; 2]));
    (prop_oneof![general, specialized], [0..=2_usize, 0..=2]).prop_map(
        |((kernel, stride, dilation), padding)| PoolWindow {
            kernel,
            stride,
            padding: std::array::from_fn(|i| padding[i].min(kernel[i] / 2)),
            dilation,
        },
    )
}

/// Returns the height and width of the output by PyTorch's rule, or `None` if no window fits.
/// `ceil` lets the last window extend beyond the padded input.
fn output(window: &PoolWindow, size: [usize; 2], ceil: bool) -> Option<[usize; 2]> {
    let axis = |i: usize| {
        let extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
        let last_start = (size[i] + 2 * window.padding[i]).checked_sub(extent)?;
        let stride = window.stride[i];
        if !ceil {
            return Some(last_start / stride + 1);
        }
        let windows = last_start.div_ceil(stride) + 1;
        // The last window must start in the map or in the padding before the map.
        let starts_outside = (windows - 1) * stride >= size[i] + window.padding[i];
        Some(windows - usize::from(starts_outside))
    };
    Some([axis(0)?, axis(1)?])
}

/// Returns the taps of window number `at` along an axis: the positions that lie in the map, and the
/// number of taps including those in the padding.
fn taps(window: &PoolWindow, axis: usize, at: usize, length: usize) -> (Vec<usize>, usize) {
    let padding = window.padding[axis];
    let padded: Vec<usize> = (0..window.kernel[axis])
        .map(|tap| at * window.stride[axis] + tap * window.dilation[axis])
        .filter(|at| *at < length + 2 * padding)
        .collect();
    let including_padding = padded.len();
    let inside = (padded.into_iter())
        .filter_map(|at| at.checked_sub(padding))
        .filter(|at| *at < length)
        .collect();
    (inside, including_padding)
}

/// Kind of pooling.
#[derive(Debug, Clone, Copy, PartialEq)]
enum PoolKind {
    Max,
    Mean { count_include_pad: bool },
}

/// Returns each output value with its error bound. `size` is the height and width of the output.
fn expected(
    kind: PoolKind,
    window: &PoolWindow,
    x: &[f32],
    images: usize,
    shape: [usize; 3],
    size: [usize; 2],
) -> Vec<(f64, f64)> {
    nchw_indices(images, [shape[0], size[0], size[1]])
        .map(|[n, c, row, column]| {
            let (rows, padded_rows) = taps(window, 0, row, shape[1]);
            let (columns, padded_columns) = taps(window, 1, column, shape[2]);
            let window: Vec<f64> = (rows.iter())
                .flat_map(|row| columns.iter().map(move |column| (row, column)))
                .map(|(row, column)| f64::from(x[nchw_offset(shape, n, c, *row, *column)]))
                .collect();
            let sum: f64 = window.iter().sum();
            let magnitude: f64 = window.iter().map(|x| x.abs()).sum();
            let count = match kind {
                PoolKind::Max => {
                    let max = |a: f64, b: &f64| if a.is_nan() || a > *b { a } else { *b };
                    return (window.iter().fold(f64::NEG_INFINITY, max), 0.0);
                }
                PoolKind::Mean {
                    count_include_pad: true,
                } => padded_rows * padded_columns,
                PoolKind::Mean { .. } => window.len(),
            } as f64;
            let roundings = (window.len() + 1) as f64 * f64::from(f32::EPSILON) / 2.0;
            (sum / count, roundings * magnitude / count)
        })
        .collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pooling_is_within_its_error_bound(
        window in windows(),
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        (ceil, nans) in any::<(bool, bool)>(),
        kind in prop_oneof![
            2 => Just(PoolKind::Max),
            1 => any::<bool>().prop_map(|count_include_pad| PoolKind::Mean { count_include_pad }),
        ],
        seed in 0..u64::MAX - 9,
    ) {
        let Some(size) = output(&window, [shape[1], shape[2]], ceil) else {
            return Ok(());
        };
        // A window whose taps all lie in the padding has no defined value.
        for axis in 0..2 {
            let length = shape[1 + axis];
            prop_assume!((0..size[axis]).all(|at| !taps(&window, axis, at, length).0.is_empty()));
        }
        let mut x = random_values(seed, images * shape.iter().product::<usize>());
        if nans {
            for i in (seed as usize % 7..x.len()).step_by(11) {
                x[i] = f32::NAN;
            }
        }
        let expected = expected(kind, &window, &x, images, shape, size);
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(TestMap::with_margins(shape, margins[0]), &x)],
                outputs: vec![TestMap::with_margins([shape[0], size[0], size[1]], margins[1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let (x, y) = (layout.inputs[0], layout.outputs[0]);
                match kind {
                    PoolKind::Max => Step::MaxPool(MaxPool::new(window, x, y)),
                    PoolKind::Mean { count_include_pad } => {
                        Step::MeanPool(MeanPool::new(window, count_include_pad, x, y))
                    }
                }
            });
            for (y, (expected, bound)) in run.maps[0].iter().zip(&expected) {
                let close = (f64::from(*y) - expected).abs() <= *bound;
                prop_assert!(close || (y.is_nan() && expected.is_nan()),
                    "{y} on {isa}, expected {expected}");
            }
        }
    }

    #[test]
    fn adaptive_mean_is_within_its_error_bound(
        shape in shapes(),
        size in prop_oneof![Just([1, 1]), [1..=9_usize, 1..=9]],
        images in 1..=3_usize,
        margins in [margins(), margins()],
        seed in 0..u64::MAX - 9,
    ) {
        let x = random_values(seed, images * shape.iter().product::<usize>());
        let y_shape = [shape[0], size[0], size[1]];
        let window = |axis: usize, at: usize| {
            let length = shape[1 + axis];
            at * length / size[axis]..((at + 1) * length).div_ceil(size[axis])
        };
        let expected: Vec<(f64, f64)> = nchw_indices(images, y_shape)
            .map(|[n, c, row, column]| {
                let values: Vec<f64> = window(0, row)
                    .flat_map(|row| window(1, column).map(move |column| (row, column)))
                    .map(|(row, column)| f64::from(x[nchw_offset(shape, n, c, row, column)]))
                    .collect();
                let count = values.len() as f64;
                let magnitude: f64 = values.iter().map(|x| x.abs()).sum();
                let bound = (count + 1.0) * f64::from(f32::EPSILON) / 2.0 * magnitude / count;
                (values.iter().sum::<f64>() / count, bound)
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(TestMap::with_margins(shape, margins[0]), &x)],
                outputs: vec![TestMap::with_margins(y_shape, margins[1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                Step::AdaptiveMean(AdaptiveMean::new(layout.inputs[0], layout.outputs[0]))
            });
            for (y, (expected, bound)) in run.maps[0].iter().zip(&expected) {
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= *bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
