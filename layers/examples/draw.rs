//! Draws a network written with Burn's own layers as two SVG files: the graph, and the feature
//! maps.
//!
//!     cargo run --example draw --features draw

use std::fs;

use receptive_layers::drawing::{Diagram, Volumes};
use receptive_layers::graph::Graph;

#[allow(dead_code)]
mod plain_burn;

use plain_burn::PlainNet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let graph = Graph::trace(PlainNet::new, [1, 3, 64, 64], PlainNet::forward)?;
    let diagram = Diagram::from_graph(&graph, "plain", None);
    fs::write("plain-graph.svg", diagram.svg())?;
    fs::write("plain-blocks.svg", Volumes::from_diagram(&diagram).svg())?;
    Ok(())
}
