//! Rearrangements are exact.

use proptest::prelude::*;

use super::super::Rearrange;
use super::axes::{rearrangements, sources};
use super::{StepTest, config, instruction_sets, random_values};
use crate::plan::Step;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2 * config().cases, ..config() })]

    #[test]
    fn rearrange_is_exact(problem in rearrangements()) {
        const FILL: f32 = -7.5;
        let len = problem.x.len();
        let x = random_values(problem.seed, problem.images * len);
        let sources = sources(problem.base as i64, &problem.outer);
        let expected: Vec<f32> = x
            .chunks(len)
            .flat_map(|x| {
                let source = |source: &Option<i64>| source.map_or(FILL, |at| x[at as usize]);
                sources.iter().map(source)
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images: problem.images,
                inputs: vec![(problem.x, &x)],
                outputs: vec![problem.y],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let [x, y] = [layout.inputs[0], layout.outputs[0]];
                Step::Rearrange(Rearrange::new(x, y, problem.base, problem.outer.clone(), FILL))
            });
            prop_assert_eq!(&run.maps[0], &expected, "{}", isa);
        }
    }
}
