//! The tests across crates that are not the same for every network, in one binary: each binary links
//! all of Burn.

mod backends;
mod compiled;
mod cost_model;
mod fused;
mod outputs;
mod pretrained;
mod summaries;
mod training;
mod untrusted;
