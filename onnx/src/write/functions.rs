//! The operators of element-wise functions.

use std::f64::consts::{FRAC_2_PI, SQRT_2};

use receptive_layers::graph::{Function, Node};

use super::attributes::{float, text};
use super::error::WriteError;
use super::writer::Writer;
use crate::proto::AttributeProto;

/// Writes an element-wise function: an operator, or a formula if the opset has no operator of the function.
///
/// # Errors
///
/// [`WriteError::NoElements`] if the operand is a constant without elements.
pub fn write(node: &Node, function: Function, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let x = writer.read(node.inputs[0], &node.name)?;
    let mut formula = Formula { node, writer };
    let opset = formula.writer.opset();
    let (operator, attributes): (&str, Vec<AttributeProto>) = match function {
        Function::LeakyRelu { slope } => ("LeakyRelu", vec![float("alpha", slope)]),
        Function::Elu { alpha } => ("Elu", vec![float("alpha", alpha)]),
        Function::Selu { alpha, scale } => {
            ("Selu", vec![float("alpha", alpha), float("gamma", scale)])
        }
        Function::Celu { alpha } => ("Celu", vec![float("alpha", alpha)]),
        Function::ThresholdedRelu { alpha } => ("ThresholdedRelu", vec![float("alpha", alpha)]),
        Function::HardSigmoid { alpha, beta } => (
            "HardSigmoid",
            vec![float("alpha", alpha), float("beta", beta)],
        ),
        Function::HardSwish if opset >= 14 => ("HardSwish", Vec::new()),
        Function::HardSwish => {
            let sigmoid = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
            let gate = formula.step("gate", "HardSigmoid", vec![x.clone()], sigmoid);
            formula.last("Mul", vec![x, gate]);
            return Ok(());
        }
        Function::Silu => {
            let gate = formula.step("gate", "Sigmoid", vec![x.clone()], Vec::new());
            formula.last("Mul", vec![x, gate]);
            return Ok(());
        }
        Function::Mish if opset >= 18 => ("Mish", Vec::new()),
        Function::Mish => {
            let softplus = formula.step("softplus", "Softplus", vec![x.clone()], Vec::new());
            let gate = formula.step("gate", "Tanh", vec![softplus], Vec::new());
            formula.last("Mul", vec![x, gate]);
            return Ok(());
        }
        Function::Gelu if opset >= 20 => ("Gelu", Vec::new()),
        Function::Gelu => {
            let scaled = formula.scalar("scaled", "Div", &x, SQRT_2);
            let erf = formula.step("erf", "Erf", vec![scaled], Vec::new());
            formula.gelu(x, erf);
            return Ok(());
        }
        Function::GeluTanh if opset >= 20 => ("Gelu", vec![text("approximate", "tanh")]),
        Function::GeluTanh => {
            let square = formula.step("square", "Mul", vec![x.clone(), x.clone()], Vec::new());
            let cube = formula.step("cube", "Mul", vec![square, x.clone()], Vec::new());
            let cube = formula.scalar("scaled_cube", "Mul", &cube, 0.044_715);
            let sum = formula.step("polynomial", "Add", vec![x.clone(), cube], Vec::new());
            let scaled = formula.scalar("scaled", "Mul", &sum, FRAC_2_PI.sqrt());
            let tanh = formula.step("tanh", "Tanh", vec![scaled], Vec::new());
            formula.gelu(x, tanh);
            return Ok(());
        }
        Function::Softplus => ("Softplus", Vec::new()),
        Function::Softsign => ("Softsign", Vec::new()),
        Function::Erf => ("Erf", Vec::new()),
        Function::Exp => ("Exp", Vec::new()),
        Function::Ln => ("Log", Vec::new()),
        Function::Sqrt => ("Sqrt", Vec::new()),
        Function::Abs => ("Abs", Vec::new()),
        Function::Neg => ("Neg", Vec::new()),
        Function::Reciprocal => ("Reciprocal", Vec::new()),
        Function::Sign => ("Sign", Vec::new()),
        Function::Floor => ("Floor", Vec::new()),
        Function::Ceil => ("Ceil", Vec::new()),
        Function::Round => ("Round", Vec::new()),
        Function::Sin => ("Sin", Vec::new()),
        Function::Cos => ("Cos", Vec::new()),
        _ => {
            return Err(WriteError::Operation {
                node: node.name.clone(),
                operation: node.op.word().to_owned(),
            });
        }
    };
    let output = writer.written(node.outputs[0], &node.name);
    writer.operator(&node.name, operator, vec![x], output, attributes);
    Ok(())
}

/// The operators of one node.
struct Formula<'a, 'w, 'g> {
    node: &'a Node,
    writer: &'w mut Writer<'g>,
}

impl Formula<'_, '_, '_> {
    /// Writes an operator and returns the name of its result.
    fn step(
        &mut self,
        word: &str,
        operator: &str,
        inputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.writer
            .step(&self.node.name, word, operator, inputs, attributes)
    }

    /// Writes arithmetic of `x` and a number, and returns the name of the result.
    fn scalar(&mut self, word: &str, operator: &str, x: &str, number: f64) -> String {
        let name = &self.node.name;
        let number = self.writer.floats(name, "number", &[], &[number as f32]);
        self.step(word, operator, vec![x.to_owned(), number], Vec::new())
    }

    /// Writes the operator whose result is that of the node.
    fn last(&mut self, operator: &str, inputs: Vec<String>) {
        let name = &self.node.name;
        let output = self.writer.written(self.node.outputs[0], name);
        self.writer
            .operator(name, operator, inputs, output, Vec::new());
    }

    /// Writes `x * (1 + gate) / 2`.
    fn gelu(&mut self, x: String, gate: String) {
        let gate = self.scalar("gate", "Add", &gate, 1.0);
        let product = self.step("product", "Mul", vec![x, gate], Vec::new());
        let name = &self.node.name;
        let half = self.writer.floats(name, "half", &[], &[0.5]);
        self.last("Mul", vec![product, half]);
    }
}
