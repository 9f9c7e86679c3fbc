//! The file: the graph with its inputs, outputs and constants, and the metadata.

use receptive_layers::graph::Graph;

use super::error::WriteError;
use super::nodes;
use super::options::{BatchSize, NEWEST_OPSET, WriteOptions};
use super::writer::Writer;
use crate::proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// Largest size of a file: Protocol Buffers' limit.
const MAX_BYTES: u64 = i32::MAX as u64;

/// Returns `graph` as a file.
///
/// # Errors
///
/// As [`write`](super::write).
pub fn model(graph: &Graph, options: &WriteOptions) -> Result<ModelProto, WriteError> {
    let opset = options.opset;
    if !(13..=NEWEST_OPSET).contains(&opset) {
        return Err(WriteError::Opset { requested: opset });
    }
    if options.batch == BatchSize::Dynamic && !graph.any_batch {
        return Err(WriteError::CombinesImages);
    }
    let mut writer = Writer::new(graph, options);
    let input = writer.input()?;
    for node in &graph.nodes {
        nodes::write(node, &mut writer)?;
    }
    let outputs = writer.outputs()?;
    let bytes: usize = writer
        .initializers
        .iter()
        .map(|tensor| tensor.raw_data.len())
        .sum();
    if bytes as u64 > MAX_BYTES {
        return Err(WriteError::TooLarge {
            bytes: bytes as u64,
        });
    }
    let metadata = options.metadata.iter();
    Ok(ModelProto {
        // The first version of the format that has these operators.
        ir_version: match opset {
            ..15 => 7,
            15..19 => 8,
            19..21 => 9,
            21..23 => 10,
            _ => 11,
        },
        producer_name: "receptive".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(GraphProto {
            node: writer.nodes,
            name: "network".to_owned(),
            initializer: writer.initializers,
            input: vec![input],
            output: outputs,
            ..GraphProto::default()
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: opset,
        }],
        metadata_props: metadata
            .map(|(key, value)| StringStringEntryProto {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
        ..ModelProto::default()
    })
}
