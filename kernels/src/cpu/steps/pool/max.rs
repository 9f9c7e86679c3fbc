//! Max pooling.

use serde::{Deserialize, Serialize};

use super::window::{check, run};
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory};
use crate::cpu::micro::pool::{PoolWindow, choose};
use crate::cpu::steps::operation::Operation;

/// Maximum of each window; NaN if an element is NaN, minus infinity if the window is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxPool {
    window: PoolWindow,
    x: Map,
    y: Map,
}

impl MaxPool {
    /// Max pooling of `x` into `y`, one window per pixel of `y`. Both maps are in blocks of a
    /// vector's lanes.
    pub fn new(window: PoolWindow, x: Map, y: Map) -> Self {
        Self { window, x, y }
    }
}

impl Operation for MaxPool {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        check(&self.window, memory, &self.x, &self.y)
    }

    unsafe fn run(&self, cx: &Context) {
        let function = choose(&cx.kernels.pools.max, &self.window);
        // SAFETY: the maps are within the arena.
        unsafe { run(cx, function, &self.window, false, [&self.x, &self.y]) };
    }
}
