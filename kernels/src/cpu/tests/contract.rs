//! Sums of products against the definition in `f64`.

use proptest::prelude::*;

use super::super::{Axis, Contract, ContractAxis};
use super::axes::sources;
use super::test_map::margins;
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

/// Axes as those of factor number `factor`.
fn axes_of(axes: &[ContractAxis], factor: usize) -> Vec<Axis> {
    let axis = |axis: &ContractAxis| Axis::step(axis.length, axis.steps[factor]);
    axes.iter().map(axis).collect()
}

/// A matrix product in batches: `[batch, rows, columns]` and the terms of each sum, and whether
/// either factor is transposed.
#[derive(Debug, Clone, Copy)]
struct Product {
    batch: usize,
    size: [usize; 2],
    terms: usize,
    transposed: [bool; 2],
}

impl Product {
    /// Shapes of the factors.
    fn shapes(&self) -> [[usize; 3]; 2] {
        let [rows, columns] = self.size;
        let sides = [[rows, self.terms], [self.terms, columns]];
        [0, 1].map(|i| match self.transposed[i] {
            false => [self.batch, sides[i][0], sides[i][1]],
            true => [self.batch, sides[i][1], sides[i][0]],
        })
    }

    fn axes(&self) -> [Vec<ContractAxis>; 2] {
        let [rows, columns] = self.size;
        let terms = self.terms;
        // Steps along the rows, the columns and the terms.
        let [down, right] = [rows, columns].map(|size| size as i64);
        let a = match self.transposed[0] {
            false => [terms as i64, 0, 1],
            true => [1, 0, down],
        };
        let b = match self.transposed[1] {
            false => [0, 1, right],
            true => [0, terms as i64, 1],
        };
        let axis = |length: usize, steps: [i64; 2]| ContractAxis { length, steps };
        let matrices = [rows * terms, terms * columns].map(|values| values as i64);
        let outer = vec![
            axis(self.batch, matrices),
            axis(rows, [a[0], b[0]]),
            axis(columns, [a[1], b[1]]),
        ];
        [outer, vec![axis(terms, [a[2], b[2]])]]
    }
}

fn products() -> impl Strategy<Value = Product> {
    let size = || prop_oneof![4 => 1..=9_usize, 1 => 10..=70_usize];
    (1..=5_usize, [size(), size()], size(), any::<[bool; 2]>()).prop_map(
        |(batch, size, terms, transposed)| Product {
            batch,
            size,
            terms,
            transposed,
        },
    )
}

/// Runs a step on every instruction set and compares the results.
fn check(
    maps: [TestMap; 3],
    images: usize,
    base: [usize; 2],
    [outer, inner]: [Vec<ContractAxis>; 2],
    seed: u64,
) {
    let [x, y] = [0, 1].map(|i| random_values(seed + i as u64, images * maps[i].len()));
    let sources = |base: i64, axes: &[ContractAxis], factor: usize| -> Vec<i64> {
        let all = sources(base, &axes_of(axes, factor));
        all.into_iter().map(|source| source.unwrap()).collect()
    };
    let starts = [0, 1].map(|factor| sources(base[factor] as i64, &outer, factor));
    let steps = [0, 1].map(|factor| sources(0, &inner, factor));
    let mut expected = Vec::new();
    for image in 0..images {
        let value = |values: &[f32], map: &TestMap, at: i64| {
            f64::from(values[image * map.len() + at as usize])
        };
        for (a, b) in std::iter::zip(&starts[0], &starts[1]) {
            let terms = std::iter::zip(&steps[0], &steps[1])
                .map(|(i, j)| value(&x, &maps[0], a + i) * value(&y, &maps[1], b + j));
            let terms: Vec<f64> = terms.collect();
            let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
            expected.push((terms.iter().sum::<f64>(), magnitude, terms.len()));
        }
    }
    for (isa, _) in instruction_sets() {
        let test = StepTest {
            images,
            inputs: vec![(maps[0], &x), (maps[1], &y)],
            outputs: vec![maps[2]],
            ..StepTest::new(isa)
        };
        let run = test.run(|layout, _| {
            let factors = [layout.inputs[0], layout.inputs[1]];
            let (outer, inner) = (outer.clone(), inner.clone());
            Step::Contract(Contract::new(
                factors,
                layout.outputs[0],
                outer,
                inner,
                base,
            ))
        });
        for (y, (expected, magnitude, terms)) in run.maps[0].iter().zip(&expected) {
            let bound = (terms + 1) as f64 * f64::from(f32::EPSILON) / 2.0 * magnitude;
            let error = (f64::from(*y) - expected).abs();
            assert!(error <= bound, "{y} on {isa}, expected {expected}");
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn matrix_products_are_within_their_error_bound(
        product in products(),
        images in 1..=2_usize,
        margins in [margins(), margins(), margins()],
        planar in any::<[bool; 3]>(),
        seed in 0..u64::MAX - 9,
    ) {
        let [a, b] = product.shapes();
        let y = [product.batch, product.size[0], product.size[1]];
        let mut maps = [a, b, y].map(TestMap::new);
        for (i, map) in maps.iter_mut().enumerate() {
            map.margins = margins[i];
            map.planar = planar[i];
        }
        check(maps, images, [0, 0], product.axes(), seed);
    }

    /// Axes with any steps.
    #[test]
    fn contract_is_within_its_error_bound(
        axes in prop::array::uniform2(prop::collection::vec(
            (1..=5_usize, -9..=9_i64, prop_oneof![Just(0_i64), Just(1), -9..=9_i64])
                .prop_map(|(length, a, b)| ContractAxis { length, steps: [a, b] }),
            0..=3,
        )),
        planar in any::<[bool; 3]>(),
        width in 1..=7_usize,
        seed in 0..u64::MAX - 9,
    ) {
        let all = axes.concat();
        let reach = |factor: usize, sign: i64| -> usize {
            let last = |axis: &ContractAxis| sign * axis.steps[factor] * (axis.length as i64 - 1);
            all.iter().map(|axis| last(axis).max(0) as usize).sum()
        };
        let base = [reach(0, -1), reach(1, -1)];
        let shape = |factor: usize| {
            let elements = base[factor] + reach(factor, 1) + 1;
            TestMap::new([elements.div_ceil(2 * width), 2, width])
        };
        let elements: usize = axes[0].iter().map(|axis| axis.length).product();
        let last = axes[0].last().map_or(1, |axis| axis.length);
        let mut maps = [shape(0), shape(1), TestMap::new([elements / last, 1, last])];
        for (i, map) in maps.iter_mut().enumerate() {
            map.planar = planar[i];
        }
        check(maps, 2, base, axes, seed);
    }
}
