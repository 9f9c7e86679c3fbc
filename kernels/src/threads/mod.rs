//! Threads and the division of work among them. The module does not depend on kernels, layouts or
//! plans.
#![allow(unsafe_code)]

mod grid;
#[cfg(all(test, loom))]
mod models;
pub(crate) mod partition;
mod phaser;
mod pool;
mod shared;
mod sync;
mod team;
#[cfg(test)]
mod tests;
mod work_stealing;

pub(crate) use grid::Grid;
pub(crate) use pool::{MAX_STEPS_PER_PHASE, ThreadPool};
pub(crate) use shared::Shared;
pub(crate) use team::{TeamPart, run_team, run_team_phases};
pub(crate) use work_stealing::StealableRanges;
