//! Arena planning: maps whose lifetimes do not overlap share memory.

use std::cmp::Reverse;

/// The size of a buffer and the steps during which it is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// Size, in elements.
    pub len: usize,
    /// The step that first writes the buffer.
    pub first: usize,
    /// The step that last reads the buffer, inclusive.
    pub last: usize,
}

impl Lifetime {
    /// Whether both buffers are live in some step. The inputs and output of a step overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Alignment of the buffers: one cache line, in elements.
const LINE: usize = 16;

/// Returns an offset for each buffer and the size of the arena, both in elements. Buffers with
/// overlapping lifetimes get disjoint memory.
///
/// Best fit: buffers are placed in order of decreasing size, each in the smallest gap that holds
/// it.
pub(super) fn assign_offsets(lifetimes: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&index| (Reverse(lifetimes[index].len), lifetimes[index].first));
    let mut offsets = vec![0; lifetimes.len()];
    let mut placed: Vec<usize> = Vec::new();
    for index in order {
        let len = lifetimes[index].len.next_multiple_of(LINE);
        let mut occupied: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&other| lifetimes[other].overlaps(&lifetimes[index]))
            .map(|&other| (offsets[other], offsets[other] + lifetimes[other].len))
            .collect();
        occupied.sort_unstable();
        let mut end = 0;
        let mut best: Option<(usize, usize)> = None;
        for (first, last) in occupied {
            let gap = first.saturating_sub(end);
            if gap >= len && best.is_none_or(|(_, smallest)| gap < smallest) {
                best = Some((end, gap));
            }
            end = end.max(last.next_multiple_of(LINE));
        }
        offsets[index] = best.map_or(end, |(offset, _)| offset);
        placed.push(index);
    }
    let ends = offsets
        .iter()
        .zip(lifetimes)
        .map(|(offset, l)| offset + l.len);
    let total = ends.max().unwrap_or(0).next_multiple_of(LINE);
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lifetime(len: usize, first: usize, last: usize) -> Lifetime {
        Lifetime { len, first, last }
    }

    #[test]
    fn a_chain_needs_memory_for_its_two_largest_neighbours() {
        let chain = [
            lifetime(64, 0, 1),
            lifetime(128, 1, 2),
            lifetime(32, 2, 3),
            lifetime(48, 3, 4),
        ];
        assert_eq!(assign_offsets(&chain), (vec![128, 0, 128, 0], 192));
    }

    proptest! {
        #[test]
        fn overlapping_lifetimes_get_disjoint_memory(
            buffers in prop::collection::vec((0..500usize, 0..20usize, 0..6usize), 0..30),
        ) {
            let lifetimes: Vec<Lifetime> = buffers
                .iter()
                .map(|&(len, first, steps)| lifetime(len, first, first + steps))
                .collect();
            let (offsets, total) = assign_offsets(&lifetimes);
            for (i, a) in lifetimes.iter().enumerate() {
                prop_assert_eq!(offsets[i] % LINE, 0);
                prop_assert!(offsets[i] + a.len <= total);
                for (j, b) in lifetimes.iter().enumerate().skip(i + 1) {
                    let disjoint = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                    prop_assert!(disjoint || !a.overlaps(b), "{} and {}", i, j);
                }
            }
        }
    }
}
