//! One property suite for every algorithm, instruction set and number of threads.
//!
//! A [`Trial`] runs a step in memory where nothing that it does wrong goes unseen, and gives back
//! what it wrote. A new algorithm brings a strategy of problems, the closure that builds its step
//! and a slow reference in 64 bits.

mod activation;
mod check;
mod convolution;
mod copy;
mod depthwise;
mod descent;
mod direct;
mod elementwise;
mod fully_connected;
mod gradient;
mod guarded;
mod map;
mod normalization;
mod pack;
mod places;
mod pool;
mod radial_basis;
mod separable;
mod trial;
mod winograd;

pub(crate) use guarded::Guarded;
pub(crate) use trial::{Maps, Place, Trial};

use proptest::prelude::ProptestConfig;

use super::{Isa, Kernels};

/// This machine's instruction sets, and the lanes of each.
pub(crate) fn instruction_sets() -> impl Iterator<Item = (Isa, usize)> {
    Isa::available().map(|isa| (isa, Kernels::get(isa).lanes))
}

/// `PROPTEST_CASES` cases; failures are printed and not kept.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    }
}

/// Numbers in `-1..1` that are the same for the same `seed`.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The upper 24 bits are the fraction.
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    // The first few follow from the seed's bits too plainly.
    for _ in 0..8 {
        next();
    }
    (0..len).map(|_| next()).collect()
}
