//! Where elements lie, and the way there and back.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::{Border, ConvSpec, Export, Import, Map};
use super::convolution::borders;
use super::{Place, Trial, config, instruction_sets, noise};
use crate::geometry::{Padding, Rounding, Window};
use crate::plan::Step;

fn slots() -> impl Strategy<Value = Place> {
    let shape = (1..=40_usize, 1..=6_usize, 1..=9_usize);
    let around = prop::array::uniform2(0..=2_usize);
    let border = prop_oneof![Just(Border::default()), borders(3)];
    (shape, border, any::<bool>(), around).prop_map(
        |((channels, height, width), border, planar, around)| Place {
            shape: [channels, height, width],
            border,
            planar,
            around,
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn import_and_export_keep_every_bit(place in slots(), images in 1..=3_usize, seed: u32) {
        let values = noise(seed.into(), images * place.len());
        for (isa, _) in instruction_sets() {
            let import = Trial {
                images,
                input: &values,
                outputs: vec![place],
                ..Trial::new(isa)
            };
            let written = import.run(|maps, _| Step::Import(Import { y: maps.outputs[0] }));
            prop_assert_eq!(&written.maps[0], &values);

            let export = Trial {
                images,
                inputs: vec![(place, &values)],
                arrays: vec![0, place.len()],
                ..Trial::new(isa)
            };
            // The first is of no length: whoever writes it is caught.
            let written = export.run(|maps, _| {
                Step::Export(Export {
                    x: maps.inputs[0],
                    output: 1,
                })
            });
            prop_assert_eq!(&written.arrays[1], &values);
        }
    }

    #[test]
    fn elements_lie_apart_and_inside(
        place in slots(),
        lanes in prop::sample::select(vec![1, 4, 8, 16]),
        images in 1..=3_usize,
    ) {
        let map = Map::new(place.shape, place.border, lanes, 7).with_slots(images);
        let mut seen = HashSet::new();
        for image in 0..images {
            for channel in 0..map.channels {
                for y in 0..map.height {
                    for x in 0..map.width {
                        let at = map.at(image, channel / lanes, y, x) + channel % lanes;
                        prop_assert!(seen.insert(at));
                        prop_assert!((map.offset..map.end()).contains(&at));
                    }
                }
            }
        }
        prop_assert_eq!(map.end(), map.offset + map.elements());
    }

    #[test]
    fn a_slice_has_the_channels_from_its_first(
        place in slots(),
        lanes in prop::sample::select(vec![1, 4, 8, 16]),
        first in 0..=4_usize,
        channels in 1..=20_usize,
    ) {
        let first = first * lanes;
        let [_, height, width] = place.shape;
        let shape = [first + channels + 3, height, width];
        let whole = Map::new(shape, place.border, lanes, 5).with_slots(2);
        let slice = whole.slice(first, channels);
        prop_assert_eq!(slice.shape(), [channels, height, width]);
        for channel in 0..channels {
            let of = |map: &Map, channel: usize| {
                map.at(1, channel / lanes, height - 1, width - 1) + channel % lanes
            };
            prop_assert_eq!(of(&slice, channel), of(&whole, first + channel));
        }
        prop_assert!(slice.end() <= whole.end());
    }

    #[test]
    fn a_flat_map_has_the_same_elements(
        place in slots(),
        lanes in prop::sample::select(vec![1, 4, 8, 16]),
    ) {
        let border = Border { left: 0, right: 0, ..place.border };
        let map = Map::new(place.shape, border, lanes, 3);
        prop_assert!(map.is_dense());
        let flat = map.flat();
        for y in 0..map.height {
            for x in 0..map.width {
                let block = map.blocks() - 1;
                prop_assert_eq!(flat.at(1, block, 0, y * map.width + x), map.at(1, block, y, x));
            }
        }
    }

    #[test]
    fn large_blocks_are_an_odd_number_of_cache_lines_apart(
        place in slots(),
        side in 1..=60_usize,
        lanes in prop::sample::select(vec![4, 8, 16]),
    ) {
        let [channels, ..] = place.shape;
        let map = Map::new([channels, side, side], place.border, lanes, 0);
        prop_assert!((map.extent()..map.extent() + 32).contains(&map.block));
        if map.extent() >= 256 {
            prop_assert!(map.block.is_multiple_of(16) && map.block / 16 % 2 == 1);
        }
    }

    #[test]
    fn output_size_is_the_window_s(
        kernel in prop::array::uniform2(1..=7_usize),
        stride in prop::array::uniform2(1..=4_usize),
        dilation in prop::array::uniform2(1..=3_usize),
        padding in borders(4),
        size in prop::array::uniform2(1..=40_usize),
    ) {
        let spec = ConvSpec {
            channels_in: 1,
            channels_out: 1,
            kernel,
            stride,
            padding,
            dilation,
            groups: 1,
        };
        let sides = [(padding.top, padding.bottom), (padding.left, padding.right)];
        let windows: [_; 2] = std::array::from_fn(|i| {
            let window = Window {
                kernel: kernel[i],
                stride: stride[i],
                padding: Padding::Explicit { before: sides[i].0, after: sides[i].1 },
                dilation: dilation[i],
                rounding: Rounding::Floor,
            };
            window.output(size[i])
        });
        if let [Ok(height), Ok(width)] = windows {
            prop_assert_eq!(spec.output(size), [height, width]);
        }
    }
}
