//! Constant maps are exact.

use proptest::prelude::*;

use super::super::{Border, Constant, Map};
use super::test_map::{margins, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn constant_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        margins in margins(),
        planar: bool,
        seed in 0..u64::MAX - 9,
    ) {
        let values = random_values(seed, shape.iter().product());
        let y = TestMap { planar, ..TestMap::with_margins(shape, margins) };
        for (isa, lanes) in instruction_sets() {
            let lanes = if planar { 1 } else { lanes };
            let test = StepTest {
                images,
                outputs: vec![y],
                weights: Constant::packed_len(&Map::new(shape, Border::default(), lanes, 0)),
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, packed| {
                let step = Constant::new(layout.outputs[0], layout.weights);
                step.pack(&values, packed);
                Step::Constant(step)
            });
            prop_assert_eq!(&run.maps[0], &values.repeat(images));
        }
    }
}
