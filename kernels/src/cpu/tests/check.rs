//! Bounds checks and disjointness of maps, compared with the sets of their elements.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::{AccessSet, Blocking, Border, Map};
use super::config;
use super::conv_problem::borders;
use crate::cpu::Memory;

/// Channels of a block.
const LANES: usize = 4;

/// Planned memory with a batch of `images`, a micro-batch and an arena of `arena` elements.
fn memory([images, micro_batch]: [usize; 2], arena: usize) -> Memory<'static> {
    Memory {
        lanes: LANES,
        blocking: Blocking {
            mr: 4,
            mr_single: 4,
            kc_nr: 1 << 8,
            mc_kc: 1 << 10,
        },
        images,
        micro_batch,
        arena,
        weights: 0,
        input: 0,
        outputs: &[],
    }
}

/// Strategy for the slots of a map for batches of up to three images; 0 and 4 are invalid.
fn slots() -> impl Strategy<Value = usize> {
    prop_oneof![12 => Just(2), 4 => Just(1), 4 => Just(3), 1 => Just(0), 1 => Just(4)]
}

/// Strategy for small maps, which may be slices, and whose strides and slots may be invalid.
fn maps() -> impl Strategy<Value = Map> {
    let shape = prop::array::uniform3(0..=9_usize);
    let border = prop_oneof![Just(Border::default()), borders(1)];
    let lanes = prop::sample::select(vec![1, LANES]);
    let changes = prop::array::uniform3(prop_oneof![8 => Just(0), 1 => -1..=9_isize]);
    let position = (0..=60_usize, 0..=2_usize, slots());
    (shape, border, lanes, position, changes).prop_map(
        |([channels, height, width], border, lanes, (offset, first, slots), changes)| {
            let first = first * lanes;
            let wider = Map::new([first + channels, height, width], border, lanes, offset);
            let map = wider.slice(first, channels);
            let [row, block, image] = changes;
            Map {
                row: map.row.saturating_add_signed(row),
                block: map.block.saturating_add_signed(block),
                image: map.image.saturating_add_signed(image),
                slots,
                ..map
            }
        },
    )
}

/// Strategy for two maps. In a third of the cases the maps differ in offset and slots only, and one
/// map may overlap a later image of the other.
fn pairs() -> impl Strategy<Value = [Map; 2]> {
    let moved = (maps(), 0..=2_usize, 0..=9_usize, slots(), any::<bool>()).prop_map(
        |(x, images, offset, slots, swap)| {
            let offset = x.offset + images.saturating_mul(x.image) + offset;
            let y = Map { offset, ..x }.with_slots(slots);
            if swap { [y, x] } else { [x, y] }
        },
    );
    prop_oneof![2 => [maps(), maps()], 1 => moved]
}

/// Strategy for a batch size and a micro-batch.
fn batches() -> impl Strategy<Value = [usize; 2]> {
    (1..=3_usize).prop_flat_map(|images| (Just(images), 1..=images).prop_map(Into::into))
}

/// Returns the arena offsets of all elements of a map, including its border and unused lanes.
fn elements(map: &Map) -> Vec<usize> {
    let height = map.border.top + map.height + map.border.bottom;
    let width = map.border.left + map.width + map.border.right;
    let mut all = Vec::new();
    for image in 0..map.slots {
        for block in 0..map.blocks() {
            for row in 0..height {
                let from = map.offset + image * map.image + block * map.block + row * map.row;
                all.extend(from..from + width * map.lanes);
            }
        }
    }
    all
}

#[test]
fn the_images_of_a_micro_batch_are_in_adjacent_slots() {
    let mut valid = 0;
    for (images, micro_batch, slots) in
        (1..=9).flat_map(|a| (1..=a).flat_map(move |b| (0..=10).map(move |c| (a, b, c))))
    {
        let memory = memory([images, micro_batch], usize::MAX / 8);
        let map = Map::new([3, 2, 2], Border::default(), 1, 0).with_slots(slots);
        if memory.is_even(micro_batch) && memory.any_map(&map).is_ok() {
            valid += 1;
            for first in (0..images).step_by(micro_batch) {
                let batch = micro_batch.min(images - first);
                assert!(
                    first % slots + batch <= slots,
                    "{slots} slots in {memory:?}"
                );
            }
        }
    }
    // Number of valid pairs of micro-batch and slots for 1 to 9 images. For 8 images, for example,
    // micro-batches are 1, 2, 4 or 8, and slots are 1, 2, 4 or 8, but not less than the
    // micro-batch: 10 pairs.
    assert_eq!(valid, 1 + 3 + 6 + 6 + 10 + 10 + 10 + 10 + 15);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16 * config().cases, ..config() })]

    #[test]
    fn a_map_that_passes_the_check_is_in_bounds_and_its_elements_are_distinct(
        map in maps(),
        images in batches(),
        arena in 0..=2000_usize,
    ) {
        if memory(images, arena).any_map(&map).is_ok() {
            let all = elements(&map);
            prop_assert!(all.iter().all(|at| *at < arena));
            prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        }
    }

    #[test]
    fn overlapping_maps_are_not_disjoint([x, y] in pairs(), images in batches()) {
        let memory = memory(images, usize::MAX / 8);
        if memory.any_map(&x).is_ok() && memory.any_map(&y).is_ok() {
            let all: HashSet<_> = elements(&x).into_iter().collect();
            if elements(&y).iter().any(|at| all.contains(at)) {
                prop_assert!(!x.is_disjoint(&y) && !y.is_disjoint(&x));
            }
        }
    }

    #[test]
    fn disjoint_steps_do_not_write_what_the_other_accesses(
        steps in prop::array::uniform2((prop::collection::vec(maps(), 0..3), maps())),
        images in batches(),
    ) {
        let memory = memory(images, usize::MAX / 8);
        let mut maps = steps.iter().flat_map(|(reads, y)| reads.iter().chain([y]));
        if maps.all(|map| memory.any_map(map).is_ok()) {
            let [a, b] = steps.each_ref().map(|(reads, y)| {
                AccessSet::maps(&reads.iter().collect::<Vec<_>>(), y)
            });
            let elements = |maps: &[Map]| -> HashSet<usize> {
                maps.iter().flat_map(elements).collect()
            };
            let [reads, writes] = [
                steps.each_ref().map(|(reads, _)| elements(reads)),
                steps.each_ref().map(|(_, y)| elements(&[*y])),
            ];
            let conflict = !writes[0].is_disjoint(&writes[1])
                || !writes[0].is_disjoint(&reads[1])
                || !writes[1].is_disjoint(&reads[0]);
            prop_assert!(!(conflict && a.is_disjoint(&b)));
            prop_assert_eq!(a.is_disjoint(&b), b.is_disjoint(&a));
        }
    }

    #[test]
    fn slices_of_a_map_are_disjoint(
        shape in prop::array::uniform2(1..=4_usize),
        border in borders(1),
        blocks in prop::array::uniform3(1..=2_usize),
        images in 1..=3_usize,
    ) {
        let [height, width] = shape;
        let [before, x, y] = blocks.map(|blocks| blocks * LANES);
        let wider = Map::new([before + x + y, height, width], border, LANES, 3).with_slots(images);
        let slices = [wider.slice(before, x), wider.slice(before + x, y), wider.slice(0, before)];
        let memory = memory([images; 2], wider.end());
        for (i, x) in slices.iter().enumerate() {
            prop_assert_eq!(memory.map(x), Ok(()));
            for (j, y) in slices.iter().enumerate() {
                prop_assert_eq!(x.is_disjoint(y), i != j);
            }
        }
    }
}
