//! The greatest of each window.

use serde::{Deserialize, Serialize};

use super::window::{check, run};
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory};
use crate::cpu::micro::pool::{PoolWindow, choose};
use crate::cpu::steps::operation::Operation;

/// The greatest element of each window; NaN where one is, minus infinity where a window has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxPool {
    window: PoolWindow,
    x: Map,
    y: Map,
}

impl MaxPool {
    /// As many windows as `y` has pixels, from `x` to `y`, both in blocks of a vector's lanes.
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

    /// # Safety
    ///
    /// The maps are within the arena.
    unsafe fn run(&self, cx: &Context) {
        let function = choose(&cx.kernels.pools.max, &self.window);
        unsafe { run(cx, function, &self.window, false, [&self.x, &self.y]) };
    }
}
