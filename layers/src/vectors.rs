//! Exact search in a set of vectors, such as embeddings: nearest neighbours, and groups of near-duplicates.
//!
//! ```
//! use receptive_layers::vectors::{Metric, VectorSet};
//!
//! let set = VectorSet::new(vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.1], 2)?;
//! let nearest = set.nearest(&[1.0, 0.0], 2, Metric::Cosine);
//! assert_eq!([nearest[0].index, nearest[1].index], [0, 2]);
//! # Ok::<(), receptive_layers::vectors::VectorsError>(())
//! ```

use std::cmp::Ordering;
use std::num::NonZero;
use std::thread;

use burn::tensor::{Device, Tensor, TensorData};
use receptive_kernels::cpu::{Vectorize, dispatch};
use receptive_kernels::ops::linear;

/// Vectors of a block whose inner products with those of another block are computed at once.
const BLOCK: usize = 2048;

/// Largest error of an inner product in float32 of two vectors of length 1. Candidates within this
/// distance of a limit are computed in float64.
const MARGIN: f64 = 1e-4;

/// A set of vectors of one length.
#[derive(Debug, Clone)]
pub struct VectorSet {
    /// `[vectors, length]` in row-major order.
    values: Vec<f32>,
    length: usize,
    /// Inverse of the Euclidean length of each vector; 0 for a vector of zeros.
    inverse_norms: Vec<f32>,
    compressed: Option<Compressed>,
}

/// The vectors in 8 bits, to find the candidates of a search with a quarter of the memory traffic.
#[derive(Debug, Clone)]
struct Compressed {
    /// `[vectors, length]`: multiples of the scale.
    levels: Vec<i8>,
    /// Scale of each vector.
    scales: Vec<f32>,
    /// Upper bound of the Euclidean length of the error of each vector.
    errors: Vec<f32>,
}

impl Compressed {
    fn new(set: &VectorSet) -> Self {
        let mut levels = vec![0; set.values.len()];
        let (mut scales, mut errors) = (Vec::new(), Vec::new());
        let vectors = set.values.chunks_exact(set.length);
        for (vector, levels) in vectors.zip(levels.chunks_exact_mut(set.length)) {
            let (scale, error) = dispatch(Compress { vector, levels });
            scales.push(scale);
            // The sum of squares in float32 is off by less than this factor.
            errors.push(1.001 * error.sqrt());
        }
        Self {
            levels,
            scales,
            errors,
        }
    }
}

/// Why numbers are not a set of vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VectorsError {
    /// Vectors have no elements.
    #[error("the vectors have no elements")]
    Empty,
    /// The values are not a whole number of vectors.
    #[error("{values} values are not a whole number of vectors of {length} elements")]
    Ragged {
        /// Number of values.
        values: usize,
        /// Number of elements of a vector.
        length: usize,
    },
    /// A value is infinite or not a number.
    #[error("vector {index} has an infinite value or NaN")]
    NotFinite {
        /// Index of the vector, from 0.
        index: usize,
    },
}

/// Measures of similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Cosine of the angle between two vectors, from -1 to 1; larger is nearer. 0 for a vector of zeros.
    Cosine,
    /// Euclidean distance; smaller is nearer.
    L2,
}

/// A vector of a set and its nearness to a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Index of the vector.
    pub index: usize,
    /// Cosine similarity or Euclidean distance.
    pub value: f64,
}

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
    /// Returns the set of the vectors `values`, each of `length` elements.
    ///
    /// # Errors
    ///
    /// [`VectorsError`] if `values` is not a whole number of vectors of finite elements.
    pub fn new(values: Vec<f32>, length: usize) -> Result<Self, VectorsError> {
        if length == 0 {
            return Err(VectorsError::Empty);
        }
        if !values.len().is_multiple_of(length) {
            return Err(VectorsError::Ragged {
                values: values.len(),
                length,
            });
        }
        let mut inverse_norms = Vec::with_capacity(values.len() / length);
        for (index, vector) in values.chunks_exact(length).enumerate() {
            let norm = dot64(vector, vector).sqrt();
            if !norm.is_finite() {
                return Err(VectorsError::NotFinite { index });
            }
            inverse_norms.push(if norm > 0.0 { (1.0 / norm) as f32 } else { 0.0 });
        }
        Ok(Self {
            values,
            length,
            inverse_norms,
            compressed: None,
        })
    }

    /// Adds a copy of the vectors in 8 bits, which makes [`nearest`](Self::nearest) about three times as fast for
    /// large sets and takes a quarter of the memory more. The results do not change. The copy takes about the
    /// time of five searches.
    #[must_use]
    pub fn indexed(self) -> Self {
        let compressed = Some(Compressed::new(&self));
        Self { compressed, ..self }
    }

    /// Returns the number of vectors.
    pub fn len(&self) -> usize {
        self.inverse_norms.len()
    }

    /// Whether the set has no vectors.
    pub fn is_empty(&self) -> bool {
        self.inverse_norms.is_empty()
    }

    /// Returns the number of elements of a vector.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Returns the vector `index`.
    ///
    /// # Panics
    ///
    /// If there is no such vector.
    pub fn vector(&self, index: usize) -> &[f32] {
        &self.values[index * self.length..][..self.length]
    }

    /// Returns the `count` vectors nearest to `query`, nearest first; of equally near vectors, the first
    /// ones. Computes on all cores: in float32, and in float64 for the nearest vectors, so that their order
    /// is exact.
    ///
    /// # Panics
    ///
    /// If `query` has another length than the vectors.
    pub fn nearest(&self, query: &[f32], count: usize, metric: Metric) -> Vec<Neighbour> {
        assert_eq!(query.len(), self.length, "the query has another length");
        if count == 0 || self.is_empty() {
            return Vec::new();
        }
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = self.len().div_ceil(threads);
        let norm = dot64(query, query).sqrt();
        let parts = thread::scope(|scope| {
            let search = |start: usize| {
                let range = start..(start + share).min(self.len());
                scope.spawn(move || self.nearest_of(query, norm, range, count, metric))
            };
            let parts: Vec<_> = (0..self.len()).step_by(share).map(search).collect();
            let join = |part: thread::ScopedJoinHandle<'_, Vec<Neighbour>>| match part.join() {
                Ok(part) => part,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            parts.into_iter().flat_map(join).collect::<Vec<_>>()
        });
        best(parts, count, metric)
    }

    /// Returns the nearest vectors of a range.
    fn nearest_of(
        &self,
        query: &[f32],
        norm: f64,
        range: std::ops::Range<usize>,
        count: usize,
        metric: Metric,
    ) -> Vec<Neighbour> {
        // Nearness, larger is nearer: the cosine, or minus the distance; and a bound of its error.
        let mut scores = Vec::with_capacity(range.len());
        let inverse = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        // Of length 1, so that inner products do not overflow.
        let unit: Vec<f32> = query
            .iter()
            .map(|&v| (f64::from(v) * inverse) as f32)
            .collect();
        for index in range.clone() {
            scores.push(match (&self.compressed, metric) {
                (Some(compressed), Metric::Cosine) => {
                    let levels = &compressed.levels[index * self.length..][..self.length];
                    let dot = dispatch(DotLevels(levels, &unit)) * compressed.scales[index];
                    let inverse_norm = f64::from(self.inverse_norms[index]);
                    let error = f64::from(compressed.errors[index]) * inverse_norm;
                    (f64::from(dot) * inverse_norm, MARGIN + error)
                }
                (None, Metric::Cosine) => {
                    let dot = dispatch(Dot(self.vector(index), &unit));
                    let inverse_norm = f64::from(self.inverse_norms[index]);
                    (f64::from(dot) * inverse_norm, MARGIN)
                }
                (_, Metric::L2) => {
                    let square = dispatch(SquaredDistance(self.vector(index), query));
                    let distance = match square.is_finite() {
                        true => f64::from(square).sqrt(),
                        false => self.distance(index, query),
                    };
                    (-distance, MARGIN * distance)
                }
            });
        }
        // The nearness that `count` vectors are certain to have.
        let limit = if count < scores.len() {
            let mut lower: Vec<f64> = scores.iter().map(|(score, error)| score - error).collect();
            let (_, &mut limit, _) = lower.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
            limit
        } else {
            f64::NEG_INFINITY
        };
        let candidates = (range.zip(scores))
            .filter(|&(_, (score, error))| score + error >= limit)
            .map(|(index, _)| Neighbour {
                index,
                value: match metric {
                    Metric::Cosine => cosine(self.vector(index), query),
                    Metric::L2 => self.distance(index, query),
                },
            });
        best(candidates.collect(), count, metric)
    }

    fn distance(&self, index: usize, query: &[f32]) -> f64 {
        let differences = self.vector(index).iter().zip(query);
        let squares = differences.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        squares.sum::<f64>().sqrt()
    }

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
        let mut values = self.values[range.start * self.length..range.end * self.length].to_vec();
        for (vector, &scale) in
            (values.chunks_exact_mut(self.length)).zip(&self.inverse_norms[range.clone()])
        {
            for value in vector {
                *value *= scale;
            }
        }
        Tensor::from_data(TensorData::new(values, [range.len(), self.length]), device)
    }

    /// Returns the pair if its similarity, computed in float64, is at least `threshold`.
    fn pair(&self, first: usize, second: usize, threshold: f64) -> Option<Pair> {
        let similarity = cosine(self.vector(first), self.vector(second));
        (similarity >= threshold).then_some(Pair {
            first,
            second,
            similarity,
        })
    }
}

/// Returns the `count` nearest neighbours, nearest first.
fn best(mut neighbours: Vec<Neighbour>, count: usize, metric: Metric) -> Vec<Neighbour> {
    neighbours.sort_unstable_by(|a, b| {
        let order = match metric {
            Metric::Cosine => b.value.total_cmp(&a.value),
            Metric::L2 => a.value.total_cmp(&b.value),
        };
        match order {
            Ordering::Equal => a.index.cmp(&b.index),
            order => order,
        }
    });
    neighbours.truncate(count);
    neighbours
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

/// Returns the cosine of the angle between two vectors, from -1 to 1; 0 if one of them is zero.
///
/// # Panics
///
/// If the vectors have different lengths.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "the vectors have different lengths");
    let lengths = (dot64(a, a) * dot64(b, b)).sqrt();
    if lengths == 0.0 {
        return 0.0;
    }
    (dot64(a, b) / lengths).clamp(-1.0, 1.0)
}

/// Returns the inner product of two vectors, computed in float32; of the first elements if the lengths differ.
pub(crate) fn inner_product(a: &[f32], b: &[f32]) -> f32 {
    dispatch(Dot(a, b))
}

fn dot64(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}

/// Accumulators of a sum: two vectors of AVX2. The compiler keeps more of them in scalar registers.
const LANES: usize = 16;

/// Inner product.
struct Dot<'a>(&'a [f32], &'a [f32]);

/// Square of the Euclidean distance.
struct SquaredDistance<'a>(&'a [f32], &'a [f32]);

/// Inner product of a vector in 8 bits, without its scale, and a query.
struct DotLevels<'a>(&'a [i8], &'a [f32]);

/// Rounding of a vector to 8 bits. Returns the scale and the square of the length of the error.
struct Compress<'a> {
    vector: &'a [f32],
    levels: &'a mut [i8],
}

// The loops count: adapters of iterators are not inlined without link-time optimization.
#[expect(clippy::needless_range_loop, reason = "see above")]
#[inline(always)]
fn sum<T: Copy>(a: &[T], b: &[f32], term: impl Fn(T, f32) -> f32) -> f32 {
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in 0..a_chunks.len().min(b_chunks.len()) {
        let (a, b) = (&a_chunks[chunk], &b_chunks[chunk]);
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    for index in 0..a_rest.len().min(b_rest.len()) {
        sums[index] += term(a_rest[index], b_rest[index]);
    }
    let mut total = 0.0;
    for lane in 0..LANES {
        total += sums[lane];
    }
    total
}

impl Vectorize for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        sum(self.0, self.1, |a, b| a * b)
    }
}

impl Vectorize for SquaredDistance<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        sum(self.0, self.1, |a, b| (a - b) * (a - b))
    }
}

impl Vectorize for DotLevels<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        sum(self.0, self.1, |level, value| f32::from(level) * value)
    }
}

#[expect(clippy::needless_range_loop, reason = "as in `sum`")]
impl Vectorize for Compress<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let Self { vector, levels } = self;
        let mut largest = 0.0_f32;
        for index in 0..vector.len() {
            largest = largest.max(vector[index].abs());
        }
        let scale = largest / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        for index in 0..levels.len() {
            let level = vector[index] * inverse;
            // Half a level more, away from zero; the cast cuts towards zero and saturates.
            levels[index] = (level + 0.5_f32.copysign(level)) as i8;
        }
        let error = sum(levels, vector, |level, value| {
            let error = f32::from(level) * scale - value;
            error * error
        });
        (scale, error)
    }
}

/// Whether any value is at least the limit.
struct AnyAtLeast<'a>(&'a [f32], f32);

#[expect(clippy::needless_range_loop, reason = "as in `sum`")]
impl Vectorize for AnyAtLeast<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Self(values, limit) = self;
        let mut any = false;
        for index in 0..values.len() {
            any |= values[index] >= limit;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Vectors with few different elements, so that many are equally near.
    fn sets() -> impl Strategy<Value = (VectorSet, Vec<f32>)> {
        (1_usize..70, 0_usize..40).prop_flat_map(|(length, count)| {
            let element = || (-3_i8..=3).prop_map(f32::from);
            (vec(element(), length * count), vec(element(), length))
                .prop_map(move |(values, query)| (VectorSet::new(values, length).unwrap(), query))
        })
    }

    fn exact(set: &VectorSet, index: usize, query: &[f32], metric: Metric) -> f64 {
        let vector = set.vector(index);
        let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            let pairs = vector.iter().zip(query);
            pairs.map(|(&a, &b)| f(a.into(), b.into())).sum()
        };
        match metric {
            Metric::L2 => sum(&|a, b| (a - b) * (a - b)).sqrt(),
            Metric::Cosine => {
                let lengths = sum(&|a, _| a * a).sqrt() * sum(&|_, b| b * b).sqrt();
                if lengths == 0.0 {
                    0.0
                } else {
                    sum(&|a, b| a * b) / lengths
                }
            }
        }
    }

    proptest! {
        #[test]
        fn nearest_vectors_are_those_of_a_complete_sort((set, query) in sets(), count in 0_usize..50) {
            for metric in [Metric::Cosine, Metric::L2] {
                let all = (0..set.len()).map(|index| Neighbour {
                    index,
                    value: exact(&set, index, &query, metric),
                });
                let expected = best(all.collect(), count, metric);
                let found = set.nearest(&query, count, metric);
                prop_assert_eq!(found.len(), expected.len());
                for (a, b) in found.iter().zip(&expected) {
                    prop_assert!((a.value - b.value).abs() < 1e-9, "{:?} {:?}", a, b);
                }
                prop_assert_eq!(set.clone().indexed().nearest(&query, count, metric), found);
            }
        }

        #[test]
        fn groups_are_connected_components(edges in vec((0_usize..30, 0_usize..30), 0..40)) {
            let pairs: Vec<Pair> = edges
                .iter()
                .filter(|(a, b)| a != b)
                .map(|&(a, b)| Pair { first: a.min(b), second: a.max(b), similarity: 1.0 })
                .collect();
            let groups = groups(30, &pairs);
            let group_of = |index| groups.iter().position(|group| group.contains(&index));
            // Labels that spread along the pairs until nothing changes.
            let mut labels: Vec<usize> = (0..30).collect();
            for _ in 0..30 {
                for pair in &pairs {
                    let label = labels[pair.first].min(labels[pair.second]);
                    labels[pair.first] = label;
                    labels[pair.second] = label;
                }
            }
            for a in 0..30 {
                for b in 0..30 {
                    let together = a != b && group_of(a).is_some() && group_of(a) == group_of(b);
                    prop_assert_eq!(together, a != b && labels[a] == labels[b]);
                }
            }
            let firsts: Vec<usize> = groups.iter().map(|group| group[0]).collect();
            prop_assert!(firsts.is_sorted());
            prop_assert!(groups.iter().all(|group| group.is_sorted()));
        }
    }

    #[cfg(feature = "flex")]
    #[test]
    fn similar_pairs_are_those_of_all_pairs() {
        // More vectors than a block; every vector has a neighbour in another block.
        let (count, length) = (BLOCK + 300, 24);
        let mut state = 7_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut values: Vec<f32> = (0..count * length).map(|_| random()).collect();
        for index in BLOCK..count {
            for element in 0..length {
                let original = values[(index - BLOCK) * length + element];
                values[index * length + element] = 3.0 * original + 0.05 * random();
            }
        }
        values[5 * length..6 * length].fill(0.0);
        let set = VectorSet::new(values, length).unwrap();
        let mut expected = Vec::new();
        for first in 0..count {
            for second in first + 1..count {
                expected.extend(set.pair(first, second, 0.6));
            }
        }
        let mut last = 0.0;
        let found = set.similar_pairs(0.6, &Device::flex(), |share| {
            assert!(share > last);
            last = share;
        });
        assert_eq!(found.unwrap(), expected);
        assert_eq!(last, 1.0);
        assert!(expected.len() >= 299, "{}", expected.len());
    }

    #[test]
    fn large_and_small_values_are_compared() {
        let values = vec![1e30, 1e30, 1e-30, 2e-30, -1e30, 3e30, 0.0, 0.0, 1e38, 0.0];
        let set = VectorSet::new(values, 2).unwrap();
        for set in [set.clone(), set.indexed()] {
            let nearest = set.nearest(&[1e30, 1e30], 5, Metric::Cosine);
            let order: Vec<usize> = nearest.iter().map(|neighbour| neighbour.index).collect();
            assert_eq!(order, [0, 1, 4, 2, 3]);
            let nearest = set.nearest(&[1e30, 1e30], 5, Metric::L2);
            let order: Vec<usize> = nearest.iter().map(|neighbour| neighbour.index).collect();
            assert_eq!(order, [0, 1, 3, 2, 4]);
        }
    }

    #[test]
    fn the_cosine_does_not_depend_on_lengths() {
        assert_eq!(cosine(&[1.0, 0.0], &[5.0, 0.0]), 1.0);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), 0.0);
        assert_eq!(cosine(&[1.0, -1.0], &[-2.0, 2.0]), -1.0);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
        assert_eq!(cosine(&[1e30, 0.0], &[1e30, 0.0]), 1.0);
    }

    #[test]
    fn values_that_are_no_vectors_are_refused() {
        assert!(VectorSet::new(Vec::new(), 3).unwrap().is_empty());
        let error = |values: &[f32], length| VectorSet::new(values.to_vec(), length).unwrap_err();
        assert_eq!(error(&[], 0), VectorsError::Empty);
        let ragged = VectorsError::Ragged {
            values: 3,
            length: 2,
        };
        assert_eq!(error(&[1.0; 3], 2), ragged);
        assert_eq!(
            error(&[1.0, 2.0, f32::NAN, 0.0], 2),
            VectorsError::NotFinite { index: 1 }
        );
    }
}
