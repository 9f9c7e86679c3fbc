//! A map of values over an image, and its picture.

use crate::image::{Region, RgbImage, luma};

/// Values of the places of an image: a class score's share of each place, or its change.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

/// A place of a [`Heatmap`] and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Row, from 0 at the top.
    pub row: usize,
    /// Column, from 0 at the left.
    pub column: usize,
    /// Value of the place.
    pub value: f32,
}

/// Colours of the values from 0 to 1, at equal distances: the scale `inferno` of matplotlib, from black through
/// red to light yellow.
const COLOURS: [[f32; 3]; 9] = [
    [0.0, 0.0, 4.0],
    [31.0, 12.0, 72.0],
    [85.0, 15.0, 109.0],
    [136.0, 34.0, 106.0],
    [186.0, 54.0, 85.0],
    [227.0, 89.0, 51.0],
    [249.0, 140.0, 10.0],
    [249.0, 201.0, 50.0],
    [252.0, 255.0, 164.0],
];

/// Share of the colour in a pixel of value 0, and its increase for a pixel of value 1.
const OPACITY: [f32; 2] = [0.35, 0.4];

/// Share of grey in the photo under the colours.
const GREY: f32 = 0.6;

/// Fraction of the places that are drawn like the largest value: single pixels of integrated gradients exceed the
/// others by far.
const SATURATED: f64 = 0.01;

/// Brightness of the photo outside the region.
const OUTSIDE: f32 = 0.35;

impl Heatmap {
    /// Creates a map from `height * width` values in row-major order.
    ///
    /// # Panics
    ///
    /// If the number of values differs, or is 0.
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), height * width);
        assert!(!values.is_empty());
        Self {
            height,
            width,
            values,
        }
    }

    /// Returns the sum of `maps`, `[channels, height, width]`, each multiplied by its weight.
    pub(super) fn weighted(maps: &[f32], weights: &[f32], [height, width]: [usize; 2]) -> Self {
        let mut values = vec![0.0; height * width];
        for (map, weight) in maps.chunks_exact(height * width).zip(weights) {
            for (sum, value) in values.iter_mut().zip(map) {
                *sum += weight * value;
            }
        }
        Self::new(height, width, values)
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the values in row-major order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the place with the largest value; the first one of several.
    pub fn peak(&self) -> Place {
        let mut best = 0;
        for (index, value) in self.values.iter().enumerate() {
            if value.total_cmp(&self.values[best]).is_gt() {
                best = index;
            }
        }
        Place {
            row: best / self.width,
            column: best % self.width,
            value: self.values[best],
        }
    }

    /// Replaces negative values by 0: only evidence for the class remains.
    #[must_use]
    pub fn positive(mut self) -> Self {
        for value in &mut self.values {
            *value = value.max(0.0);
        }
        self
    }

    /// Maps the smallest value to 0 and the largest to 1. A constant map becomes 0.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        let smallest = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = self
            .values
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        let range = largest - smallest;
        for value in &mut self.values {
            *value = if range > 0.0 {
                (*value - smallest) / range
            } else {
                0.0
            };
        }
        self
    }

    /// Maps 0 to 0, and the 99th percentile and larger values to 1. The values are at least 0.
    fn saturated(mut self) -> Self {
        let mut sorted = self.values.clone();
        sorted.sort_by(f32::total_cmp);
        let rank = ((1.0 - SATURATED) * sorted.len() as f64).ceil() as usize;
        let percentile = sorted[rank.clamp(1, sorted.len()) - 1];
        // A map with few positive values is drawn up to its largest one.
        let top = match percentile > 0.0 {
            true => percentile,
            false => sorted[sorted.len() - 1].max(f32::MIN_POSITIVE),
        };
        for value in &mut self.values {
            *value = (*value / top).min(1.0);
        }
        self
    }

    /// Returns the map with `height` rows and `width` columns, interpolated bilinearly between the centres of the
    /// places.
    ///
    /// # Panics
    ///
    /// If `height` or `width` is 0.
    #[must_use]
    pub fn resized(&self, height: usize, width: usize) -> Self {
        let mut values = Vec::with_capacity(height * width);
        for row in 0..height {
            let v = (row as f64 + 0.5) / height as f64;
            for column in 0..width {
                values.push(self.at((column as f64 + 0.5) / width as f64, v));
            }
        }
        Self::new(height, width, values)
    }

    /// Returns the value at `u`, `v`, from 0 at the left and the top to 1.
    fn at(&self, u: f64, v: f64) -> f32 {
        let (x, y) = (Between::new(u, self.width), Between::new(v, self.height));
        let row = |row: usize| {
            let row = &self.values[row * self.width..][..self.width];
            row[x.first] + (row[x.second] - row[x.first]) * x.share
        };
        row(y.first) + (row(y.second) - row(y.first)) * y.share
    }

    /// Draws the positive values, from 0 to the 99th percentile, over the part `region` of `photo`, in colours from
    /// black through red to light yellow. The rest of the photo is darkened.
    pub fn draw(&self, photo: &RgbImage, region: Region) -> RgbImage {
        let map = self.clone().positive().saturated();
        let mut picture = photo.clone();
        for (column, row, pixel) in picture.enumerate_pixels_mut() {
            let u = (f64::from(column) + 0.5 - region.left) / region.width;
            let v = (f64::from(row) + 0.5 - region.top) / region.height;
            let inside = (0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&v);
            let value = if inside { map.at(u, v) } else { 0.0 };
            let (opacity, colour, grey) = match inside {
                true => (OPACITY[0] + OPACITY[1] * value, colour(value), GREY),
                false => (1.0 - OUTSIDE, [0.0; 3], 0.0),
            };
            let luma = f32::from(luma(pixel.0));
            for (sample, colour) in pixel.0.iter_mut().zip(colour) {
                let under = f32::from(*sample) * (1.0 - grey) + luma * grey;
                let mixed = (1.0 - opacity) * under + opacity * colour;
                *sample = mixed.round() as u8;
            }
        }
        picture
    }
}

/// Two neighbouring places of an axis, and the share of the second one.
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

impl Between {
    /// Returns the places around `position`, from 0 to 1, of an axis of `length` places.
    fn new(position: f64, length: usize) -> Self {
        let last = length - 1;
        let position = (position * length as f64 - 0.5).clamp(0.0, last as f64);
        let first = position as usize;
        Self {
            first,
            second: last.min(first + 1),
            share: (position - first as f64) as f32,
        }
    }
}

/// Returns the colour of a value from 0 to 1.
fn colour(value: f32) -> [f32; 3] {
    let last = COLOURS.len() - 1;
    let position = value.clamp(0.0, 1.0) * last as f32;
    let first = (position as usize).min(last);
    let (low, high) = (COLOURS[first], COLOURS[last.min(first + 1)]);
    let share = position - first as f32;
    std::array::from_fn(|channel| low[channel] + share * (high[channel] - low[channel]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Between the values of the places, exact for a plane inside the outer centres, and the same map at its
        /// own size.
        #[test]
        fn the_resize_interpolates(
            height in 1_usize..9, width in 1_usize..9, rows in 1_usize..40, columns in 1_usize..40,
            slope in prop::array::uniform2(-3.0_f32..3.0),
        ) {
            let plane = |row: f64, column: f64| slope[0] * row as f32 + slope[1] * column as f32;
            let values = (0..height * width)
                .map(|index| plane((index / width) as f64, (index % width) as f64))
                .collect();
            let map = Heatmap::new(height, width, values);
            prop_assert_eq!(&map.resized(height, width), &map);
            let resized = map.resized(rows, columns);
            let centre = |index: usize, count: usize, length: usize| {
                let centre = (index as f64 + 0.5) / count as f64 * length as f64 - 0.5;
                centre.clamp(0.0, (length - 1) as f64)
            };
            for row in 0..rows {
                for column in 0..columns {
                    let expected = plane(centre(row, rows, height), centre(column, columns, width));
                    let found = resized.values()[row * columns + column];
                    prop_assert!((found - expected).abs() < 1e-4, "{found}, {expected}");
                }
            }
        }
    }

    #[test]
    fn normalized_values_are_from_0_to_1_and_a_constant_map_is_0() {
        let map = Heatmap::new(1, 3, vec![-2.0, 0.0, 2.0]);
        assert_eq!(map.clone().normalized().values(), [0.0, 0.5, 1.0]);
        assert_eq!(
            map.clone().positive().normalized().values(),
            [0.0, 0.0, 1.0]
        );
        let constant = Heatmap::new(1, 2, vec![3.0; 2]);
        assert_eq!(constant.normalized().values(), [0.0; 2]);
        let peak = map.peak();
        assert_eq!((peak.row, peak.column, peak.value), (0, 2, 2.0));
    }

    #[test]
    fn the_largest_hundredth_is_saturated() {
        let values = |count: usize| (0..count).map(|index| index as f32).collect();
        let map = |count| Heatmap::new(1, count, values(count)).saturated();
        assert_eq!(map(5).values(), [0.0, 0.25, 0.5, 0.75, 1.0]);
        let large = map(401);
        assert_eq!(large.values()[99], 0.25);
        assert_eq!(
            large.values().iter().filter(|&&value| value == 1.0).count(),
            5
        );
        let mut few = vec![0.0; 400];
        few[7] = 2.0;
        assert_eq!(Heatmap::new(20, 20, few).saturated().values()[7], 1.0);
        assert_eq!(Heatmap::new(1, 1, vec![0.0]).saturated().values(), [0.0]);
    }

    #[test]
    fn a_picture_is_bright_at_the_peak_and_dark_outside_the_region() {
        let photo = RgbImage::from_pixel(40, 20, [128; 3].into());
        let map = Heatmap::new(1, 2, vec![1.0, 0.0]);
        let region = Region {
            left: 10.0,
            top: 0.0,
            width: 20.0,
            height: 20.0,
        };
        let picture = map.draw(&photo, region);
        let at = |column| picture.get_pixel(column, 10).0;
        assert_eq!(at(0), [45; 3]);
        assert_eq!(at(39), [45; 3]);
        // 0.25 of the photo and 0.75 of the last colour
        assert_eq!(at(11), [221, 223, 155]);
        // 0.65 of the photo and 0.35 of the first colour
        assert_eq!(at(28), [83, 83, 85]);
    }
}
