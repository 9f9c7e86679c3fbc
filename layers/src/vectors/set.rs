//! A set of vectors and the search of the nearest ones.

use std::cmp::Ordering;
use std::num::NonZero;
use std::thread;

use receptive_kernels::cpu::dispatch;

use super::kernels::{Compress, Dot, DotLevels, SquaredDistance, cosine, dot64};

/// Largest error of an inner product in float32 of two vectors of length 1. Candidates within this
/// distance of a limit are computed in float64.
pub const MARGIN: f64 = 1e-4;

/// A set of vectors of one length.
#[derive(Debug, Clone)]
pub struct VectorSet {
    /// `[vectors, length]` in row-major order.
    pub(super) values: Vec<f32>,
    length: usize,
    /// Inverse of the Euclidean length of each vector; 0 for a vector of zeros.
    pub(super) inverse_norms: Vec<f32>,
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
}

/// Returns the `count` nearest neighbours, nearest first.
pub(super) fn best(mut neighbours: Vec<Neighbour>, count: usize, metric: Metric) -> Vec<Neighbour> {
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
