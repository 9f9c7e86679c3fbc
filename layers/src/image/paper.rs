//! Dark ink on light paper, for networks that were trained on light ink on a dark background.

use ::image::RgbImage;

use super::preprocess::luma;

/// Whether the image is dark ink on light paper: the mean luma of its outermost pixels is above 127.5.
/// An image without pixels is not.
///
/// MNIST's digits are light ink on a dark background.
pub fn is_on_light_paper(image: &RgbImage) -> bool {
    let (width, height) = image.dimensions();
    let is_border = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let border = image
        .enumerate_pixels()
        .filter(|(x, y, _)| is_border(*x, *y));
    let (sum, count) = border.fold((0_u64, 0_u64), |(sum, count), (_, _, pixel)| {
        (sum + u64::from(luma(pixel.0)), count + 1)
    });
    2 * sum > 255 * count
}

/// Replaces every sample `v` by `255 - v`.
pub fn invert(image: &mut RgbImage) {
    for sample in image.as_flat_samples_mut().as_mut_slice() {
        *sample = 255 - *sample;
    }
}

#[cfg(test)]
mod tests {
    use ::image::Rgb;

    use super::*;

    #[test]
    fn the_border_decides() {
        let paper = |border: u8, inside: u8| {
            RgbImage::from_fn(6, 5, |x, y| {
                let outside = x == 0 || y == 0 || x == 5 || y == 4;
                Rgb([if outside { border } else { inside }; 3])
            })
        };
        assert!(is_on_light_paper(&paper(128, 0)));
        assert!(!is_on_light_paper(&paper(127, 255)));
        assert!(!is_on_light_paper(&RgbImage::new(0, 0)));
        let mut inverted = paper(250, 3);
        invert(&mut inverted);
        assert_eq!(inverted, paper(5, 252));
    }
}
