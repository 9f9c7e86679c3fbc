//! The targets of LeNet-5's output layer: a 7x12 bitmap for each class.

/// Width of a bitmap in pixels.
pub const WIDTH: usize = 7;

/// Height of a bitmap in pixels.
pub const HEIGHT: usize = 12;

/// Returns the bitmap of class `class`: 84 values of -1 (background) or 1 (ink), row by row.
///
/// Classes 0 to 9 have bitmaps of the digits in the style of the paper's figure 3 (Gradient-Based
/// Learning Applied to Document Recognition, section II.B). The paper's alternative, random codes
/// with equal probabilities of -1 and 1, serves for the classes from 10. The code of a class is the
/// same at every call.
pub fn code(class: usize) -> Vec<f32> {
    match DIGITS.get(class) {
        Some(rows) => rows
            .iter()
            .flat_map(|row| row.bytes())
            .map(|pixel| if pixel == b'#' { 1.0 } else { -1.0 })
            .collect(),
        None => random_code(class as u64),
    }
}

/// Returns the bits of the first two outputs of the SplitMix64 generator seeded with `class`.
fn random_code(class: u64) -> Vec<f32> {
    let mix = |step: u64| {
        let state = class.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let x = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    let bits = u128::from(mix(1)) << 64 | u128::from(mix(2));
    (0..WIDTH * HEIGHT)
        .map(|pixel| if bits >> pixel & 1 == 1 { 1.0 } else { -1.0 })
        .collect()
}

/// The bitmaps of the digits: `#` is ink, `.` is background.
const DIGITS: [[&str; HEIGHT]; 10] = [
    [
        ".......", "..###..", ".##.##.", "##...##", "##...##", "##...##", "##...##", "##...##",
        ".##.##.", "..###..", ".......", ".......",
    ],
    [
        ".......", "...##..", "..###..", ".####..", "...##..", "...##..", "...##..", "...##..",
        "...##..", ".######", ".......", ".......",
    ],
    [
        ".......", ".#####.", "##...##", ".....##", "....##.", "...##..", "..##...", ".##....",
        "##.....", "#######", ".......", ".......",
    ],
    [
        ".......", "#######", ".....##", "....##.", "...##..", "..####.", ".....##", ".....##",
        "##...##", ".#####.", ".......", ".......",
    ],
    [
        ".......", "....##.", "...###.", "..####.", ".##.##.", "##..##.", "#######", "....##.",
        "....##.", "....##.", ".......", ".......",
    ],
    [
        ".......", "#######", "##.....", "##.....", "######.", ".....##", ".....##", ".....##",
        "##...##", ".#####.", ".......", ".......",
    ],
    [
        ".......", "..####.", ".##....", "##.....", "##.....", "######.", "##...##", "##...##",
        "##...##", ".#####.", ".......", ".......",
    ],
    [
        ".......", "#######", ".....##", ".....##", "....##.", "....##.", "...##..", "...##..",
        "..##...", "..##...", ".......", ".......",
    ],
    [
        ".......", ".#####.", "##...##", "##...##", "##...##", ".#####.", "##...##", "##...##",
        "##...##", ".#####.", ".......", ".......",
    ],
    [
        ".......", ".#####.", "##...##", "##...##", "##...##", ".######", ".....##", ".....##",
        "....##.", ".####..", ".......", ".......",
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: &[f32], b: &[f32]) -> usize {
        a.iter().zip(b).filter(|(a, b)| a != b).count()
    }

    #[test]
    fn every_code_is_84_values_of_plus_or_minus_one() {
        for class in 0..40 {
            let code = code(class);
            assert_eq!(code.len(), 84);
            assert!(code.iter().all(|pixel| pixel.abs() == 1.0));
        }
        assert!(DIGITS.iter().flatten().all(|row| row.len() == WIDTH));
    }

    #[test]
    fn the_bitmap_of_one_has_25_pixels_of_ink() {
        let one = code(1);
        assert_eq!(one[2 * WIDTH + 2..2 * WIDTH + 5], [1.0, 1.0, 1.0]);
        assert_eq!(one.iter().filter(|&&pixel| pixel == 1.0).count(), 25);
    }

    #[test]
    fn any_two_codes_differ_in_ten_pixels_or_more() {
        let codes: Vec<_> = (0..100).map(code).collect();
        for (i, a) in codes.iter().enumerate() {
            for b in &codes[..i] {
                assert!(distance(a, b) >= 10, "{i}");
            }
        }
    }
}
