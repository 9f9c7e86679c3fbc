//! Pseudorandom numbers, and the comparison of computed numbers with expected ones.

/// Returns `len` pseudorandom numbers in [-1, 1), by xorshift.
pub fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Returns the largest magnitude, or 1 if all are smaller.
pub fn largest(numbers: &[f32]) -> f32 {
    numbers.iter().fold(1.0_f32, |most, x| most.max(x.abs()))
}

/// Returns the largest absolute difference, relative to `largest`.
pub fn difference(found: &[f32], expected: &[f32], largest: f32) -> f32 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0, |most, (a, b)| {
        assert!(a.is_finite(), "{a} for {b}");
        f32::max(most, (a - b).abs())
    }) / largest
}
