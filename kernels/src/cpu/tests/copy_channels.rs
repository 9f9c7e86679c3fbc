//! Copies of channels are exact for any first channel.

use proptest::prelude::*;

use super::super::{Buffer, Context, CopyChannels, Kernels, Map, Operation};
use super::test_map::{margins, nchw_indices, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_copy_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        planar in any::<[bool; 2]>(),
        seed in 0..u64::MAX - 9,
    ) {
        let x = random_values(seed, images * shape.iter().product::<usize>());
        let [from, to] = [0, 1].map(|i| TestMap {
            planar: planar[i],
            ..TestMap::with_margins(shape, margins[i])
        });
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(from, &x)],
                outputs: vec![to],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                Step::CopyChannels(CopyChannels::new(layout.inputs[0], layout.outputs[0], 0))
            });
            prop_assert_eq!(&run.maps[0], &x);
        }
    }

    /// Copies three maps into one map in any order. Maps may share blocks: a copy does not change
    /// the channels of the other copies. The border and the lanes beyond the last channel are zero
    /// afterwards.
    #[test]
    fn copies_concatenate(
        [_, height, width] in shapes(),
        channels in [1..=19_usize, 1..=19, 1..=19],
        images in 1..=2_usize,
        margins in [margins(), margins()],
        threads in 1..=3_usize,
        order in Just([0, 1, 2]).prop_shuffle(),
    ) {
        for (isa, lanes) in instruction_sets() {
            let mut end = 0;
            let mut map = |channels, border| {
                let map =
                    Map::new([channels, height, width], border, lanes, end).with_slots(images);
                end += map.elements();
                map
            };
            let x = channels.map(|channels| map(channels, margins[0].border));
            let y = map(channels.iter().sum(), margins[1].border);
            let mut arena = Buffer::zeroed(end);
            arena[..y.offset].copy_from_slice(&random_values(1, y.offset));
            arena[y.offset..].fill(f32::NAN);
            let first_channels = [0, channels[0], channels[0] + channels[1]];
            for source in order {
                let step = CopyChannels::new(x[source], y, first_channels[source]);
                for thread in 0..threads {
                    let context = Context {
                        kernels: Kernels::get(isa),
                        arena: arena.as_mut_ptr(),
                        weights: &[],
                        input: std::ptr::null(),
                        outputs: &[],
                        scratch: std::ptr::null_mut(),
                        images,
                        first: 0,
                        thread,
                        threads,
                        stealable: None,
                    };
                    // SAFETY: all maps lie within the arena and are disjoint. A copy needs no
                    // weights, input, output arrays and scratch memory. Threads are simulated one
                    // after the other, so that nothing else accesses the arena.
                    unsafe { step.run(&context) };
                }
            }
            let mut values = 0;
            for [n, c, row, column] in nchw_indices(images, y.shape()) {
                let source = (0..3)
                    .rfind(|source| c >= first_channels[*source])
                    .expect("the first channel of the first copy is 0");
                let source_channel = c - first_channels[source];
                let value = |map: &Map, c: usize| {
                    arena[map.at(n, c / lanes, row, column) + c % lanes]
                };
                prop_assert_eq!(value(&y, c), value(&x[source], source_channel));
                values += 1;
            }
            let output = &arena[y.offset..];
            let zeros = images * y.blocks() * y.extent() - values;
            prop_assert!(output.iter().filter(|x| **x == 0.0).count() >= zeros);
        }
    }
}
