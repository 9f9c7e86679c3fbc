//! Random numbers that depend on what they are drawn for, not on when.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// A generator whose numbers are the same on every machine.
pub type Random = Pcg64Mcg;

/// What numbers are drawn for: each has a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The network's first weights.
    Weights,
    /// The order of the training images in one epoch.
    Order,
    /// What happens to one image in one epoch.
    Augmentation,
    /// The mixing of one batch.
    Mixing,
    /// What a device draws in one step: dropout.
    Device,
    /// Which images are held out for validation.
    Holdout,
}

/// The seed of the stream for `purpose` at a `place`, such as an epoch and an image.
pub fn seed(run: u64, purpose: Purpose, place: [u64; 2]) -> u64 {
    [purpose as u64, place[0], place[1]]
        .into_iter()
        .fold(mix(run), |state, part| mix(state.wrapping_add(part)))
}

/// The generator of the stream for `purpose` at a `place`.
pub fn stream(run: u64, purpose: Purpose, place: [u64; 2]) -> Random {
    Random::seed_from_u64(seed(run, purpose, place))
}

/// SplitMix64's step: a bijection without visible structure.
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

    /// Burn's processor backends have one generator for the whole process: tests that draw from it
    /// wait for each other.
    pub fn alone() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn streams_do_not_meet() {
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
