//! What crosses crates, in one binary: each would link all of Burn.

mod backends;
mod compiled;
mod gradients;
mod parity;
mod round_trips;
mod summaries;
mod training;
