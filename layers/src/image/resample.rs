//! Resampling of images, bit-identical to Pillow's.
//!
//! The filter is separable: a horizontal pass, whose result is rounded to 8 bits, then a vertical
//! pass. With the scale `s`, the source length divided by the output length, output pixel `i` is a
//! weighted sum of the source pixels around `(i + 1/2) s`. Downscaling (`s > 1`) widens the filter
//! by `s`, which is the antialiasing; upscaling keeps the filter's width. The weights of an output
//! pixel are normalized to a sum of 1 in 64-bit floats, then rounded to 22 fractional bits. Sums
//! are 32-bit integers, so that the result is the same on every machine.

use std::ops::Range;

use receptive_kernels::cpu::{Vectorize, dispatch};

use crate::preprocessing::Interpolation;

/// Fractional bits of a weight: 32 bits minus 8 for the sample and 2 for the overshoot of the
/// cubic.
const FRACTION_BITS: u32 = 22;

/// Half a grey level: the initial value of every sum, so that the final shift rounds.
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// An image of `C` interleaved 8-bit channels.
#[derive(Debug, Clone, Copy)]
pub struct Raster<'a, const C: usize> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height * width * C` samples in row-major order.
    pub samples: &'a [u8],
}

/// Resizes an image to `width` x `height` pixels as Pillow does, in row-major order. An image
/// without pixels becomes black.
pub fn resize<const C: usize>(
    image: Raster<C>,
    width: usize,
    height: usize,
    interpolation: Interpolation,
) -> Vec<u8> {
    if image.samples.is_empty() || width * height == 0 {
        return vec![0; width * height * C];
    }
    let (columns, rows) = (width as u64, height as u64);
    resample(image, (columns, 0..columns), (rows, 0..rows), interpolation).into_flattened()
}

/// The source pixels on which an output pixel depends along one axis, with their weights.
struct Taps {
    /// First source pixel.
    first: usize,
    /// Weight of each source pixel, with [`FRACTION_BITS`] fractional bits.
    weights: Vec<i32>,
}

impl Taps {
    /// Returns the end of the range of source pixels.
    fn end(&self) -> usize {
        self.first + self.weights.len()
    }
}

/// Returns a part of the resized `image`. Each axis is given by its length after the resize and the
/// range of the output pixels to compute, which must not be empty.
pub(super) fn resample<const C: usize>(
    image: Raster<C>,
    (width, columns): (u64, Range<u64>),
    (height, rows): (u64, Range<u64>),
    interpolation: Interpolation,
) -> Vec<[u8; C]> {
    let horizontal = taps(image.width, width, columns, interpolation);
    let vertical = taps(image.height, height, rows, interpolation);
    let needed = vertical[0].first..vertical[vertical.len() - 1].end();

    let width = horizontal.len();
    let mut intermediate = vec![[0; C]; needed.len() * width];
    let mut padded = vec![0; image.width * C + LANES];
    let rows = image.samples.chunks_exact(image.width * C);
    let rows = rows.take(needed.end).skip(needed.start);
    for (row, output) in rows.zip(intermediate.chunks_exact_mut(width)) {
        padded[..row.len()].copy_from_slice(row);
        dispatch(Horizontal {
            row: &padded,
            taps: &horizontal,
            output,
        });
    }

    let mut output = vec![[0; C]; vertical.len() * width];
    let mut sums = vec![HALF; width * C];
    let samples = intermediate.as_flattened();
    for (taps, output) in vertical.iter().zip(output.chunks_exact_mut(width)) {
        dispatch(Vertical {
            rows: &samples[(taps.first - needed.start) * width * C..],
            weights: &taps.weights,
            sums: &mut sums,
            output: output.as_flattened_mut(),
        });
    }
    output
}

/// Samples that are multiplied by a weight at once.
const LANES: usize = 4;

/// Horizontal resize of a row.
struct Horizontal<'a, const C: usize> {
    /// Interleaved samples, and `LANES` more that are not used.
    row: &'a [u8],
    /// Taps of each output pixel.
    taps: &'a [Taps],
    output: &'a mut [[u8; C]],
}

// The loops count instead of using iterators: adapters of iterators, which are not inlined without
// link-time optimization, take most of the time otherwise.
#[expect(clippy::needless_range_loop, reason = "see above")]
impl<const C: usize> Vectorize for Horizontal<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        const { assert!(C <= LANES) };
        for column in 0..self.taps.len() {
            let taps = &self.taps[column];
            let mut sums = [HALF; LANES];
            for tap in 0..taps.weights.len() {
                let position = (taps.first + tap) * C;
                if let Some(samples) = self.row[position..].first_chunk::<LANES>() {
                    for lane in 0..LANES {
                        sums[lane] += i32::from(samples[lane]) * taps.weights[tap];
                    }
                }
            }
            for channel in 0..C {
                self.output[column][channel] = to_sample(sums[channel]);
            }
        }
    }
}

/// A row of the vertical resize.
struct Vertical<'a> {
    /// Samples of the rows, from the first row with a weight.
    rows: &'a [u8],
    /// Weight of each row.
    weights: &'a [i32],
    /// Memory for the sums, as long as `output`.
    sums: &'a mut [i32],
    output: &'a mut [u8],
}

#[expect(clippy::needless_range_loop, reason = "as in the horizontal resize")]
impl Vectorize for Vertical<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, weights, .. } = self;
        let length = self.output.len();
        let sums = &mut self.sums[..length];
        for index in 0..length {
            sums[index] = HALF;
        }
        for tap in 0..weights.len() {
            let row = &rows[tap * length..][..length];
            for index in 0..length {
                sums[index] += i32::from(row[index]) * weights[tap];
            }
        }
        for index in 0..length {
            self.output[index] = to_sample(sums[index]);
        }
    }
}

/// Converts a sum of weighted samples to a sample.
#[inline(always)]
fn to_sample(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

/// Returns the taps of the output pixels `range` for a resize from `source` to `target` pixels.
fn taps(source: usize, target: u64, range: Range<u64>, interpolation: Interpolation) -> Vec<Taps> {
    let scale = source as f64 / target as f64;
    let widening = scale.max(1.0);
    let support = widening
        * match interpolation {
            Interpolation::Bilinear => 1.0,
            Interpolation::Bicubic => 2.0,
        };
    range
        .map(|position| {
            let centre = (position as f64 + 0.5) * scale;
            // The cast saturates: a negative position becomes 0.
            let first = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(source);
            let weights: Vec<f64> = (first..end)
                .map(|pixel| {
                    let distance = (pixel as f64 - centre + 0.5) * (1.0 / widening);
                    match interpolation {
                        Interpolation::Bilinear => triangle(distance),
                        Interpolation::Bicubic => cubic(distance),
                    }
                })
                .collect();
            let total: f64 = weights.iter().sum();
            Taps {
                first,
                weights: weights
                    .iter()
                    .map(|weight| (weight / total * f64::from(1 << FRACTION_BITS)).round() as i32)
                    .collect(),
            }
        })
        .collect()
}

/// Returns the triangle filter.
fn triangle(distance: f64) -> f64 {
    (1.0 - distance.abs()).max(0.0)
}

/// Returns the cubic filter of Keys, "Cubic convolution interpolation for digital image processing"
/// (1981), equation 4 with a = -1/2.
fn cubic(distance: f64) -> f64 {
    const A: f64 = -0.5;
    let x = distance.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}
