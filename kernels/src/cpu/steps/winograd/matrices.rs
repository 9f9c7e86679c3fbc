//! Transform matrices in `f64`.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use crate::cpu::micro::winograd::WinogradTile;

/// The weight transform `G`: a row per tile element along an axis, a column per tap.
pub(super) struct Matrices {
    pub weight: [[f64; 5]; 6],
}

impl Matrices {
    pub fn of(tile: WinogradTile) -> Self {
        let kernel = tile.kernel();
        let mut weight = [[0.0; 5]; 6];
        // The row of point `p` has its powers over the product of its distances to the other
        // points.
        let points: &[(f64, f64)] = match tile {
            WinogradTile::Two => &[(0.0, 1.0), (1.0, 2.0), (-1.0, 2.0)],
            WinogradTile::Four | WinogradTile::TwoOfFive => &[
                (0.0, 1.0),
                (FRAC_1_SQRT_2, -1.5),
                (-FRAC_1_SQRT_2, -1.5),
                (SQRT_2, 6.0),
                (-SQRT_2, 6.0),
            ],
        };
        for (row, &(point, distances)) in weight.iter_mut().zip(points) {
            for (power, entry) in row[..kernel].iter_mut().enumerate() {
                *entry = point.powi(power as i32) / distances;
            }
        }
        weight[points.len()][kernel - 1] = 1.0;
        Self { weight }
    }
}
