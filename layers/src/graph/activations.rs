//! Activations that files contain as several operations: `x * sigmoid(x)` is [`Function::Silu`].

use std::collections::HashMap;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use super::op::{Arithmetic, Function, Op};
use super::simplify::drop_dead;
use super::structure::{Graph, Node};
use super::value::ValueId;

/// Replaces the last operation of each such formula by the activation. The other operations are removed, unless another
/// node reads their results.
pub(super) fn merge(graph: &mut Graph) {
    let mut producers = HashMap::new();
    for index in 0..graph.nodes.len() {
        let formulas = Formulas {
            graph,
            producers: &producers,
        };
        let found = formulas.activation(&graph.nodes[index]);
        let node = &mut graph.nodes[index];
        if let Some((function, x)) = found {
            node.op = Op::Function(function);
            node.inputs = vec![x];
        }
        producers.extend(node.outputs.iter().map(|&output| (output, index)));
    }
    drop_dead(graph);
}

/// The formulas behind values: the nodes that compute them.
struct Formulas<'a> {
    graph: &'a Graph,
    producers: &'a HashMap<ValueId, usize>,
}

/// Scalar operations that are followed from one value.
const MAX_SCALARS: usize = 4;

/// Whether two numbers are equal but for rounding to float32.
fn is(number: f64, expected: f64) -> bool {
    (number - expected).abs() <= 1e-5 * expected.abs()
}

impl Formulas<'_> {
    fn node(&self, id: ValueId) -> Option<&Node> {
        self.producers
            .get(&id)
            .map(|&index| &self.graph.nodes[index])
    }

    /// Returns `(x, c)` with `id = c * x`.
    fn scaled(&self, mut id: ValueId) -> (ValueId, f64) {
        let mut factor = 1.0;
        for _ in 0..MAX_SCALARS {
            match self.node(id).map(|node| (&node.op, node.inputs[0])) {
                Some((Op::Scalar(Arithmetic::Mul, number), x)) => {
                    (factor, id) = (factor * number, x)
                }
                Some((Op::Scalar(Arithmetic::Div, number), x)) => {
                    (factor, id) = (factor / number, x)
                }
                _ => break,
            }
        }
        (id, factor)
    }

    /// Returns `(x, c)` with `id = x + c`.
    fn shifted(&self, id: ValueId) -> Option<(ValueId, f64)> {
        let node = self.node(id)?;
        match node.op {
            Op::Scalar(Arithmetic::Add, number) => Some((node.inputs[0], number)),
            Op::Scalar(Arithmetic::Sub, number) => Some((node.inputs[0], -number)),
            _ => None,
        }
    }

    /// Returns the operand of an operation of one operand.
    fn operand(&self, id: ValueId, op: &Op) -> Option<ValueId> {
        let node = self.node(id).filter(|node| node.op == *op)?;
        Some(node.inputs[0])
    }

    /// Returns the operands of a product or sum of two tensors.
    fn operands(&self, id: ValueId, arithmetic: Arithmetic) -> Option<[ValueId; 2]> {
        let node = self.node(id)?;
        match (&node.op, &node.inputs[..]) {
            (Op::Binary(found), &[a, b]) if *found == arithmetic => Some([a, b]),
            _ => None,
        }
    }

    /// Returns the function that `node` is the last operation of, and its operand.
    fn activation(&self, node: &Node) -> Option<(Function, ValueId)> {
        match (&node.op, &node.inputs[..]) {
            (Op::Binary(Arithmetic::Mul), &[a, b]) => self.gated([a, b], 1.0),
            (Op::Scalar(Arithmetic::Mul, number), &[x]) => self.multiple(x, *number),
            (Op::Scalar(Arithmetic::Div, number), &[x]) => self.multiple(x, 1.0 / number),
            (Op::Clamp { min: 0.0, max: 1.0 }, &[x]) => {
                let (x, beta) = self.shifted(x)?;
                let (x, alpha) = self.scaled(x);
                Some((Function::HardSigmoid { alpha, beta }, x))
            }
            (Op::Function(Function::Ln), &[x]) => {
                let (exponential, one) = self.shifted(x)?;
                let x = self.operand(exponential, &Op::Function(Function::Exp))?;
                is(one, 1.0).then_some((Function::Softplus, x))
            }
            _ => None,
        }
    }

    /// Returns the function that equals `factor * id`.
    fn multiple(&self, id: ValueId, factor: f64) -> Option<(Function, ValueId)> {
        let (id, inner) = self.scaled(id);
        let factor = factor * inner;
        if let Some(operands) = self.operands(id, Arithmetic::Mul) {
            return self.gated(operands, factor);
        }
        let x = self.relu6_of_shifted(id)?;
        let hard_sigmoid = Function::HardSigmoid {
            alpha: 1.0 / 6.0,
            beta: 0.5,
        };
        is(factor, 1.0 / 6.0).then_some((hard_sigmoid, x))
    }

    /// Returns the function that equals `factor * a * b`, where one operand is `x` and the other a function of `x`.
    fn gated(&self, [a, b]: [ValueId; 2], factor: f64) -> Option<(Function, ValueId)> {
        for (x, gate) in [(a, b), (b, a)] {
            for (x, outer) in [(x, 1.0), self.scaled(x)] {
                for (gate, inner) in [(gate, 1.0), self.scaled(gate)] {
                    if let Some(function) = self.gate(x, gate, factor * outer * inner) {
                        return Some((function, x));
                    }
                }
            }
        }
        None
    }

    /// Returns the function of `x` that equals `factor * x * gate`.
    fn gate(&self, x: ValueId, gate: ValueId, factor: f64) -> Option<Function> {
        if let Some((sum, one)) = self.shifted(gate) {
            return (is(one, 1.0) && is(factor, 0.5)).then(|| self.gelu(x, sum))?;
        }
        if is(factor, 1.0 / 6.0) {
            return (self.relu6_of_shifted(gate)? == x).then_some(Function::HardSwish);
        }
        let node = self.node(gate).filter(|_| is(factor, 1.0))?;
        let operand = node.inputs[0];
        match node.op {
            Op::Sigmoid => (operand == x).then_some(Function::Silu),
            Op::Tanh => {
                let softplus = self.operand(operand, &Op::Function(Function::Softplus))?;
                (softplus == x).then_some(Function::Mish)
            }
            Op::Function(Function::HardSigmoid { alpha, beta }) => {
                let is_sixth = is(alpha, 1.0 / 6.0) && is(beta, 0.5);
                (is_sixth && operand == x).then_some(Function::HardSwish)
            }
            _ => None,
        }
    }

    /// Returns `x` for `min(max(x + 3, 0), 6)`.
    fn relu6_of_shifted(&self, id: ValueId) -> Option<ValueId> {
        let sum = self.operand(id, &Op::Clamp { min: 0.0, max: 6.0 })?;
        let (x, three) = self.shifted(sum)?;
        is(three, 3.0).then_some(x)
    }

    /// Returns the function that equals `x * (1 + id) / 2`.
    fn gelu(&self, x: ValueId, id: ValueId) -> Option<Function> {
        if let Some(operand) = self.operand(id, &Op::Function(Function::Erf)) {
            let (operand, factor) = self.scaled(operand);
            return (operand == x && is(factor, FRAC_1_SQRT_2)).then_some(Function::Gelu);
        }
        let (polynomial, factor) = self.scaled(self.operand(id, &Op::Tanh)?);
        let is_polynomial = is(factor, FRAC_2_PI.sqrt())
            && (self.is_sum_with_cube(x, polynomial) || self.is_product_with_square(x, polynomial));
        is_polynomial.then_some(Function::GeluTanh)
    }

    /// Whether `id` is `x + 0.044715 * x^3`.
    fn is_sum_with_cube(&self, x: ValueId, id: ValueId) -> bool {
        let Some([a, b]) = self.operands(id, Arithmetic::Add) else {
            return false;
        };
        let other = if a == x { b } else { a };
        let (cube, factor) = self.scaled(other);
        let is_power = self.operand(cube, &Op::Scalar(Arithmetic::Pow, 3.0)) == Some(x);
        let is_product = self
            .operands(cube, Arithmetic::Mul)
            .is_some_and(|[a, b]| a == x && self.is_square(x, b) || b == x && self.is_square(x, a));
        (a == x || b == x) && is(factor, GELU_CUBE) && (is_power || is_product)
    }

    /// Whether `id` is `x * (1 + 0.044715 * x^2)`.
    fn is_product_with_square(&self, x: ValueId, id: ValueId) -> bool {
        let Some([a, b]) = self.operands(id, Arithmetic::Mul) else {
            return false;
        };
        let sum = if a == x { b } else { a };
        let square = self.shifted(sum).filter(|(_, one)| is(*one, 1.0));
        let square = square.map(|(square, _)| self.scaled(square));
        (a == x || b == x)
            && square
                .is_some_and(|(square, factor)| is(factor, GELU_CUBE) && self.is_square(x, square))
    }

    fn is_square(&self, x: ValueId, id: ValueId) -> bool {
        self.operands(id, Arithmetic::Mul) == Some([x, x])
    }
}

/// Factor of the cube in the approximation of the Gaussian error linear unit.
const GELU_CUBE: f64 = 0.044715;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::GraphBuilder;

    /// Returns the operations of the graph that `build` adds to `x`.
    fn merged(
        build: impl Fn(&mut dyn FnMut(Op, &[ValueId]) -> ValueId, ValueId) -> ValueId,
    ) -> Vec<Op> {
        let mut builder = GraphBuilder::new(vec![1, 2]);
        let x = builder.input();
        let mut add =
            |op: Op, inputs: &[ValueId]| builder.node("", op, inputs.to_vec(), vec![1, 2]);
        let y = build(&mut add, x);
        let graph = builder.finish(vec![("y".to_owned(), y)]);
        graph.nodes.into_iter().map(|node| node.op).collect()
    }

    const MUL: Op = Op::Binary(Arithmetic::Mul);

    fn scalar(arithmetic: Arithmetic, number: f32) -> Op {
        Op::Scalar(arithmetic, f64::from(number))
    }

    #[test]
    fn gates_are_activations() {
        let silu = merged(|add, x| {
            let gate = add(Op::Sigmoid, &[x]);
            add(MUL, &[gate, x])
        });
        assert_eq!(silu, [Op::Function(Function::Silu)]);
        let hard_swish = merged(|add, x| {
            let sum = add(scalar(Arithmetic::Add, 3.0), &[x]);
            let gate = add(Op::Clamp { min: 0.0, max: 6.0 }, &[sum]);
            let product = add(MUL, &[x, gate]);
            add(scalar(Arithmetic::Div, 6.0), &[product])
        });
        assert_eq!(hard_swish, [Op::Function(Function::HardSwish)]);
        let hard_swish = merged(|add, x| {
            let sum = add(scalar(Arithmetic::Add, 3.0), &[x]);
            let clamped = add(Op::Clamp { min: 0.0, max: 6.0 }, &[sum]);
            let gate = add(scalar(Arithmetic::Mul, 1.0 / 6.0), &[clamped]);
            add(MUL, &[x, gate])
        });
        assert_eq!(hard_swish, [Op::Function(Function::HardSwish)]);
        let mish = merged(|add, x| {
            let exponential = add(Op::Function(Function::Exp), &[x]);
            let sum = add(scalar(Arithmetic::Add, 1.0), &[exponential]);
            let softplus = add(Op::Function(Function::Ln), &[sum]);
            let gate = add(Op::Tanh, &[softplus]);
            add(MUL, &[x, gate])
        });
        assert_eq!(mish, [Op::Function(Function::Mish)]);
    }

    #[test]
    fn error_functions_and_tangents_are_gelu() {
        let erf = merged(|add, x| {
            let scaled = add(scalar(Arithmetic::Div, std::f32::consts::SQRT_2), &[x]);
            let erf = add(Op::Function(Function::Erf), &[scaled]);
            let sum = add(scalar(Arithmetic::Add, 1.0), &[erf]);
            let product = add(MUL, &[x, sum]);
            add(scalar(Arithmetic::Mul, 0.5), &[product])
        });
        assert_eq!(erf, [Op::Function(Function::Gelu)]);
        let tanh = merged(|add, x| {
            let cube = add(scalar(Arithmetic::Pow, 3.0), &[x]);
            let cube = add(scalar(Arithmetic::Mul, 0.044_715), &[cube]);
            let sum = add(Op::Binary(Arithmetic::Add), &[x, cube]);
            let scaled = add(scalar(Arithmetic::Mul, 0.797_884_6), &[sum]);
            let tanh = add(Op::Tanh, &[scaled]);
            let gate = add(scalar(Arithmetic::Add, 1.0), &[tanh]);
            let half = add(scalar(Arithmetic::Mul, 0.5), &[x]);
            add(MUL, &[half, gate])
        });
        assert_eq!(tanh, [Op::Function(Function::GeluTanh)]);
    }

    #[test]
    fn gates_of_other_values_and_other_numbers_stay() {
        let other = merged(|add, x| {
            let y = add(Op::Tanh, &[x]);
            let gate = add(Op::Sigmoid, &[y]);
            add(MUL, &[x, gate])
        });
        assert_eq!(other, [Op::Tanh, Op::Sigmoid, MUL]);
        let number = merged(|add, x| {
            let sum = add(scalar(Arithmetic::Add, 3.5), &[x]);
            let gate = add(Op::Clamp { min: 0.0, max: 6.0 }, &[sum]);
            add(scalar(Arithmetic::Div, 6.0), &[gate])
        });
        assert_eq!(number.len(), 3);
    }

    #[test]
    fn results_with_other_readers_stay() {
        let ops = merged(|add, x| {
            let gate = add(Op::Sigmoid, &[x]);
            let silu = add(MUL, &[x, gate]);
            add(Op::Binary(Arithmetic::Add), &[silu, gate])
        });
        let expected = [
            Op::Sigmoid,
            Op::Function(Function::Silu),
            Op::Binary(Arithmetic::Add),
        ];
        assert_eq!(ops, expected);
    }
}
