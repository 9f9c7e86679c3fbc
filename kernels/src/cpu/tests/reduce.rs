//! Reductions against the definitions in `f64`.

use proptest::prelude::*;

use super::super::{Reduce, Reduction};
use super::axes::{reductions, sources};
use super::{StepTest, config, instruction_sets, random_values};
use crate::plan::Step;

const ALL: [Reduction; 10] = [
    Reduction::Sum,
    Reduction::Mean,
    Reduction::Product,
    Reduction::Max,
    Reduction::Min,
    Reduction::L1,
    Reduction::L2,
    Reduction::SumOfSquares,
    Reduction::LogSum,
    Reduction::LogSumExp,
];

/// The reduction, and the size of the terms of which roundings are a fraction.
fn reduce(reduction: Reduction, x: &[f64]) -> [f64; 2] {
    let sum = |f: &dyn Fn(f64) -> f64| x.iter().map(|x| f(*x)).sum::<f64>();
    let exact = |x: f64| [x, x.abs()];
    match reduction {
        Reduction::Sum => [sum(&|x| x), sum(&f64::abs)],
        Reduction::Mean => [sum(&|x| x), sum(&f64::abs)].map(|sum| sum / x.len() as f64),
        Reduction::Product => exact(x.iter().product()),
        Reduction::Max => exact(x.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Reduction::Min => exact(x.iter().copied().fold(f64::INFINITY, f64::min)),
        Reduction::L1 => exact(sum(&f64::abs)),
        Reduction::L2 => exact(sum(&|x| x * x).sqrt()),
        Reduction::SumOfSquares => exact(sum(&|x| x * x)),
        Reduction::LogSum => exact(sum(&|x| x).ln()),
        Reduction::LogSumExp => exact(sum(&f64::exp).ln()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2 * config().cases, ..config() })]

    #[test]
    fn reduce_is_exact_to_f32(
        problem in reductions(),
        reduction in prop::sample::select(ALL.to_vec()),
    ) {
        let len = problem.x.len();
        let mut x = random_values(problem.seed, problem.images * len);
        if reduction == Reduction::LogSum {
            x.iter_mut().for_each(|x| *x = x.abs() + 0.5);
        }
        let mut expected = Vec::new();
        for x in x.chunks(len) {
            for base in sources(problem.base as i64, &problem.outer) {
                let terms: Vec<f64> = sources(base.unwrap(), &problem.inner)
                    .iter()
                    .map(|at| f64::from(x[at.unwrap() as usize]))
                    .collect();
                expected.push(reduce(reduction, &terms));
            }
        }
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images: problem.images,
                inputs: vec![(problem.x, &x)],
                outputs: vec![problem.y],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let [x, y] = [layout.inputs[0], layout.outputs[0]];
                let [outer, inner] = [&problem.outer, &problem.inner].map(Clone::clone);
                Step::Reduce(Reduce::new(x, y, reduction, problem.base, outer, inner))
            });
            for (y, [expected, size]) in run.maps[0].iter().zip(&expected) {
                let error = (f64::from(*y) - expected).abs();
                let bound = 1.2e-7 * size + f64::from(f32::MIN_POSITIVE);
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}

/// Large and infinite numbers.
#[test]
fn the_logarithm_of_a_sum_of_exponentials_does_not_overflow() {
    let inf = f32::INFINITY;
    for (x, expected) in [
        ([1000.0, 1000.0], 1000.0 + 2.0_f32.ln()),
        ([-1000.0, -1000.0], -1000.0 + 2.0_f32.ln()),
        ([inf, 0.0], inf),
        ([-inf, -inf], -inf),
        ([-inf, 3.0], 3.0),
    ] {
        assert_eq!(reduce_pair(Reduction::LogSumExp, x), expected, "{x:?}");
    }
    for reduction in ALL {
        for x in [[f32::NAN, 1.0], [1.0, f32::NAN]] {
            let y = reduce_pair(reduction, x);
            assert!(y.is_nan(), "{reduction:?} of {x:?} is {y}");
        }
    }
}

/// The reduction of two channels.
fn reduce_pair(reduction: Reduction, x: [f32; 2]) -> f32 {
    use super::super::Axis;
    use super::TestMap;
    let mut results = Vec::new();
    for (isa, _) in instruction_sets() {
        // Along the channels, and along a row.
        for shape in [[2, 1, 1], [1, 1, 2]] {
            let test = StepTest {
                inputs: vec![(TestMap::new(shape), &x)],
                outputs: vec![TestMap::new([1, 1, 1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let [x, y] = [layout.inputs[0], layout.outputs[0]];
                let inner = vec![Axis::step(2, 1)];
                Step::Reduce(Reduce::new(x, y, reduction, 0, vec![], inner))
            });
            results.push(run.maps[0][0]);
        }
    }
    assert!(
        results
            .iter()
            .all(|y| y.to_bits() == results[0].to_bits() || y.is_nan())
    );
    results[0]
}
