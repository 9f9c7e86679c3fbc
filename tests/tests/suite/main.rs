//! The tests across crates, in one binary: each binary links all of Burn.

mod backends;
mod compiled;
mod configurations;
mod cost_model;
mod fused;
mod gradients;
mod outputs;
mod parity;
mod pretrained;
mod round_trips;
mod summaries;
mod training;
