//! Near-duplicates: pairs of similar vectors, and the groups that the pairs connect.

use burn::tensor::{Device, Tensor, TensorData};
use receptive_kernels::cpu::dispatch;
use receptive_kernels::ops::linear;

use super::kernels::{AnyAtLeast, cosine};
use super::set::{MARGIN, VectorSet};

/// Vectors of a block whose inner products with those of another block are computed at once.
pub const BLOCK: usize = 2048;

/// Two vectors of a set, `first` before `second`, and their cosine similarity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index of the first vector.
    pub first: usize,
    /// Index of the second vector.
    pub second: usize,
    /// Cosine similarity.
    pub similarity: f64,
}

impl VectorSet {
    /// Returns every pair of vectors whose cosine similarity is at least `threshold`, in the order of the
    /// vectors. Computes the inner products of blocks of vectors by the kernels of `device`, a CPU.
    ///
    /// `progress` is called with the share of the pairs that is done, from 0 to 1.
    ///
    /// # Errors
    ///
    /// The text of the device's error.
    pub fn similar_pairs(
        &self,
        threshold: f64,
        device: &Device,
        mut progress: impl FnMut(f64),
    ) -> Result<Vec<Pair>, String> {
        let mut pairs = Vec::new();
        let blocks = self.len().div_ceil(BLOCK);
        let total = (blocks * (blocks + 1) / 2).max(1);
        let mut done = 0;
        let limit = (threshold - MARGIN) as f32;
        for i in 0..blocks {
            let rows = self.normalized_block(i, device);
            for j in i..blocks {
                let columns = self.normalized_block(j, device);
                let width = columns.dims()[0];
                let products = linear(rows.clone(), columns.transpose(), None)
                    .try_into_vec_as::<f32>()
                    .map_err(|error| error.to_string())?;
                for (row, products) in products.chunks_exact(width).enumerate() {
                    // The test of a whole row is vectorized; few rows have similar vectors.
                    if !dispatch(AnyAtLeast(products, limit)) {
                        continue;
                    }
                    let first = i * BLOCK + row;
                    for (column, _) in products.iter().enumerate().filter(|&(_, &p)| p >= limit) {
                        let second = j * BLOCK + column;
                        if second > first {
                            pairs.extend(self.pair(first, second, threshold));
                        }
                    }
                }
                done += 1;
                progress(done as f64 / total as f64);
            }
        }
        pairs.sort_by_key(|pair| (pair.first, pair.second));
        Ok(pairs)
    }

    /// Returns the vectors of block `block`, each of length 1, `[vectors, length]`.
    fn normalized_block(&self, block: usize, device: &Device) -> Tensor<2> {
        let range = block * BLOCK..((block + 1) * BLOCK).min(self.len());
        let mut values =
            self.values[range.start * self.length()..range.end * self.length()].to_vec();
        for (vector, &scale) in
            (values.chunks_exact_mut(self.length())).zip(&self.inverse_norms[range.clone()])
        {
            for value in vector {
                *value *= scale;
            }
        }
        Tensor::from_data(
            TensorData::new(values, [range.len(), self.length()]),
            device,
        )
    }

    /// Returns the pair if its similarity, computed in float64, is at least `threshold`.
    pub(super) fn pair(&self, first: usize, second: usize, threshold: f64) -> Option<Pair> {
        let similarity = cosine(self.vector(first), self.vector(second));
        (similarity >= threshold).then_some(Pair {
            first,
            second,
            similarity,
        })
    }
}

/// Returns the connected components of `count` vectors under `pairs` that have two or more vectors: groups in
/// the order of their first vectors, and the vectors of a group in order.
pub fn groups(count: usize, pairs: &[Pair]) -> Vec<Vec<usize>> {
    // Union-find: each vector leads to an earlier one of its group, or to itself.
    let mut parents: Vec<usize> = (0..count).collect();
    fn root(parents: &mut [usize], mut index: usize) -> usize {
        while parents[index] != index {
            parents[index] = parents[parents[index]];
            index = parents[index];
        }
        index
    }
    for pair in pairs {
        let (a, b) = (
            root(&mut parents, pair.first),
            root(&mut parents, pair.second),
        );
        parents[a.max(b)] = a.min(b);
    }
    let mut groups = vec![Vec::new(); count];
    for index in 0..count {
        let root = root(&mut parents, index);
        groups[root].push(index);
    }
    groups.retain(|group| group.len() > 1);
    groups
}
