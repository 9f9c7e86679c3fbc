//! Conversion of components to RGB, bit-identical to libjpeg's and Pillow's.

use receptive_kernels::cpu::{Vectorize, dispatch};

/// Meaning of the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourSpace {
    /// Luma.
    Grey,
    /// Red, green and blue.
    Rgb,
    /// Luma and two differences of colour (ITU-T T.871).
    YCbCr,
    /// The complements of cyan, magenta, yellow and black, as Adobe's programs store them.
    Cmyk,
    /// Luma and differences of red, green and blue, which are the complements of the first three components
    /// of [`Cmyk`](Self::Cmyk), and black.
    Ycck,
}

impl ColourSpace {
    /// Returns the colour space, as libjpeg finds it. `adobe` is the transform in Adobe's segment, and
    /// `is_jfif` says whether the file has a JFIF segment.
    pub fn new(ids: &[u8], is_jfif: bool, adobe: Option<u8>) -> Self {
        match (ids, adobe) {
            ([_], _) => Self::Grey,
            ([_, _, _], _) if is_jfif => Self::YCbCr,
            ([_, _, _], Some(0)) => Self::Rgb,
            ([b'R', b'G', b'B'], None) => Self::Rgb,
            ([_, _, _], _) => Self::YCbCr,
            (_, None | Some(0)) => Self::Cmyk,
            _ => Self::Ycck,
        }
    }

    /// Converts a row of samples, which `components` holds for each component, to RGB.
    pub fn convert(self, components: &[Vec<u8>; 4], rgb: &mut [u8]) {
        let [first, second, third, fourth] = components;
        let (pixels, _) = rgb.as_chunks_mut::<3>();
        match self {
            Self::Grey => {
                for (pixel, &grey) in pixels.iter_mut().zip(first) {
                    *pixel = [grey; 3];
                }
            }
            Self::Rgb | Self::Cmyk => {
                for (((pixel, &r), &g), &b) in pixels.iter_mut().zip(first).zip(second).zip(third) {
                    *pixel = [r, g, b];
                }
            }
            Self::YCbCr | Self::Ycck => dispatch(ToRgb {
                components: [first, second, third],
                rgb: pixels.as_flattened_mut(),
            }),
        }
        // Of fewer components, the fourth is empty.
        for (pixel, &black) in pixels.iter_mut().zip(fourth) {
            match self {
                Self::Cmyk => *pixel = pixel.map(|sample| product(sample, black)),
                Self::Ycck => *pixel = pixel.map(|sample| product(255 - sample, black)),
                _ => break,
            }
        }
    }
}

/// Pixels that are converted together.
const CHUNK: usize = 16;

/// Conversion of a row of luma and differences to RGB.
struct ToRgb<'a> {
    components: [&'a [u8]; 3],
    rgb: &'a mut [u8],
}

impl Vectorize for ToRgb<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [y, cb, cr] = self.components;
        let (pixels, last) = self.rgb.as_chunks_mut::<{ 3 * CHUNK }>();
        let whole = pixels.len();
        let chunks = y.as_chunks().0.iter().zip(cb.as_chunks().0);
        for (pixels, ((y, cb), cr)) in pixels.iter_mut().zip(chunks.zip(cr.as_chunks().0)) {
            *pixels = to_rgb(y, cb, cr);
        }
        let mut rest = [[0; CHUNK]; 3];
        for (chunk, samples) in rest.iter_mut().zip(self.components) {
            let samples = &samples[whole * CHUNK..][..last.len() / 3];
            chunk[..samples.len()].copy_from_slice(samples);
        }
        last.copy_from_slice(&to_rgb(&rest[0], &rest[1], &rest[2])[..last.len()]);
    }
}

/// Converts luma and differences to RGB: red is `y + 1.402 cr`, green `y - 0.34414 cb - 0.71414 cr` and
/// blue `y + 1.772 cb`, where 128 is subtracted from the differences. Products are rounded in 16-bit
/// fixed point. Whole differences are added apart, so that all factors fit in 16 bits.
#[inline(always)]
fn to_rgb(y: &[u8; CHUNK], cb: &[u8; CHUNK], cr: &[u8; CHUNK]) -> [u8; 3 * CHUNK] {
    let [mut red, mut green, mut blue] = [[0_u8; CHUNK]; 3];
    let rounded = |sum: i32| ((sum + (1 << 15)) >> 16) as i16;
    let sample = |sum: i16| sum.clamp(0, 255) as u8;
    for i in 0..CHUNK {
        let (y, cb, cr) = (
            i16::from(y[i]),
            i16::from(cb[i]) - 128,
            i16::from(cr[i]) - 128,
        );
        let (wide_cb, wide_cr) = (i32::from(cb), i32::from(cr));
        red[i] = sample(y + cr + rounded(26345 * wide_cr));
        green[i] = sample(y - cr + rounded(18734 * wide_cr - 22554 * wide_cb));
        blue[i] = sample(y + 2 * cb + rounded(-14942 * wide_cb));
    }
    let mut rgb = [0; 3 * CHUNK];
    for i in 0..CHUNK {
        rgb[3 * i] = red[i];
        rgb[3 * i + 1] = green[i];
        rgb[3 * i + 2] = blue[i];
    }
    rgb
}

/// Returns the product of two samples in `[0, 1]`, rounded.
fn product(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_space_is_found_as_by_libjpeg() {
        for (ids, is_jfif, adobe, expected) in [
            (&[1][..], false, None, ColourSpace::Grey),
            (&[1, 2, 3], false, None, ColourSpace::YCbCr),
            (&[0, 1, 2], false, None, ColourSpace::YCbCr),
            (b"RGB", false, None, ColourSpace::Rgb),
            (b"RGB", true, None, ColourSpace::YCbCr),
            (&[1, 2, 3], false, Some(0), ColourSpace::Rgb),
            (&[1, 2, 3], true, Some(0), ColourSpace::YCbCr),
            (b"RGB", false, Some(1), ColourSpace::YCbCr),
            (&[1, 2, 3, 4], true, None, ColourSpace::Cmyk),
            (&[1, 2, 3, 4], false, Some(0), ColourSpace::Cmyk),
            (&[1, 2, 3, 4], false, Some(2), ColourSpace::Ycck),
        ] {
            assert_eq!(ColourSpace::new(ids, is_jfif, adobe), expected, "{ids:?}");
        }
    }

    #[test]
    fn colours_are_converted() {
        let row = |samples: [u8; 4]| samples.map(|sample| vec![sample]);
        for (space, samples, expected) in [
            (ColourSpace::Grey, [7, 0, 0, 0], [7, 7, 7]),
            (ColourSpace::Rgb, [1, 2, 3, 0], [1, 2, 3]),
            (ColourSpace::YCbCr, [76, 85, 255, 0], [254, 0, 0]),
            (ColourSpace::YCbCr, [149, 43, 21, 0], [0, 255, 0]),
            (ColourSpace::YCbCr, [29, 255, 107, 0], [0, 0, 254]),
            (ColourSpace::Cmyk, [255, 128, 0, 128], [128, 64, 0]),
            (ColourSpace::Ycck, [76, 85, 255, 128], [1, 128, 128]),
        ] {
            let mut rgb = [0; 3];
            space.convert(&row(samples), &mut rgb);
            assert_eq!(rgb, expected, "{space:?}");
        }
    }

    /// All values of each difference, with few of the other, against the factors in one product.
    #[test]
    fn differences_are_converted_as_one_product() {
        for (cb, cr) in (0..=255_u8).flat_map(|v| [(v, 77), (77, v), (v, v), (v, 255 - v)]) {
            for y in [0, 1, 127, 128, 200, 255_u8] {
                let mut rgb = [0; 3];
                let components = [vec![y], vec![cb], vec![cr], vec![]];
                ColourSpace::YCbCr.convert(&components, &mut rgb);
                let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
                let expected = [
                    y + ((91881 * cr + 32768) >> 16),
                    y + ((-22554 * cb - 46802 * cr + 32768) >> 16),
                    y + ((116_130 * cb + 32768) >> 16),
                ];
                assert_eq!(rgb, expected.map(|sample| sample.clamp(0, 255) as u8));
            }
        }
    }
}
