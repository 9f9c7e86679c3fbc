//! The position of a centre crop.

/// Returns the first element of the centre crop of `size` elements from an axis of `length`
/// elements, as torchvision's `center_crop` defines it. The value is negative if the axis is shorter
/// than the crop: the crop then begins with that many black pixels.
///
/// Half the difference is rounded to the nearest integer, and to the even one of two; of an odd
/// padding, the smaller part is before the image.
pub fn centre_crop_start(length: u64, size: u64) -> i64 {
    match length.checked_sub(size) {
        Some(difference) => {
            let half = difference / 2;
            (half + (difference & half & 1)) as i64
        }
        None => -(((size - length) / 2) as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_halved_as_in_torchvision() {
        for length in 0..40_u64 {
            for size in 1..40_u64 {
                let expected = if length >= size {
                    // int(round((length - size) / 2.0)) in Python
                    ((length - size) as f64 / 2.0).round_ties_even() as i64
                } else {
                    // padding_ltrb[0] = (size - length) // 2
                    -(((size - length) / 2) as i64)
                };
                assert_eq!(
                    centre_crop_start(length, size),
                    expected,
                    "{length}, {size}"
                );
            }
        }
        let starts = [224, 225, 226, 227, 228, 229].map(|length| centre_crop_start(length, 224));
        assert_eq!(starts, [0, 0, 1, 2, 2, 2]);
        assert_eq!(centre_crop_start(3, 8), -2);
    }
}
