//! Inverse discrete cosine transform, bit-identical to libjpeg's accurate integer transform.
//!
//! The transform is that of Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11
//! multiplications" (1989), in 13-bit fixed point, with 2 fractional bits between the passes. The
//! columns are transformed before the rows.

use receptive_kernels::cpu::{Vectorize, dispatch};

use super::scan::Block;

const CONSTANT_BITS: u32 = 13;
const PASS_BITS: u32 = 2;

/// Returns a factor in fixed point.
const fn fixed(factor: f64) -> i32 {
    (factor * (1 << CONSTANT_BITS) as f64 + if factor < 0.0 { -0.5 } else { 0.5 }) as i32
}

/// Eight vectors of eight elements.
type Matrix = [[i32; 8]; 8];

/// Dequantizes the coefficients of a block and transforms them to samples. `last` is the index in zigzag
/// order of the last coefficient that is not zero. The rows of the block are written to `samples`, with
/// `stride` samples from row to row.
#[inline(always)]
pub fn inverse_dct(
    block: &Block,
    quantization: &[u16; 64],
    last: usize,
    samples: &mut [u8],
    stride: usize,
) {
    if last == 0 {
        let dc = i32::from(block[0]).wrapping_mul(i32::from(quantization[0]));
        let sample = to_sample(dc.wrapping_add(4) >> 3);
        for row in samples.chunks_mut(stride).take(8) {
            row[..8].fill(sample);
        }
        return;
    }
    let rows = if last < 10 {
        // The first ten coefficients in zigzag order are in the first four rows and columns.
        dispatch(Transform::<4> {
            block,
            quantization,
        })
    } else {
        dispatch(Transform::<8> {
            block,
            quantization,
        })
    };
    for (row, from) in rows.iter().enumerate() {
        samples[row * stride..][..8].copy_from_slice(from);
    }
}

/// Transforms the dequantized coefficients of a block to `N`x`N` samples, the means of `8/N`x`8/N` samples of
/// the block. `N` is 1, 2 or 4.
///
/// Means of neighbours of a cosine are a cosine of half as many samples: coefficient `k` contributes
/// `cos(k pi/16) cos((2x + 1) k pi/8)` to sample `x` of 4, and `cos(k pi/16) cos(k pi/8) cos((2x + 1) k pi/4)`
/// to sample `x` of 2. Of these cosines only `N` differ up to their signs, so coefficients are added first.
pub fn reduced_inverse_dct<const N: usize>(
    block: &Block,
    quantization: &[u16; 64],
    samples: &mut [u8],
    stride: usize,
) {
    let samples_of = dispatch(Reduced::<N> {
        block,
        quantization,
    });
    for (row, from) in samples_of.iter().enumerate() {
        samples[row * stride..][..N].copy_from_slice(from);
    }
}

/// Transform of a block to `N`x`N` samples.
struct Reduced<'a, const N: usize> {
    block: &'a Block,
    quantization: &'a [u16; 64],
}

#[expect(
    clippy::needless_range_loop,
    reason = "as in the transform to 8x8 samples"
)]
impl<const N: usize> Vectorize for Reduced<'_, N> {
    type Output = [[u8; N]; N];

    #[inline(always)]
    fn run(self) -> [[u8; N]; N] {
        // Sums of the columns' coefficients, and then the columns' samples.
        let mut folded = [[0.0; 8]; N];
        for row in 0..8 {
            let (to, factor) = fold(N, row);
            for column in 0..8 {
                let index = 8 * row + column;
                let coefficient =
                    f32::from(self.block[index]) * f32::from(self.quantization[index]);
                folded[to][column] += factor * coefficient;
            }
        }
        let mut columns = [[0.0; 8]; N];
        for row in 0..N {
            for frequency in 0..N {
                for column in 0..8 {
                    columns[row][column] += cosine(N, row, frequency) * folded[frequency][column];
                }
            }
        }
        let mut samples = [[0; N]; N];
        for row in 0..N {
            let mut folded = [0.0; N];
            for column in 0..8 {
                let (to, factor) = fold(N, column);
                folded[to] += factor * columns[row][column];
            }
            for column in 0..N {
                // The mean of all samples is 128 more. The cast saturates.
                let mut sample = 128.5;
                for frequency in 0..N {
                    sample += cosine(N, column, frequency) * folded[frequency];
                }
                samples[row][column] = sample as u8;
            }
        }
        samples
    }
}

/// `cos(k pi/16)`.
const COSINES: [f32; 16] = [
    1.0,
    0.980_785_3,
    0.923_879_5,
    0.831_469_6,
    0.707_106_77,
    0.555_570_24,
    0.382_683_43,
    0.195_090_32,
    0.0,
    -0.195_090_32,
    -0.382_683_43,
    -0.555_570_24,
    -0.707_106_77,
    -0.831_469_6,
    -0.923_879_5,
    -0.980_785_3,
];

/// Returns the coefficient of the `size` samples to which coefficient `frequency` of 8 samples is added, and its
/// factor.
#[inline(always)]
const fn fold(size: usize, frequency: usize) -> (usize, f32) {
    let weight = if frequency == 0 {
        0.353_553_4
    } else {
        0.5 * COSINES[frequency]
    };
    match (size, frequency) {
        (_, 0) => (0, weight),
        (4, 1..=3) => (frequency, weight),
        (4, 5..=7) => (8 - frequency, -weight),
        (2, 1 | 7) => (1, weight * COSINES[2 * frequency]),
        (2, 3 | 5) => (1, -weight * COSINES[2 * frequency]),
        _ => (0, 0.0),
    }
}

/// Returns `cos((2 position + 1) frequency pi / (2 size))`.
#[inline(always)]
const fn cosine(size: usize, position: usize, frequency: usize) -> f32 {
    let angle = (2 * position + 1) * frequency * 8 / size % 32;
    if angle < 16 {
        COSINES[angle]
    } else {
        -COSINES[angle - 16]
    }
}

/// Transform of a block whose coefficients are zero outside the first `SIDE` rows and columns.
struct Transform<'a, const SIDE: usize> {
    block: &'a Block,
    quantization: &'a [u16; 64],
}

// The loops count, as in the resize of images: adapters of iterators are not inlined without link-time
// optimization.
#[expect(clippy::needless_range_loop, reason = "see above")]
impl<const SIDE: usize> Vectorize for Transform<'_, SIDE> {
    type Output = [[u8; 8]; 8];

    #[inline(always)]
    fn run(self) -> [[u8; 8]; 8] {
        let mut coefficients = [[0; 8]; 8];
        for row in 0..SIDE {
            for column in 0..8 {
                let index = 8 * row + column;
                let step = i32::from(self.quantization[index]);
                coefficients[row][column] = i32::from(self.block[index]).wrapping_mul(step);
            }
        }
        let columns = pass::<SIDE>(&coefficients, CONSTANT_BITS - PASS_BITS);
        let rows = pass::<SIDE>(&transposed(&columns), CONSTANT_BITS + PASS_BITS + 3);
        let rows = transposed(&rows);
        let mut samples = [[0; 8]; 8];
        for row in 0..8 {
            for column in 0..8 {
                samples[row][column] = to_sample(rows[row][column]);
            }
        }
        samples
    }
}

/// Converts a value around 0 to a sample.
#[inline(always)]
fn to_sample(value: i32) -> u8 {
    value.saturating_add(128).clamp(0, 255) as u8
}

#[inline(always)]
fn transposed(matrix: &Matrix) -> Matrix {
    let mut result = [[0; 8]; 8];
    for row in 0..8 {
        for column in 0..8 {
            result[column][row] = matrix[row][column];
        }
    }
    result
}

/// Transforms the eight columns of a matrix, and divides by `2^shift`, rounded. Rows from `SIDE` on are
/// zero.
#[inline(always)]
fn pass<const SIDE: usize>(input: &Matrix, shift: u32) -> Matrix {
    let mut output = [[0; 8]; 8];
    for lane in 0..8 {
        let row = |index: usize| if index < SIDE { input[index][lane] } else { 0 };
        let times = |value: i32, factor: f64| value.wrapping_mul(fixed(factor));
        let sum = |a: i32, b: i32| a.wrapping_add(b);
        let difference = |a: i32, b: i32| a.wrapping_sub(b);

        // The even coefficients.
        let rotated = times(sum(row(2), row(6)), 0.541_196_100);
        let even2 = sum(rotated, times(row(6), -1.847_759_065));
        let even3 = sum(rotated, times(row(2), 0.765_366_865));
        let even0 = sum(row(0), row(4)).wrapping_shl(CONSTANT_BITS);
        let even1 = difference(row(0), row(4)).wrapping_shl(CONSTANT_BITS);
        let even = [
            sum(even0, even3),
            sum(even1, even2),
            difference(even1, even2),
            difference(even0, even3),
        ];

        // The odd coefficients.
        let [c7, c5, c3, c1] = [row(7), row(5), row(3), row(1)];
        let z1 = times(sum(c7, c1), -0.899_976_223);
        let z2 = times(sum(c5, c3), -2.562_915_447);
        let z5 = times(sum(sum(c7, c3), sum(c5, c1)), 1.175_875_602);
        let z3 = sum(times(sum(c7, c3), -1.961_570_560), z5);
        let z4 = sum(times(sum(c5, c1), -0.390_180_644), z5);
        let odd = [
            sum(times(c1, 1.501_321_110), sum(z1, z4)),
            sum(times(c3, 3.072_711_026), sum(z2, z3)),
            sum(times(c5, 2.053_119_869), sum(z2, z4)),
            sum(times(c7, 0.298_631_336), sum(z1, z3)),
        ];

        let half = 1 << (shift - 1);
        for index in 0..4 {
            output[index][lane] = sum(sum(even[index], odd[index]), half) >> shift;
            let mirrored = difference(even[index], odd[index]);
            output[7 - index][lane] = sum(mirrored, half) >> shift;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the samples by the definition of the transform (ITU-T T.81, section A.3.3).
    fn definition(block: &Block, quantization: &[u16; 64]) -> Vec<f64> {
        use std::f64::consts::{FRAC_1_SQRT_2, PI};
        let scale = |index: usize| if index == 0 { FRAC_1_SQRT_2 } else { 1.0 };
        let cosine = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
        let mut samples = Vec::new();
        for y in 0..8 {
            for x in 0..8 {
                let mut sum = 0.0;
                for v in 0..8 {
                    for u in 0..8 {
                        let coefficient =
                            f64::from(block[8 * v + u]) * f64::from(quantization[8 * v + u]);
                        sum += scale(u) * scale(v) * coefficient * cosine(x, u) * cosine(y, v);
                    }
                }
                samples.push((sum / 4.0 + 128.0).clamp(0.0, 255.0));
            }
        }
        samples
    }

    proptest! {
        #[test]
        fn samples_follow_the_definition_within_rounding(
            levels in proptest::collection::vec(-30_i16..30, 64),
            steps in proptest::collection::vec(1_u16..16, 64),
            last in 0_usize..64,
        ) {
            let mut block = [0; 64];
            for &position in &super::super::scan::ZIGZAG[..=last] {
                block[usize::from(position)] = levels[usize::from(position)];
            }
            let steps: [u16; 64] = steps.try_into().unwrap();
            let mut samples = [7; 8 * 11];
            inverse_dct(&block, &steps, last, &mut samples, 11);
            for (index, expected) in definition(&block, &steps).into_iter().enumerate() {
                let sample = f64::from(samples[index / 8 * 11 + index % 8]);
                prop_assert!((sample - expected).abs() < 1.1, "{sample} for {expected}");
            }
            prop_assert!(samples[8..11] == [7; 3]);
        }

        #[test]
        fn any_coefficients_are_transformed(
            levels in proptest::collection::vec(any::<i16>(), 64),
            steps in proptest::collection::vec(any::<u16>(), 64),
            last in 0_usize..64,
        ) {
            let (block, steps) = (levels.try_into().unwrap(), steps.try_into().unwrap());
            inverse_dct(&block, &steps, last, &mut [0; 64], 8);
        }
    }
}
