//! Pillow's resize, bit for bit.
//!
//! Separable: each output column is a weighted sum of source columns, then each output row of those
//! rows, rounded to 8 bits between. Along an axis that shrinks `s` times, the output pixel `i` looks
//! at the source around `(i + 1/2) s` through the filter widened `s` times (this is the
//! antialiasing); along one that grows the filter keeps its own width. Weights are normalised to a
//! sum of 1 in 64-bit floats, then rounded to 22 fractional bits: the sums are 32-bit integers, so
//! the result is the same on every machine.

use std::ops::Range;

use crate::preprocessing::Interpolation;

/// 32 bits less 8 for the sample and 2 for the cubic's overshoot.
const FRACTION_BITS: u32 = 22;

/// Half a level, with which every sum starts so that the shift rounds.
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// An image of `C` interleaved 8-bit channels.
#[derive(Debug, Clone, Copy)]
pub struct Raster<'a, const C: usize> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height * width * C` of them, row by row.
    pub samples: &'a [u8],
}

/// The whole image at `width` x `height` pixels, row by row, as Pillow resizes it; black where the
/// image has no pixels.
pub fn resize<const C: usize>(
    image: Raster<C>,
    width: usize,
    height: usize,
    interpolation: Interpolation,
) -> Vec<u8> {
    if image.samples.is_empty() || width * height == 0 {
        return vec![0; width * height * C];
    }
    let (across, down) = (width as u64, height as u64);
    resample(image, (across, 0..across), (down, 0..down), interpolation).into_flattened()
}

/// The source pixels that one output pixel depends on, along one axis.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Taps {
    fn end(&self) -> usize {
        self.first + self.weights.len()
    }
}

/// A part of `image` resized: for each axis the length that the whole would have and the range of
/// it that is wanted, which must not be empty.
pub(super) fn resample<const C: usize>(
    image: Raster<C>,
    (width, columns): (u64, Range<u64>),
    (height, rows): (u64, Range<u64>),
    interpolation: Interpolation,
) -> Vec<[u8; C]> {
    let across = taps(image.width, width, columns, interpolation);
    let down = taps(image.height, height, rows, interpolation);
    let needed = down[0].first..down[down.len() - 1].end();

    let mut narrow = Vec::with_capacity(needed.len() * across.len());
    for row in image
        .samples
        .chunks_exact(image.width * C)
        .take(needed.end)
        .skip(needed.start)
    {
        let (pixels, _) = row.as_chunks::<C>();
        narrow.extend(across.iter().map(|taps| {
            let mut sums = [HALF; C];
            for (pixel, weight) in pixels[taps.first..].iter().zip(&taps.weights) {
                for (sum, &sample) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(sample) * weight;
                }
            }
            sums.map(to_level)
        }));
    }

    let mut small = Vec::with_capacity(down.len() * across.len());
    let mut sums = vec![[HALF; C]; across.len()];
    for taps in &down {
        sums.fill([HALF; C]);
        let source = narrow
            .chunks_exact(across.len())
            .skip(taps.first - needed.start);
        for (row, weight) in source.zip(&taps.weights) {
            for (sum, pixel) in sums.iter_mut().zip(row) {
                for (sum, &sample) in sum.iter_mut().zip(pixel) {
                    *sum += i32::from(sample) * weight;
                }
            }
        }
        small.extend(sums.iter().map(|sum| sum.map(to_level)));
    }
    small
}

fn to_level(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

/// The taps of the output pixels `wanted`, of `target` in all, over `source` pixels.
fn taps(source: usize, target: u64, wanted: Range<u64>, interpolation: Interpolation) -> Vec<Taps> {
    let scale = source as f64 / target as f64;
    let widening = scale.max(1.0);
    let reach = widening
        * match interpolation {
            Interpolation::Bilinear => 1.0,
            Interpolation::Bicubic => 2.0,
        };
    wanted
        .map(|position| {
            let centre = (position as f64 + 0.5) * scale;
            // Casts saturate: what lies before the image starts at 0.
            let first = (centre - reach + 0.5) as usize;
            let end = ((centre + reach + 0.5) as usize).min(source);
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

fn triangle(distance: f64) -> f64 {
    (1.0 - distance.abs()).max(0.0)
}

/// Keys, "Cubic convolution interpolation for digital image processing" (1981), equation 4 with the
/// free parameter a at -1/2.
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
