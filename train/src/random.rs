//! Seeded random number streams: the stream of a purpose does not depend on the order of the draws.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// Random number generator with the same output on every machine.
pub type Random = Pcg64Mcg;

/// Purpose of a random number stream. Different purposes have independent streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Initialization of the weights.
    Weights,
    /// Order of the training images in one epoch.
    Order,
    /// Augmentation of one image in one epoch.
    Augmentation,
    /// Mixup or CutMix of one mini-batch.
    Mixing,
    /// The device's generator in one step, for dropout.
    Device,
    /// Choice of the images that are held out for validation.
    Holdout,
}

/// Derives the seed of a stream from the seed of the run, the purpose and two indices, such as the
/// epoch and the image.
pub fn seed(run_seed: u64, purpose: Purpose, indices: [u64; 2]) -> u64 {
    [purpose as u64, indices[0], indices[1]]
        .into_iter()
        .fold(mix(run_seed), |state, value| mix(state.wrapping_add(value)))
}

/// Returns the generator that is seeded with [`seed`].
pub fn stream(run_seed: u64, purpose: Purpose, indices: [u64; 2]) -> Random {
    Random::seed_from_u64(seed(run_seed, purpose, indices))
}

/// The mixing function of SplitMix64, a bijection of the 64-bit integers.
fn mix(value: u64) -> u64 {
    let x = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
pub mod tests {
    use std::collections::HashSet;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// Locks the random number generator of Burn's CPU backends. A process has one generator, so
    /// tests that draw from it must not run at the same time.
    pub fn lock_rng() -> MutexGuard<'static, ()> {
        static RNG: Mutex<()> = Mutex::new(());
        RNG.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn streams_have_different_seeds() {
        let mut seen = HashSet::new();
        for run in 0..8 {
            for purpose in [Purpose::Order, Purpose::Augmentation, Purpose::Mixing] {
                for epoch in 0..16 {
                    for image in 0..16 {
                        assert!(seen.insert(seed(run, purpose, [epoch, image])));
                    }
                }
            }
        }
    }
}
