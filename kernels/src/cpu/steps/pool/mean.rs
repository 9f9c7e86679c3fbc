//! Mean pooling.

use serde::{Deserialize, Serialize};

use super::window::{check, run};
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory};
use crate::cpu::micro::pool::{PoolWindow, choose};
use crate::cpu::steps::operation::Operation;

/// Mean of the elements of each window, or of the elements and the zeros of the padding. Positions
/// beyond the padding never count, as in PyTorch. 0 if the window is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanPool {
    window: PoolWindow,
    count_include_pad: bool,
    x: Map,
    y: Map,
}

impl MeanPool {
    /// Mean pooling of `x` into `y`, one window per pixel of `y`. Both maps are in blocks of a
    /// vector's lanes.
    pub fn new(window: PoolWindow, count_include_pad: bool, x: Map, y: Map) -> Self {
        Self {
            window,
            count_include_pad,
            x,
            y,
        }
    }
}

impl Operation for MeanPool {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        check(&self.window, memory, &self.x, &self.y)
    }

    unsafe fn run(&self, cx: &Context) {
        let function = choose(&cx.kernels.pools.mean, &self.window);
        let maps = [&self.x, &self.y];
        // SAFETY: the maps are within the arena.
        unsafe { run(cx, function, &self.window, self.count_include_pad, maps) };
    }
}
