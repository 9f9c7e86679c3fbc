//! Recording networks, counting what they cost, and compiling them.

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
