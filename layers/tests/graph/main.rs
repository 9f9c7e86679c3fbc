//! Tests of recording, summaries, drawings and compilation of networks.

mod compile;
#[cfg(feature = "draw")]
mod drawing;
mod file;
mod interpreter;
mod names;
mod networks;
mod random;
mod record;
#[allow(dead_code)]
#[path = "../../examples/stranger.rs"]
mod stranger;
mod summary;
