//! Every algorithm on the layer shapes of the eight networks.
fn main() {}
