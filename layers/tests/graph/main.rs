//! Recording networks, and counting what they cost.

mod interpreter;
mod names;
mod networks;
mod random;
mod record;
#[allow(dead_code)]
#[path = "../../examples/stranger.rs"]
mod stranger;
mod summary;
