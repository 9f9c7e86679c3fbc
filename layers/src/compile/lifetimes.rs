//! Where maps lie in the arena: in the same place where they are never there at the same time.

use std::cmp::Reverse;

/// A map's memory, from the step that first writes it to the step that last reads it, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// Elements.
    pub len: usize,
    pub first: usize,
    pub last: usize,
}

impl Lifetime {
    /// Whether there is a step in which both are there. A step's output is there with its inputs.
    pub fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Elements of a cache line: where each map begins.
const LINE: usize = 16;

/// Offsets such that no two that meet overlap, and the elements that all need: the largest first, each
/// in the smallest gap that holds it.
pub(super) fn place(lifetimes: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&index| (Reverse(lifetimes[index].len), lifetimes[index].first));
    let mut offsets = vec![0; lifetimes.len()];
    let mut placed: Vec<usize> = Vec::new();
    for index in order {
        let len = lifetimes[index].len.next_multiple_of(LINE);
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&other| lifetimes[other].meets(&lifetimes[index]))
            .map(|&other| (offsets[other], offsets[other] + lifetimes[other].len))
            .collect();
        taken.sort_unstable();
        let mut end = 0;
        let mut best: Option<(usize, usize)> = None;
        for (first, last) in taken {
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
    fn a_chain_needs_its_two_largest_neighbours() {
        let chain = [
            lifetime(64, 0, 1),
            lifetime(128, 1, 2),
            lifetime(32, 2, 3),
            lifetime(48, 3, 4),
        ];
        assert_eq!(place(&chain), (vec![128, 0, 128, 0], 192));
    }

    proptest! {
        #[test]
        fn what_meets_does_not_overlap(
            parts in prop::collection::vec((0..500usize, 0..20usize, 0..6usize), 0..30),
        ) {
            let lifetimes: Vec<Lifetime> = parts
                .iter()
                .map(|&(len, first, steps)| lifetime(len, first, first + steps))
                .collect();
            let (offsets, total) = place(&lifetimes);
            for (i, a) in lifetimes.iter().enumerate() {
                prop_assert_eq!(offsets[i] % LINE, 0);
                prop_assert!(offsets[i] + a.len <= total);
                for (j, b) in lifetimes.iter().enumerate().skip(i + 1) {
                    let apart = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                    prop_assert!(apart || !a.meets(b), "{} and {}", i, j);
                }
            }
        }
    }
}
