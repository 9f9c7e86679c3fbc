//! The mean of each window.

use serde::{Deserialize, Serialize};

use super::super::accesses::AccessSet;
use super::super::check::{CheckError, Memory};
use super::super::context::Context;
use super::super::map::Map;
use super::super::simd::Simd;
use super::{PoolWindow, Reduce, choose, run};

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
        let function = choose(&cx.kernels.pools.mean, &self.window);
        let maps = [&self.x, &self.y];
        unsafe { run(cx, function, &self.window, self.count_include_pad, maps) };
    }
}

pub(super) struct Sum;

impl Reduce for Sum {
    #[inline(always)]
    unsafe fn start<S: Simd>() -> S::Vector {
        unsafe { S::zero() }
    }
    #[inline(always)]
    unsafe fn add<S: Simd>(so_far: S::Vector, x: S::Vector) -> S::Vector {
        unsafe { S::add(so_far, x) }
    }
    #[inline(always)]
    unsafe fn end<S: Simd>(so_far: S::Vector, count: usize) -> S::Vector {
        unsafe { S::mul(so_far, S::splat(1.0 / count.max(1) as f32)) }
    }
}
