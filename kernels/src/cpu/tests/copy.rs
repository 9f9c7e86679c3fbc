//! Copies are exact, wherever they start.

use proptest::prelude::*;

use super::super::{Buffer, Context, CopyChannels, Kernels, Map, Operation};
use super::places::{elements, place, shapes, surroundings};
use super::{Place, Trial, config, instruction_sets, noise};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_copy_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        planar in any::<[bool; 2]>(),
        seed in 0..u64::MAX - 9,
    ) {
        let x = noise(seed, images * shape.iter().product::<usize>());
        let [from, to] = [0, 1].map(|i| Place {
            planar: planar[i],
            ..place(shape, around[i])
        });
        for (isa, _) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(from, &x)],
                outputs: vec![to],
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, _| {
                Step::CopyChannels(CopyChannels::new(maps.inputs[0], maps.outputs[0], 0))
            });
            prop_assert_eq!(&run.maps[0], &x);
        }
    }

    /// Three maps one after the other, whose channels share blocks: each leaves the others' channels
    /// alone, and the border and the last lanes are zero afterwards.
    #[test]
    fn copies_concatenate(
        [_, height, width] in shapes(),
        channels in [1..=19_usize, 1..=19, 1..=19],
        images in 1..=2_usize,
        around in [surroundings(), surroundings()],
        threads in 1..=3_usize,
        order in Just([0, 1, 2]).prop_shuffle(),
    ) {
        for (isa, lanes) in instruction_sets() {
            let mut end = 0;
            let mut map = |channels, border| {
                let map = Map::new([channels, height, width], border, lanes, end).with_slots(images);
                end += map.elements();
                map
            };
            let x = channels.map(|channels| map(channels, around[0].0));
            let y = map(channels.iter().sum(), around[1].0);
            let mut arena = Buffer::zeroed(end);
            arena[..y.offset].copy_from_slice(&noise(1, y.offset));
            arena[y.offset..].fill(f32::NAN);
            let firsts = [0, channels[0], channels[0] + channels[1]];
            for part in order {
                let step = CopyChannels::new(x[part], y, firsts[part]);
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
                    // SAFETY: the maps lie one after the other in the arena.
                    unsafe { step.run(&context) };
                }
            }
            let mut all = 0;
            for [n, c, row, column] in elements(images, y.shape()) {
                let part = (0..3).rfind(|part| c >= firsts[*part]).expect("the first is 0");
                let from = c - firsts[part];
                let value = |map: &Map, c: usize| {
                    arena[map.at(n, c / lanes, row, column) + c % lanes]
                };
                prop_assert_eq!(value(&y, c), value(&x[part], from));
                all += 1;
            }
            let rest = &arena[y.offset..];
            let zeros = images * y.blocks() * y.extent() - all;
            prop_assert!(rest.iter().filter(|x| **x == 0.0).count() >= zeros);
        }
    }
}
