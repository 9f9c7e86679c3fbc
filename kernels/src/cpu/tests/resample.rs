//! Interpolation against the definition in `f64`.

use proptest::prelude::*;

use super::super::Resample;
use super::test_map::{margins, nchw_indices, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

type Lists = Vec<Vec<(usize, f32)>>;

/// Strategy for one list for each of up to `most` rows or columns, of indices below `size`.
fn lists(size: usize, most: usize) -> impl Strategy<Value = Lists> {
    let entry = (0..size, -16..=16_i8).prop_map(|(index, weight)| (index, f32::from(weight) / 7.0));
    let list = prop::collection::vec(entry, 0..=4);
    prop::collection::vec(list, 1..=most)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn resample_is_within_its_error_bound(
        (shape, rows, columns) in shapes().prop_flat_map(|shape| {
            (Just(shape), lists(shape[1], 11), lists(shape[2], 23))
        }),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        seed in 0..u64::MAX - 9,
    ) {
        let [channels, height, width] = shape;
        let size = [channels, rows.len(), columns.len()];
        let x = random_values(seed, images * channels * height * width);
        let expected: Vec<[f64; 2]> = nchw_indices(images, size)
            .map(|[n, c, i, j]| {
                let mut sums = [0.0; 2];
                for (r, u) in &rows[i] {
                    for (s, v) in &columns[j] {
                        let x = x[((n * channels + c) * height + r) * width + s];
                        let term = f64::from(*u) * f64::from(*v) * f64::from(x);
                        sums[0] += term;
                        sums[1] += term.abs();
                    }
                }
                sums
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(TestMap::with_margins(shape, margins[0]), &x)],
                outputs: vec![TestMap::with_margins(size, margins[1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let [x, y] = [layout.inputs[0], layout.outputs[0]];
                Step::Resample(Resample::new(x, y, rows.clone(), columns.clone()))
            });
            for (y, [expected, magnitude]) in run.maps[0].iter().zip(&expected) {
                // Products and sums of at most four terms, twice.
                let bound = 10.0 * f64::from(f32::EPSILON) / 2.0 * magnitude;
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
