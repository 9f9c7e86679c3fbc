//! Inner products, distances and the rounding of vectors to 8 bits.

use receptive_kernels::cpu::{Vectorize, dispatch};

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
pub fn inner_product(a: &[f32], b: &[f32]) -> f32 {
    dispatch(Dot(a, b))
}

/// Returns the inner product of two vectors, computed in float64.
pub fn dot64(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}

/// Accumulators of a sum: two vectors of AVX2. The compiler keeps more of them in scalar registers.
const LANES: usize = 16;

/// Inner product.
pub struct Dot<'a>(pub &'a [f32], pub &'a [f32]);

/// Square of the Euclidean distance.
pub struct SquaredDistance<'a>(pub &'a [f32], pub &'a [f32]);

/// Inner product of a vector in 8 bits, without its scale, and a query.
pub struct DotLevels<'a>(pub &'a [i8], pub &'a [f32]);

/// Rounding of a vector to 8 bits. Returns the scale and the square of the length of the error.
pub struct Compress<'a> {
    pub vector: &'a [f32],
    pub levels: &'a mut [i8],
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
pub struct AnyAtLeast<'a>(pub &'a [f32], pub f32);

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
