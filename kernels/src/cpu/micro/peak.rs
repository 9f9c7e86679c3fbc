//! The largest register tile on data in L1: the peak multiply-add rate of a core.

use super::kernels::Kernels;
use super::tile::TileArgs;

/// The largest register tile on data that stays in L1.
pub(crate) struct PeakTile {
    kernels: &'static Kernels,
    offsets: Vec<u32>,
    x: Vec<f32>,
    weights: Vec<f32>,
    y: Vec<f32>,
}

impl PeakTile {
    const CHANNELS: usize = 8;
    const COLUMNS: usize = 16;

    pub fn new(kernels: &'static Kernels) -> Self {
        let lanes = kernels.lanes;
        Self {
            kernels,
            offsets: vec![0; Self::COLUMNS],
            x: vec![1.0; lanes * kernels.blocking.mr],
            weights: vec![0.5; Self::COLUMNS * Self::CHANNELS * 2 * lanes],
            y: vec![0.0; 2 * lanes * kernels.blocking.mr],
        }
    }

    /// Runs the tile and returns its number of multiply-adds.
    pub fn run(&mut self) -> usize {
        let (lanes, pixels) = (self.kernels.lanes, self.kernels.blocking.mr);
        let inner = lanes.min(Self::CHANNELS);
        // SAFETY: the vectors hold the elements that the arguments describe.
        unsafe {
            let args = TileArgs {
                x: self.x.as_ptr(),
                x_pixel: lanes,
                weights: self.weights.as_ptr(),
                y: self.y.as_mut_ptr(),
                y_pixel: lanes,
                y_block: lanes * pixels,
                ..TileArgs::new(self.offsets.as_ptr(), [Self::COLUMNS, inner], [0, 0])
            };
            (self.kernels.tiles.get(2, pixels))(&args);
        }
        2 * pixels * lanes * inner * Self::COLUMNS
    }
}
