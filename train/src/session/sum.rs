//! The sum over the parts of a step, in an order that does not depend on who computes which part.
//!
//! Addition of floating-point numbers is not associative, so the order is fixed: the parts are the
//! leaves of a binary tree that divides them into halves, and every node is the sum of its left and its
//! right half. A rank that computes some adjacent parts adds up the largest nodes that it has whole; the
//! ranks exchange these.

use std::ops::Range;

use half::bf16;

/// Nodes of the tree whose sums are known, from left to right. No two of them are the halves of a node.
pub struct PartialSums {
    parts: usize,
    /// Number of leading values that are rounded to bfloat16 in every node.
    rounded: usize,
    nodes: Vec<Node>,
}

/// Sum over adjacent parts.
pub struct Node {
    /// The parts.
    pub parts: Range<usize>,
    /// The sums.
    pub values: Vec<f32>,
}

impl PartialSums {
    /// Returns no sums, of a step with `parts` parts. The first `rounded` values are rounded to bfloat16
    /// in every node.
    pub fn new(parts: usize, rounded: usize) -> Self {
        Self {
            parts,
            rounded,
            nodes: Vec::new(),
        }
    }

    /// Number of leading values that are rounded to bfloat16 in every node.
    pub fn rounded(&self) -> usize {
        self.rounded
    }

    /// Appends the node after the last one, and adds it to its other half if that is there.
    pub fn push(&mut self, parts: Range<usize>, mut values: Vec<f32>) {
        round(&mut values, self.rounded);
        self.nodes.push(Node { parts, values });
        while let [.., left, right] = &self.nodes[..]
            && are_halves(&left.parts, &right.parts, self.parts)
        {
            let right = self.nodes.pop().expect("two nodes");
            let left = self.nodes.last_mut().expect("one node");
            for (sum, value) in left.values.iter_mut().zip(&right.values) {
                *sum += value;
            }
            round(&mut left.values, self.rounded);
            left.parts.end = right.parts.end;
        }
    }

    /// Returns the nodes, from left to right.
    pub fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }
}

/// Returns the parts of the nodes that [`PartialSums`] has after the parts `own` of `parts` were
/// appended.
pub fn nodes_of(own: Range<usize>, parts: usize) -> Vec<Range<usize>> {
    let mut sums = PartialSums::new(parts, 0);
    for part in own {
        sums.push(part..part + 1, Vec::new());
    }
    sums.nodes.into_iter().map(|node| node.parts).collect()
}

/// Rounds the first `count` values to bfloat16.
fn round(values: &mut [f32], count: usize) {
    let count = count.min(values.len());
    for value in &mut values[..count] {
        *value = bf16::from_f32(*value).to_f32();
    }
}

/// Whether `left` and `right` are the halves of a node of the tree over `parts` parts.
fn are_halves(left: &Range<usize>, right: &Range<usize>, parts: usize) -> bool {
    let mut node = 0..parts;
    while node.len() >= 2 {
        let middle = node.start + node.len() / 2;
        if *left == (node.start..middle) && *right == (middle..node.end) {
            return true;
        }
        node = match left.start < middle {
            true => node.start..middle,
            false => middle..node.end,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cluster::share_of;

    /// The sum by recursion over the tree, of values that are rounded if `rounded`.
    fn tree_sum(values: &[f32], rounded: bool) -> f32 {
        let sum = match values {
            [value] => *value,
            _ => {
                let (left, right) = values.split_at(values.len() / 2);
                tree_sum(left, rounded) + tree_sum(right, rounded)
            }
        };
        match rounded {
            true => bf16::from_f32(sum).to_f32(),
            false => sum,
        }
    }

    proptest! {
        #[test]
        fn the_sum_does_not_depend_on_the_number_of_ranks(
            values in prop::collection::vec(-1e3_f32..1e3, 1..40),
            ranks in 1_usize..41,
            rounded: bool,
        ) {
            let parts = values.len();
            let ranks = ranks.min(parts);
            let width = usize::from(rounded);
            let mut total = PartialSums::new(parts, width);
            for rank in 0..ranks {
                let own = share_of(parts, rank, ranks);
                let mut sums = PartialSums::new(parts, width);
                for part in own.clone() {
                    sums.push(part..part + 1, vec![values[part]]);
                }
                let nodes = sums.into_nodes();
                let ranges: Vec<_> = nodes.iter().map(|node| node.parts.clone()).collect();
                prop_assert_eq!(ranges, nodes_of(own, parts));
                for node in nodes {
                    total.push(node.parts, node.values);
                }
            }
            let nodes = total.into_nodes();
            prop_assert_eq!(nodes.len(), 1);
            prop_assert_eq!(&nodes[0].parts, &(0..parts));
            let expected = tree_sum(&values, rounded);
            prop_assert_eq!(nodes[0].values[0].to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn a_rank_of_whole_halves_has_one_node() {
        for parts in [1, 2, 4, 8, 64] {
            for ranks in [1, 2, 4, 8, 64].into_iter().filter(|&ranks| ranks <= parts) {
                for rank in 0..ranks {
                    assert_eq!(nodes_of(share_of(parts, rank, ranks), parts).len(), 1);
                }
            }
        }
        assert_eq!(nodes_of(1..4, 4), [1..2, 2..4]);
    }
}
