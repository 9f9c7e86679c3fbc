//! Upsampling of components, bit-identical to libjpeg-turbo's.
//!
//! Components of half the width or height are interpolated: a sample of the result is three quarters of
//! the nearest sample of the component and one quarter of the next one. All others are repeated.

use std::iter::repeat_n;

/// Ratio of the largest sampling factor to that of a component.
#[derive(Clone, Copy)]
pub struct Ratio {
    /// Horizontal ratio.
    pub h: usize,
    /// Vertical ratio.
    pub v: usize,
}

/// The rows of a component that a row of the image depends on.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The nearest row.
    pub near: &'a [u8],
    /// The next row above or below, for a vertical ratio of 2.
    pub far: &'a [u8],
    /// Whether `far` is above.
    pub is_above: bool,
}

/// Upsamples a row of a component. All rows have the width of the component; `sums` and `output` are
/// overwritten.
pub fn upsample(rows: Rows<'_>, ratio: Ratio, sums: &mut Vec<u16>, output: &mut Vec<u8>) {
    output.clear();
    let near = rows.near;
    match (ratio.h, ratio.v) {
        (1, 1) => output.extend_from_slice(near),
        (1, 2) => {
            // Halves are rounded alternately down and up, an ordered dither.
            let bias = if rows.is_above { 1 } else { 2 };
            let samples = near.iter().zip(rows.far);
            output.extend(
                samples.map(|(&near, &far)| {
                    ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8
                }),
            );
        }
        (2, 1) if near.len() > 2 => {
            sums.clear();
            sums.extend(near.iter().map(|&near| u16::from(near)));
            doubled::<2>(sums, [1, 2], output);
        }
        (2, 2) if near.len() > 2 => {
            sums.clear();
            let samples = near.iter().zip(rows.far);
            sums.extend(samples.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
            doubled::<4>(sums, [8, 7], output);
        }
        (h, _) => output.extend(near.iter().flat_map(|&sample| repeat_n(sample, h))),
    }
}

/// Appends the samples of a row of twice the width. The result is shifted right by `SHIFT`; `biases` are
/// added to the sums of even and odd samples before.
fn doubled<const SHIFT: u32>(sums: &[u16], biases: [u16; 2], output: &mut Vec<u8>) {
    let [even, odd] = biases;
    let blend = |near: u16, far: u16, bias: u16| ((3 * near + far + bias) >> SHIFT) as u8;
    let (first, last) = (sums[0], sums[sums.len() - 1]);
    output.resize(2 * sums.len(), 0);
    let (pairs, _) = output.as_chunks_mut::<2>();
    for ((pair, &[before, near]), &[_, after]) in pairs[1..]
        .iter_mut()
        .zip(sums.array_windows::<2>())
        .zip(sums[1..].array_windows::<2>())
    {
        *pair = [blend(near, before, even), blend(near, after, odd)];
    }
    let end = pairs.len() - 1;
    pairs[0] = [blend(first, first, even), blend(first, sums[1], odd)];
    pairs[end] = [blend(last, sums[end - 1], even), blend(last, last, odd)];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upsampled(near: &[u8], far: &[u8], h: usize, v: usize, is_above: bool) -> Vec<u8> {
        let (mut sums, mut output) = (Vec::new(), Vec::new());
        let rows = Rows {
            near,
            far,
            is_above,
        };
        upsample(rows, Ratio { h, v }, &mut sums, &mut output);
        output
    }

    #[test]
    fn half_the_width_is_interpolated() {
        assert_eq!(
            upsampled(&[0, 100, 200, 50], &[], 2, 1, false),
            [0, 25, 75, 125, 175, 163, 87, 50]
        );
        assert_eq!(upsampled(&[0, 100], &[], 2, 1, false), [0, 0, 100, 100]);
    }

    #[test]
    fn half_the_height_is_interpolated() {
        assert_eq!(upsampled(&[0, 100], &[2, 0], 1, 2, true), [0, 75]);
        assert_eq!(upsampled(&[0, 100], &[2, 0], 1, 2, false), [1, 75]);
    }

    #[test]
    fn half_of_both_is_interpolated() {
        assert_eq!(
            upsampled(&[0, 100, 200], &[100, 0, 200], 2, 2, true),
            [25, 37, 63, 106, 169, 200]
        );
    }

    #[test]
    fn other_ratios_repeat_samples() {
        assert_eq!(upsampled(&[1, 9], &[], 3, 1, false), [1, 1, 1, 9, 9, 9]);
        assert_eq!(upsampled(&[1, 9], &[], 1, 4, false), [1, 9]);
    }
}
