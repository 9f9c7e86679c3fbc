//! Draws a network that is not part of this workspace.
//!
//!     cargo run --example draw --features draw

use std::fs;

use receptive_layers::drawing::{Diagram, Volumes};
use receptive_layers::graph::Graph;

#[allow(dead_code)]
mod stranger;

use stranger::Stranger;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let graph = Graph::trace(Stranger::new, [1, 3, 64, 64], Stranger::forward)?;
    let diagram = Diagram::from_graph(&graph, "stranger", None);
    fs::write("stranger-graph.svg", diagram.svg())?;
    fs::write("stranger-blocks.svg", Volumes::from_diagram(&diagram).svg())?;
    Ok(())
}
