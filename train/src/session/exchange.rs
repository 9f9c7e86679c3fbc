//! The sum of lists of values over all ranks.
//!
//! The list is divided into one chunk for each rank. Every rank sends each other rank its nodes' values in
//! that rank's chunk; a rank adds up its chunk in the order of [`PartialSums`] and sends the sums to
//! all others. A rank with one node sends `2 (ranks - 1) / ranks` times the list, as a ring does.

use std::ops::Range;

use half::bf16;

use super::sum::{Node, PartialSums, nodes_of};
use crate::cluster::{Cluster, ClusterError, Message, share_of};

/// Returns the sums over all `parts` parts. `own` has the parts of this rank.
///
/// # Errors
///
/// [`ClusterError`] when the exchange fails.
pub fn sum_over_ranks(
    cluster: &dyn Cluster,
    parts: usize,
    own: PartialSums,
) -> Result<Vec<f32>, ClusterError> {
    let rounded = own.rounded();
    let mut nodes = own.into_nodes();
    let ranks = cluster.ranks();
    if ranks == 1 {
        return Ok(nodes.pop().map_or(Vec::new(), |node| node.values));
    }
    let length = nodes.first().map_or(0, |node| node.values.len());
    let chunk = |rank| Chunk::of(share_of(length, rank, ranks), rounded);
    let messages = (0..ranks).map(|rank| {
        let chunk = chunk(rank);
        let mut message = Vec::with_capacity(chunk.bytes() * nodes.len());
        for Node { values, .. } in &nodes {
            chunk.write(&values[chunk.range.clone()], &mut message);
        }
        message.into()
    });
    let messages: Vec<Message> = messages.collect();
    drop(nodes);
    let received = cluster.exchange(messages)?;

    let own = chunk(cluster.rank());
    let mut sum = PartialSums::new(parts, own.rounded);
    for (rank, message) in received.iter().enumerate() {
        let nodes = nodes_of(share_of(parts, rank, ranks), parts);
        check(rank, message, own.bytes() * nodes.len())?;
        for (index, node) in nodes.into_iter().enumerate() {
            let mut values = Vec::with_capacity(own.range.len());
            own.read(&message[index * own.bytes()..], &mut values);
            sum.push(node, values);
        }
    }
    let mut message = Vec::with_capacity(own.bytes());
    for Node { values, .. } in sum.into_nodes() {
        own.write(&values, &mut message);
    }
    drop(received);
    let received = cluster.exchange(vec![message.into(); ranks])?;

    let mut sums = Vec::with_capacity(length);
    for (rank, message) in received.iter().enumerate() {
        let chunk = chunk(rank);
        check(rank, message, chunk.bytes())?;
        chunk.read(message, &mut sums);
    }
    Ok(sums)
}

/// Returns the number of bytes that `rank` of `ranks` sends to the other ranks to sum up a list of
/// `length` values over `parts` parts, of which the first `rounded` are sent as bfloat16.
#[cfg(test)]
pub fn bytes_sent([parts, ranks, rank]: [usize; 3], [length, rounded]: [usize; 2]) -> usize {
    let chunk = |rank| Chunk::of(share_of(length, rank, ranks), rounded).bytes();
    let nodes = nodes_of(share_of(parts, rank, ranks), parts).len();
    let others = (0..ranks).filter(|&other| other != rank);
    others.map(|other| nodes * chunk(other) + chunk(rank)).sum()
}

fn check(rank: usize, message: &[u8], expected: usize) -> Result<(), ClusterError> {
    match message.len() {
        found if found != expected => Err(ClusterError::Message {
            rank,
            found,
            expected,
        }),
        _ => Ok(()),
    }
}

/// Adjacent values of the list.
struct Chunk {
    range: Range<usize>,
    /// Number of leading values of the chunk that bfloat16 represents exactly.
    rounded: usize,
}

impl Chunk {
    /// Returns the chunk `range` of a list whose first `rounded` values are rounded to bfloat16.
    fn of(range: Range<usize>, rounded: usize) -> Self {
        let rounded = rounded.clamp(range.start, range.end) - range.start;
        Self { range, rounded }
    }

    /// Length of the chunk in a message, in bytes.
    fn bytes(&self) -> usize {
        2 * self.rounded + 4 * (self.range.len() - self.rounded)
    }

    /// Appends the values of the chunk to a message.
    fn write(&self, values: &[f32], message: &mut Vec<u8>) {
        let (rounded, others) = values.split_at(self.rounded);
        let start = message.len();
        message.resize(start + self.bytes(), 0);
        let (first, second) = message[start..].split_at_mut(2 * self.rounded);
        for (bytes, value) in first.as_chunks_mut().0.iter_mut().zip(rounded) {
            *bytes = bf16::from_f32(*value).to_le_bytes();
        }
        for (bytes, value) in second.as_chunks_mut().0.iter_mut().zip(others) {
            *bytes = value.to_le_bytes();
        }
    }

    /// Reads the values of the chunk from the beginning of a message, and appends them to `values`.
    fn read(&self, message: &[u8], values: &mut Vec<f32>) {
        let (rounded, others) = message[..self.bytes()].split_at(2 * self.rounded);
        let (rounded, _) = rounded.as_chunks();
        let (others, _) = others.as_chunks();
        values.extend(
            rounded
                .iter()
                .map(|&bytes| bf16::from_le_bytes(bytes).to_f32()),
        );
        values.extend(others.iter().map(|&bytes| f32::from_le_bytes(bytes)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cluster::tests::on_threads;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// All ranks get the sums of one rank, bit for bit, and send the stated number of bytes.
        #[test]
        fn sums_do_not_depend_on_the_ranks(
            parts in 1_usize..9, ranks in 1_usize..6, length in 0_usize..40, rounded in 0_usize..50,
            seed: u64,
        ) {
            use rand::RngExt;
            let ranks = ranks.min(parts);
            let mut random = crate::stream(seed, crate::Purpose::Order, [0, 0]);
            let values: Vec<Vec<f32>> = (0..parts)
                .map(|_| (0..length).map(|_| random.random_range(-1e4..1e4)).collect())
                .collect();
            let rounded = rounded.min(length);
            let sums = |cluster: &dyn Cluster| {
                let mut own = PartialSums::new(parts, rounded);
                for part in share_of(parts, cluster.rank(), cluster.ranks()) {
                    own.push(part..part + 1, values[part].clone());
                }
                let sums = sum_over_ranks(cluster, parts, own).expect("sums");
                (sums.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), cluster.sent())
            };
            let expected = sums(&crate::cluster::Alone).0;
            for (rank, (found, sent)) in on_threads(ranks, sums).into_iter().enumerate() {
                prop_assert_eq!(&found, &expected);
                let bytes = bytes_sent([parts, ranks, rank], [length, rounded]);
                prop_assert_eq!(sent, bytes as u64);
            }
        }
    }

    #[test]
    fn a_rank_sends_what_a_ring_sends() {
        assert_eq!(bytes_sent([4, 4, 1], [1000, 0]), 4 * 2 * 3 * 1000 / 4);
        assert_eq!(bytes_sent([4, 2, 0], [1000, 1000]), 2 * 2 * 1000 / 2);
    }
}
