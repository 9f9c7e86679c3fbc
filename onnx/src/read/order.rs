//! The order of the nodes that the outputs depend on.

use std::collections::{HashMap, HashSet};

use super::error::ReadError;
use crate::proto::{GraphProto, NodeProto};

/// Returns the name of a node: its own, or that of its first output.
pub fn node_name(node: &NodeProto) -> &str {
    let output = node.output.iter().find(|output| !output.is_empty());
    match node.name.as_str() {
        "" => output.map_or("", String::as_str),
        name => name,
    }
}

/// The nodes that the outputs depend on.
pub struct Order<'a> {
    /// The nodes, each after the nodes whose outputs it reads, and otherwise in the order of the file.
    pub nodes: Vec<&'a NodeProto>,
    /// Names that these nodes or the network's outputs read.
    pub read: HashSet<&'a str>,
}

/// Returns the nodes that the outputs of `graph` depend on. `is_given` tells which names stand for inputs and constants.
///
/// # Errors
///
/// [`ReadError`] if nodes depend on themselves, or a name stands for nothing or for several values.
pub fn order(graph: &GraphProto, is_given: impl Fn(&str) -> bool) -> Result<Order<'_>, ReadError> {
    let mut producers: HashMap<&str, usize> = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            if is_given(output) || producers.insert(output, index).is_some() {
                return Err(ReadError::Duplicate {
                    name: output.clone(),
                });
            }
        }
    }
    let producer = |name: &str, reader: &str| match producers.get(name) {
        Some(&index) => Ok(Some(index)),
        None if is_given(name) => Ok(None),
        None => Err(ReadError::Undefined {
            name: name.to_owned(),
            reader: reader.to_owned(),
        }),
    };
    let mut needed = vec![false; graph.node.len()];
    let mut read: HashSet<&str> = HashSet::new();
    let mut open = Vec::new();
    for output in &graph.output {
        read.insert(&output.name);
        open.extend(producer(&output.name, "the network")?);
    }
    // The nodes that each node is read by, and the number of nodes that it reads.
    let mut readers = vec![Vec::new(); graph.node.len()];
    let mut waiting = vec![0usize; graph.node.len()];
    while let Some(index) = open.pop() {
        if std::mem::replace(&mut needed[index], true) {
            continue;
        }
        let node = &graph.node[index];
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            read.insert(input);
            if let Some(before) = producer(input, node_name(node))? {
                readers[before].push(index);
                waiting[index] += 1;
                open.push(before);
            }
        }
    }
    // The nodes that can run, the first of the file on top: files are in order as a rule.
    let mut ready = std::collections::BinaryHeap::new();
    ready.extend(
        (0..graph.node.len())
            .filter(|&i| needed[i] && waiting[i] == 0)
            .map(std::cmp::Reverse),
    );
    let mut nodes = Vec::new();
    while let Some(std::cmp::Reverse(index)) = ready.pop() {
        nodes.push(&graph.node[index]);
        for &reader in &readers[index] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.push(std::cmp::Reverse(reader));
            }
        }
    }
    if nodes.len() < needed.iter().filter(|&&needed| needed).count() {
        let stuck = (0..graph.node.len()).filter(|&index| waiting[index] > 0);
        let names = stuck
            .take(5)
            .map(|index| node_name(&graph.node[index]).to_owned());
        return Err(ReadError::Cycle {
            nodes: names.collect(),
        });
    }
    Ok(Order { nodes, read })
}
