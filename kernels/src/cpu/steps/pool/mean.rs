//! The mean of each window.

use serde::{Deserialize, Serialize};

use super::window::{check, run};
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory};
use crate::cpu::micro::pool::{PoolWindow, choose};
use crate::cpu::steps::operation::Operation;

/// The mean of each window: of its elements, or of them and the zeros of the padding. What reaches
/// over the padding never counts, as in PyTorch. 0 where a window has no element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanPool {
    window: PoolWindow,
    count_include_pad: bool,
    x: Map,
    y: Map,
}

impl MeanPool {
    /// As many windows as `y` has pixels, from `x` to `y`, both in blocks of a vector's lanes.
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

    /// # Safety
    ///
    /// The maps are within the arena.
    unsafe fn run(&self, cx: &Context) {
        let function = choose(&cx.kernels.pools.mean, &self.window);
        let maps = [&self.x, &self.y];
        unsafe { run(cx, function, &self.window, self.count_include_pad, maps) };
    }
}
