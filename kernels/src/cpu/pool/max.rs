//! The greatest of each window.

use serde::{Deserialize, Serialize};

use super::super::accesses::AccessSet;
use super::super::check::{CheckError, Memory};
use super::super::context::Context;
use super::super::map::Map;
use super::super::simd::Simd;
use super::{PoolWindow, Reduce, choose, run};

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

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        self.window.check(memory, &self.x, &self.y)
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let function = choose(&cx.kernels.pools.max, &self.window);
        unsafe { run(cx, function, &self.window, false, [&self.x, &self.y]) };
    }
}

pub(super) struct Greatest;

impl Reduce for Greatest {
    #[inline(always)]
    unsafe fn start<S: Simd>() -> S::Vector {
        unsafe { S::splat(f32::NEG_INFINITY) }
    }
    #[inline(always)]
    unsafe fn add<S: Simd>(so_far: S::Vector, x: S::Vector) -> S::Vector {
        unsafe { S::maximum(so_far, x) }
    }
    #[inline(always)]
    unsafe fn end<S: Simd>(so_far: S::Vector, _: usize) -> S::Vector {
        so_far
    }
}
