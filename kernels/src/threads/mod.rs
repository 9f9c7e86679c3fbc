//! Threads and the division of work among them. The module does not depend on kernels, layouts or
//! plans.
#![allow(unsafe_code)]

mod barrier;
mod grid;
pub(crate) mod partition;
mod pool;
mod shared;
mod team;
mod work_stealing;

pub(crate) use barrier::{Barrier, BarrierGuard};
pub(crate) use grid::Grid;
pub(crate) use pool::{MAX_STEPS_PER_PHASE, ThreadPool};
pub(crate) use shared::Shared;
pub(crate) use team::{TeamThread, run_team};
pub(crate) use work_stealing::{PhaseRanges, StealableRanges};
