//! Construction of a graph from nodes.

use std::collections::HashMap;
use std::rc::Rc;

use receptive_layers::graph::{Graph, ParameterKind, ValueId};

use super::attributes::Attributes;
use super::call::Call;
use super::error::{MissingOperator, ReadError};
use super::fault::Fault;
use super::initializers::Initializers;
use super::inputs::Input;
use super::operand::{Constant, Operand};
use super::operators;
use super::order::{Order, node_name};
use super::state::State;
use super::tensor::Tensor;
use crate::proto::{GraphProto, ModelProto, NodeProto};

/// Names of ONNX's own operators.
const DOMAINS: [&str; 2] = ["", "ai.onnx"];

/// Returns whether `domain` is that of ONNX's own operators.
pub fn is_own(domain: &str) -> bool {
    DOMAINS.contains(&domain)
}

/// A graph whose parameters have no elements yet.
pub struct Built {
    /// The graph.
    pub graph: Graph,
    /// Elements of each parameter.
    pub parameters: HashMap<String, Tensor>,
}

/// A file that is read.
pub struct Source<'a> {
    /// The file.
    pub model: &'a ModelProto,
    /// Graph of the file.
    pub graph: &'a GraphProto,
    /// Constants of the graph.
    pub initializers: &'a Initializers<'a>,
    /// Nodes of the graph.
    pub order: &'a Order<'a>,
    /// Version of its operators.
    pub opset: i64,
}

impl<'a> Source<'a> {
    /// Translates the nodes for the input `input` of shape `shape`.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if a node is not valid, or nodes are not supported.
    pub fn build(&self, input: &Input<'a>, shape: Vec<usize>) -> Result<Built, ReadError> {
        let mut state = State::new(shape, self.initializers);
        let id = state.builder.input();
        let mut values: HashMap<&str, Option<Operand>> = HashMap::new();
        let operand = if input.is_integer {
            Operand::Integers(id)
        } else {
            Operand::Value(id)
        };
        values.insert(input.name, Some(operand));
        let mut missing = Vec::new();
        for node in &self.order.nodes {
            let outputs = match self.operands(node, &values)? {
                Some(operands) => self.translate(node, operands, &mut state)?,
                // The operands are results of unsupported nodes.
                None => self.check(node),
            };
            match outputs {
                Ok(outputs) => {
                    let names = node.output.iter().map(String::as_str);
                    values.extend(names.zip(outputs.into_iter().map(Some)));
                }
                Err(reason) => {
                    missing.extend(reason);
                    values.extend(node.output.iter().map(|output| (output.as_str(), None)));
                }
            }
        }
        if !missing.is_empty() {
            return Err(ReadError::Unsupported { operators: missing });
        }
        let outputs = self.outputs(&values, &mut state)?;
        drop(values);
        let (graph, parameters) = state.finish(outputs);
        Ok(Built { graph, parameters })
    }

    /// Returns the value of each output.
    fn outputs(
        &self,
        values: &HashMap<&str, Option<Operand>>,
        state: &mut State<'a>,
    ) -> Result<Vec<(String, ValueId)>, ReadError> {
        let mut outputs = Vec::new();
        for output in &self.graph.output {
            let id = match self.operand(&output.name, values)? {
                Some(Operand::Value(id) | Operand::Integers(id)) => Ok(id),
                Some(Operand::Constant(constant)) => {
                    state.constant(&constant, ParameterKind::Trainable)
                }
                None => Err(Fault::Invalid("it is undefined".to_owned())),
            };
            let id = id.map_err(|fault| {
                let (Fault::Invalid(message) | Fault::Unsupported(message)) = fault;
                ReadError::Node {
                    node: output.name.clone(),
                    operator: "output".to_owned(),
                    opset: self.opset,
                    message,
                }
            })?;
            outputs.push((output.name.clone(), id));
        }
        Ok(outputs)
    }

    /// Returns what `name` stands for, or `None` for a result of an unsupported node.
    fn operand(
        &self,
        name: &str,
        values: &HashMap<&str, Option<Operand>>,
    ) -> Result<Option<Operand>, ReadError> {
        if let Some(value) = values.get(name) {
            return Ok(value.clone());
        }
        let tensor = self.initializers.read(name)?;
        Ok(tensor.map(|tensor| {
            Operand::Constant(Constant {
                tensor,
                name: Some(Rc::from(name)),
            })
        }))
    }

    /// Returns the operands of a node, or `None` if one is the result of an unsupported node.
    fn operands(
        &self,
        node: &NodeProto,
        values: &HashMap<&str, Option<Operand>>,
    ) -> Result<Option<Vec<Option<Operand>>>, ReadError> {
        let mut operands = Vec::with_capacity(node.input.len());
        for name in &node.input {
            operands.push(match name.as_str() {
                "" => None,
                name => match self.operand(name, values)? {
                    Some(operand) => Some(operand),
                    None => return Ok(None),
                },
            });
        }
        Ok(Some(operands))
    }

    /// Translates a node. Returns its outputs, or the reason why the node is not supported.
    fn translate(
        &self,
        node: &'a NodeProto,
        inputs: Vec<Option<Operand>>,
        state: &mut State<'a>,
    ) -> Result<Result<Vec<Operand>, Option<MissingOperator>>, ReadError> {
        let is_read =
            |output: &String| !output.is_empty() && self.order.read.contains(output.as_str());
        let used: Vec<bool> = node.output.iter().map(is_read).collect();
        let fault = match is_own(&node.domain) {
            true => {
                let mut call = Call {
                    opset: self.opset,
                    operator: &node.op_type,
                    attributes: Attributes(&node.attribute),
                    inputs,
                    used: used.clone(),
                    state,
                };
                let outputs = operators::translate(&mut call);
                state.name_nodes(node_name(node));
                match outputs {
                    Ok(outputs) => match (outputs.len()..used.len()).find(|&index| used[index]) {
                        None => return Ok(Ok(outputs)),
                        Some(index) => Fault::Unsupported(format!("output {index}")),
                    },
                    Err(fault) => fault,
                }
            }
            false => Fault::Unsupported(self.foreign(node)),
        };
        match fault {
            Fault::Unsupported(reason) => Ok(Err(Some(self.missing(node, reason)))),
            Fault::Invalid(message) => Err(ReadError::Node {
                node: node_name(node).to_owned(),
                operator: node.op_type.clone(),
                opset: self.opset,
                message,
            }),
        }
    }

    /// Returns the reason why a node without operands is not supported, if its operator is not.
    fn check(&self, node: &NodeProto) -> Result<Vec<Operand>, Option<MissingOperator>> {
        let reason = match is_own(&node.domain) {
            true if operators::is_known(&node.op_type) => return Err(None),
            true => "the operator is not supported".to_owned(),
            false => self.foreign(node),
        };
        Err(Some(self.missing(node, reason)))
    }

    /// Returns the reason why an operator that is not ONNX's own is not supported.
    fn foreign(&self, node: &NodeProto) -> String {
        let functions = &self.model.functions;
        let is_function = functions
            .iter()
            .any(|function| function.domain == node.domain && function.name == node.op_type);
        match is_function {
            true => "functions of the file are not supported".to_owned(),
            false => "only ONNX's own operators are supported".to_owned(),
        }
    }

    fn missing(&self, node: &NodeProto, reason: String) -> MissingOperator {
        MissingOperator {
            node: node_name(node).to_owned(),
            operator: match is_own(&node.domain) {
                true => node.op_type.clone(),
                false => format!("{}.{}", node.domain, node.op_type),
            },
            opset: self.opset,
            reason,
        }
    }
}
