//! Pools against their definitions in 64 bits.

use proptest::prelude::*;

use super::super::{AdaptiveMean, MaxPool, MeanPool, PoolWindow};
use super::places::{at, elements, place, shapes, surroundings};
use super::{Trial, config, instruction_sets, noise};
use crate::plan::Step;

/// Windows over an axis of a shape: mostly those that have code of their own.
fn windows() -> impl Strategy<Value = PoolWindow> {
    let any = (
        [1..=5_usize, 1..=5],
        [1..=3_usize, 1..=3],
        [1..=2_usize, 1..=3],
    );
    let fast =
        (2..=3_usize, 1..=2_usize).prop_map(|(kernel, stride)| ([kernel; 2], [stride; 2], [1; 2]));
    (prop_oneof![any, fast], [0..=2_usize, 0..=2]).prop_map(
        |((kernel, stride, dilation), padding)| PoolWindow {
            kernel,
            stride,
            padding: std::array::from_fn(|i| padding[i].min(kernel[i] / 2)),
            dilation,
        },
    )
}

/// Height and width of the output, by PyTorch's rule; `ceil` lets the last window reach over the edge.
fn output(window: &PoolWindow, size: [usize; 2], ceil: bool) -> Option<[usize; 2]> {
    let axis = |i: usize| {
        let extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
        let room = (size[i] + 2 * window.padding[i]).checked_sub(extent)?;
        let stride = window.stride[i];
        if !ceil {
            return Some(room / stride + 1);
        }
        let windows = room.div_ceil(stride) + 1;
        // The last one starts in the map or the padding before it.
        let outside = (windows - 1) * stride >= size[i] + window.padding[i];
        Some(windows - usize::from(outside))
    };
    Some([axis(0)?, axis(1)?])
}

/// The places along an axis where window `at` reads, those that lie in the map, and how many count where
/// the padding does.
fn taps(window: &PoolWindow, axis: usize, at: usize, length: usize) -> (Vec<usize>, usize) {
    let padding = window.padding[axis];
    let padded: Vec<usize> = (0..window.kernel[axis])
        .map(|tap| at * window.stride[axis] + tap * window.dilation[axis])
        .filter(|at| *at < length + 2 * padding)
        .collect();
    let counted = padded.len();
    let inside = (padded.into_iter())
        .filter_map(|at| at.checked_sub(padding))
        .filter(|at| *at < length)
        .collect();
    (inside, counted)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Max,
    Mean { count_include_pad: bool },
}

/// The value and its bound.
fn expected(
    kind: Kind,
    window: &PoolWindow,
    x: &[f32],
    images: usize,
    shape: [usize; 3],
    size: [usize; 2],
) -> Vec<(f64, f64)> {
    elements(images, [shape[0], size[0], size[1]])
        .map(|[n, c, row, column]| {
            let (rows, counted_rows) = taps(window, 0, row, shape[1]);
            let (columns, counted_columns) = taps(window, 1, column, shape[2]);
            let window: Vec<f64> = (rows.iter())
                .flat_map(|row| columns.iter().map(move |column| (row, column)))
                .map(|(row, column)| f64::from(x[at(shape, n, c, *row, *column)]))
                .collect();
            let sum: f64 = window.iter().sum();
            let magnitude: f64 = window.iter().map(|x| x.abs()).sum();
            let count = match kind {
                Kind::Max => {
                    let max = |a: f64, b: &f64| if a.is_nan() || a > *b { a } else { *b };
                    return (window.iter().fold(f64::NEG_INFINITY, max), 0.0);
                }
                Kind::Mean {
                    count_include_pad: true,
                } => counted_rows * counted_columns,
                Kind::Mean { .. } => window.len(),
            } as f64;
            let roundings = (window.len() + 1) as f64 * f64::from(f32::EPSILON) / 2.0;
            (sum / count, roundings * magnitude / count)
        })
        .collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pools_are_within_their_bounds(
        window in windows(),
        shape in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        (ceil, nans) in any::<(bool, bool)>(),
        kind in prop_oneof![
            2 => Just(Kind::Max),
            1 => any::<bool>().prop_map(|count_include_pad| Kind::Mean { count_include_pad }),
        ],
        seed in 0..u64::MAX - 9,
    ) {
        let Some(size) = output(&window, [shape[1], shape[2]], ceil) else {
            return Ok(());
        };
        // Windows whose taps all lie in the padding have no value.
        for axis in 0..2 {
            let length = shape[1 + axis];
            prop_assume!((0..size[axis]).all(|at| !taps(&window, axis, at, length).0.is_empty()));
        }
        let mut x = noise(seed, images * shape.iter().product::<usize>());
        if nans {
            for i in (seed as usize % 7..x.len()).step_by(11) {
                x[i] = f32::NAN;
            }
        }
        let expected = expected(kind, &window, &x, images, shape, size);
        for (isa, _) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(place(shape, around[0]), &x)],
                outputs: vec![place([shape[0], size[0], size[1]], around[1])],
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, _| {
                let (x, y) = (maps.inputs[0], maps.outputs[0]);
                match kind {
                    Kind::Max => Step::MaxPool(MaxPool::new(window, x, y)),
                    Kind::Mean { count_include_pad } => {
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
    fn adaptive_mean_is_within_its_bound(
        shape in shapes(),
        size in prop_oneof![Just([1, 1]), [1..=9_usize, 1..=9]],
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        seed in 0..u64::MAX - 9,
    ) {
        let x = noise(seed, images * shape.iter().product::<usize>());
        let y_shape = [shape[0], size[0], size[1]];
        let part = |axis: usize, at: usize| {
            let length = shape[1 + axis];
            at * length / size[axis]..((at + 1) * length).div_ceil(size[axis])
        };
        let expected: Vec<(f64, f64)> = elements(images, y_shape)
            .map(|[n, c, row, column]| {
                let part: Vec<f64> = part(0, row)
                    .flat_map(|row| part(1, column).map(move |column| (row, column)))
                    .map(|(row, column)| f64::from(x[at(shape, n, c, row, column)]))
                    .collect();
                let count = part.len() as f64;
                let magnitude: f64 = part.iter().map(|x| x.abs()).sum();
                let bound = (count + 1.0) * f64::from(f32::EPSILON) / 2.0 * magnitude / count;
                (part.iter().sum::<f64>() / count, bound)
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(place(shape, around[0]), &x)],
                outputs: vec![place(y_shape, around[1])],
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, _| {
                Step::AdaptiveMean(AdaptiveMean::new(maps.inputs[0], maps.outputs[0]))
            });
            for (y, (expected, bound)) in run.maps[0].iter().zip(&expected) {
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= *bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
