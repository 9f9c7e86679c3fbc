//! Property tests of every algorithm on every available instruction set and several thread counts.
//!
//! A [`StepTest`] runs a step in guarded memory, checks every element that the step wrote, and
//! returns the outputs. The test of an algorithm consists of a strategy for its problems, a closure
//! that builds the step, and a slow reference in `f64`.

mod activation;
mod apply;
mod axes;
mod check;
mod constant;
mod contract;
mod conv_problem;
mod copy_channels;
mod depthwise;
mod direct;
mod elementwise;
mod fully_connected;
mod gradient;
mod guarded_memory;
mod map;
mod normalization;
mod pack;
mod pool;
mod radial_basis;
mod rearrange;
mod reduce;
mod resample;
mod separable;
mod sgd_and_layer_gradients;
mod step_test;
mod test_map;
mod winograd;

pub(crate) use guarded_memory::GuardedMemory;
pub(crate) use step_test::{StepLayout, StepTest};
pub(crate) use test_map::TestMap;

use proptest::prelude::ProptestConfig;

use super::{Isa, Kernels};

/// Available instruction sets, each with its number of lanes.
pub(crate) fn instruction_sets() -> impl Iterator<Item = (Isa, usize)> {
    Isa::available().map(|isa| (isa, Kernels::get(isa).lanes))
}

/// Configuration of the property tests: the default, without files of failed cases. The environment
/// variable `PROPTEST_CASES` sets the number of cases.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    }
}

/// Returns `len` pseudorandom values in `-1..1`, computed from `seed` by xorshift.
pub(crate) fn random_values(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The fraction is the upper 24 bits of the state.
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    // The first values of nearby seeds are correlated.
    for _ in 0..8 {
        next();
    }
    (0..len).map(|_| next()).collect()
}
