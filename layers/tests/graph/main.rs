//! Tests of recording, summaries, drawings and compilation of networks.

mod compile;
#[cfg(feature = "draw")]
mod drawing;
mod file;
mod interpreter;
mod names;
mod networks;
mod noise;
#[allow(dead_code)]
#[path = "../../examples/plain_burn.rs"]
mod plain_burn;
mod random;
mod random_graphs;
mod record;
mod summary;
mod supported;
