//! Layout of maps, and import and export of images.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::{Border, ConvSpec, Export, Import, Map};
use super::conv_problem::borders;
use super::test_map::Margins;
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::geometry::{Padding, Rounding, Window};
use crate::plan::Step;

/// Strategy for maps, blocked or planar, with any margins.
fn test_maps() -> impl Strategy<Value = TestMap> {
    let shape = (1..=40_usize, 1..=6_usize, 1..=9_usize);
    let neighbor_blocks = prop::array::uniform2(0..=2_usize);
    let border = prop_oneof![Just(Border::default()), borders(3)];
    (shape, border, any::<bool>(), neighbor_blocks).prop_map(
        |((channels, height, width), border, planar, neighbor_blocks)| TestMap {
            shape: [channels, height, width],
            margins: Margins {
                border,
                neighbor_blocks,
            },
            planar,
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn import_and_export_keep_every_bit(test_map in test_maps(), images in 1..=3_usize, seed: u32) {
        let values = random_values(seed.into(), images * test_map.len());
        for (isa, _) in instruction_sets() {
            let import = StepTest {
                images,
                input: &values,
                outputs: vec![test_map],
                ..StepTest::new(isa)
            };
            let output = import.run(|layout, _| Step::Import(Import { y: layout.outputs[0] }));
            prop_assert_eq!(&output.maps[0], &values);

            let export = StepTest {
                images,
                inputs: vec![(test_map, &values)],
                arrays: vec![0, test_map.len()],
                ..StepTest::new(isa)
            };
            // The first output array is empty: any write to it is detected.
            let output = export.run(|layout, _| {
                Step::Export(Export {
                    x: layout.inputs[0],
                    output: 1,
                })
            });
            prop_assert_eq!(&output.arrays[1], &values);
        }
    }

    #[test]
    fn elements_are_distinct_and_within_the_map(
        test_map in test_maps(),
        lanes in prop::sample::select(vec![1, 4, 8, 16]),
        images in 1..=3_usize,
    ) {
        let map = Map::new(test_map.shape, test_map.margins.border, lanes, 7).with_slots(images);
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
    fn a_slice_has_the_channels_from_its_first_channel(
        test_map in test_maps(),
        lanes in prop::sample::select(vec![1, 4, 8, 16]),
        first in 0..=4_usize,
        channels in 1..=20_usize,
    ) {
        let first = first * lanes;
        let [_, height, width] = test_map.shape;
        let shape = [first + channels + 3, height, width];
        let wider = Map::new(shape, test_map.margins.border, lanes, 5).with_slots(2);
        let slice = wider.slice(first, channels);
        prop_assert_eq!(slice.shape(), [channels, height, width]);
        for channel in 0..channels {
            let offset = |map: &Map, channel: usize| {
                map.at(1, channel / lanes, height - 1, width - 1) + channel % lanes
            };
            prop_assert_eq!(offset(&slice, channel), offset(&wider, first + channel));
        }
        prop_assert!(slice.end() <= wider.end());
    }

    #[test]
    fn a_flat_map_has_the_same_elements(
        test_map in test_maps(),
        lanes in prop::sample::select(vec![1, 4, 8, 16]),
    ) {
        let border = Border { left: 0, right: 0, ..test_map.margins.border };
        let map = Map::new(test_map.shape, border, lanes, 3);
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
    fn strides_of_large_blocks_are_an_odd_number_of_cache_lines(
        test_map in test_maps(),
        side in 1..=60_usize,
        lanes in prop::sample::select(vec![4, 8, 16]),
    ) {
        let [channels, ..] = test_map.shape;
        let map = Map::new([channels, side, side], test_map.margins.border, lanes, 0);
        prop_assert!((map.extent()..map.extent() + 32).contains(&map.block));
        if map.extent() >= 256 {
            prop_assert!(map.block.is_multiple_of(16) && map.block / 16 % 2 == 1);
        }
    }

    #[test]
    fn output_size_agrees_with_window_geometry(
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
