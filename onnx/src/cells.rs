//! Means over nearly equal cells as matrix products.

/// Returns the matrix `[cells, length]` whose products with a list of `length` values are the means over `cells`
/// nearly equal cells.
pub fn shares(cells: usize, length: usize) -> Vec<f32> {
    let mut shares = vec![0.0; cells * length];
    for cell in 0..cells {
        let (start, end) = (cell * length / cells, ((cell + 1) * length).div_ceil(cells));
        shares[cell * length + start..cell * length + end].fill(1.0 / (end - start) as f32);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_means_of_nearly_equal_cells() {
        let half = 0.5;
        let expected = [half, half, 0.0, 0.0, half, half];
        assert_eq!(shares(2, 3), expected);
        assert_eq!(shares(3, 3), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
