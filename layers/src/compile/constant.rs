//! Constant folding: evaluates operations on values that do not depend on the input, in double
//! precision.

use super::error::Problem;
use crate::graph::{Arithmetic, Op};

/// A tensor of known elements.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    /// Elements in row-major order.
    pub values: Vec<f64>,
}

/// Evaluates `op` on `inputs`. `shape` is the shape of the output.
///
/// # Errors
///
/// [`Problem::Unsupported`] for operations other than element-wise arithmetic and data movement.
pub(super) fn evaluate(op: &Op, inputs: Vec<Array>, shape: Vec<usize>) -> Result<Array, Problem> {
    let element = |function: &dyn Fn(f64) -> f64| {
        let values = inputs[0].values.iter().map(|&x| function(x)).collect();
        Array {
            shape: shape.clone(),
            values,
        }
    };
    Ok(match op {
        Op::Reshape => element(&|x| x),
        Op::Relu => element(&|x| x.max(0.0)),
        Op::Clamp { min, max } => element(&|x| x.max(*min).min(*max)),
        Op::Tanh => element(&f64::tanh),
        Op::Sigmoid => element(&|x| 1.0 / (1.0 + (-x).exp())),
        Op::Scalar(arithmetic, number) => element(&|x| apply(*arithmetic, x, *number)),
        Op::Binary(arithmetic) => {
            let [a, b] = [0, 1].map(|i| inputs[i].expand(&shape));
            let values = a.iter().zip(&b).map(|(&a, &b)| apply(*arithmetic, a, b));
            Array {
                values: values.collect(),
                shape,
            }
        }
        Op::Expand => Array {
            values: inputs[0].expand(&shape),
            shape,
        },
        Op::Permute { axes } => inputs[0].gather(shape, |from, to| {
            for (axis, &index) in axes.iter().zip(to) {
                from[*axis] = index;
            }
        }),
        Op::Slice { ranges } => inputs[0].gather(shape, |from, to| {
            for ((from, range), index) in from.iter_mut().zip(ranges).zip(to) {
                *from = range.start + index * range.step;
            }
        }),
        Op::Concat { axis } => concatenate(&inputs, *axis, shape),
        _ => {
            return Err(Problem::unsupported(
                format!("{} of weights", op.word()),
                "element-wise arithmetic, reshapes, slices or concatenations of weights",
            ));
        }
    })
}

fn apply(arithmetic: Arithmetic, a: f64, b: f64) -> f64 {
    match arithmetic {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div => a / b,
        Arithmetic::Min => a.min(b),
        Arithmetic::Max => a.max(b),
        Arithmetic::Pow => a.powf(b),
    }
}

/// Writes the multi-index of the `linear`-th element of `shape`, in row-major order, to `indices`.
fn unravel(mut linear: usize, shape: &[usize], indices: &mut [usize]) {
    for (index, &length) in indices.iter_mut().zip(shape).rev() {
        *index = linear % length;
        linear /= length;
    }
}

impl Array {
    /// Returns the element at the multi-index `indices`.
    fn at(&self, indices: &[usize]) -> f64 {
        let axes = self.shape.iter().zip(indices);
        self.values[axes.fold(0, |linear, (&length, &index)| linear * length + index)]
    }

    /// Returns an array of `shape` whose element at `to` is the element of `self` at `from`.
    /// `source(from, to)` computes `from`.
    fn gather(&self, shape: Vec<usize>, source: impl Fn(&mut [usize], &[usize])) -> Self {
        let mut from = vec![0; self.shape.len()];
        let mut to = vec![0; shape.len()];
        let values = (0..shape.iter().product())
            .map(|linear| {
                unravel(linear, &shape, &mut to);
                source(&mut from, &to);
                self.at(&from)
            })
            .collect();
        Self { shape, values }
    }

    /// Returns the elements broadcast to `shape`: axes of length one are repeated, missing leading
    /// axes added.
    pub fn expand(&self, shape: &[usize]) -> Vec<f64> {
        let front = shape.len() - self.shape.len();
        // From the last axis to the first, the elements along the axes so far are repeated for each index
        // of the next.
        let mut values = self.values.clone();
        let mut inner = 1;
        for (axis, &length) in shape.iter().enumerate().rev() {
            let own = axis.checked_sub(front).map_or(1, |own| self.shape[own]);
            if own == 1 && length > 1 {
                let blocks = values.chunks_exact(inner);
                values = blocks.flat_map(|block| block.repeat(length)).collect();
            }
            inner *= length;
        }
        values
    }
}

fn concatenate(operands: &[Array], axis: usize, shape: Vec<usize>) -> Array {
    let mut to = vec![0; shape.len()];
    let values = (0..shape.iter().product())
        .map(|linear| {
            unravel(linear, &shape, &mut to);
            let mut operand = 0;
            while to[axis] >= operands[operand].shape[axis] {
                to[axis] -= operands[operand].shape[axis];
                operand += 1;
            }
            operands[operand].at(&to)
        })
        .collect();
    Array { shape, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::SliceRange;

    fn array(shape: &[usize], values: &[f64]) -> Array {
        Array {
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    fn values(op: Op, inputs: &[&Array], shape: &[usize]) -> Vec<f64> {
        let inputs = inputs.iter().map(|&input| input.clone()).collect();
        evaluate(&op, inputs, shape.to_vec()).unwrap().values
    }

    #[test]
    fn data_movement_matches_burn() {
        let x = array(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let transposed = values(Op::Permute { axes: vec![1, 0] }, &[&x], &[3, 2]);
        assert_eq!(transposed, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);

        let range = |start, end, step| SliceRange { start, end, step };
        let ranges = vec![range(1, 2, 1), range(0, 3, 2)];
        assert_eq!(values(Op::Slice { ranges }, &[&x], &[1, 2]), [4.0, 6.0]);

        let y = array(&[2, 1], &[7.0, 8.0]);
        let joined = values(Op::Concat { axis: 1 }, &[&x, &y], &[2, 4]);
        assert_eq!(joined, [1.0, 2.0, 3.0, 7.0, 4.0, 5.0, 6.0, 8.0]);

        let sums = values(Op::Binary(Arithmetic::Add), &[&x, &y], &[2, 3]);
        assert_eq!(sums, [8.0, 9.0, 10.0, 12.0, 13.0, 14.0]);
        assert_eq!(values(Op::Expand, &[&y], &[2, 2]), [7.0, 7.0, 8.0, 8.0]);
    }

    #[test]
    fn unsupported_operations_are_errors() {
        let error = evaluate(&Op::Matmul, Vec::new(), Vec::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "matmul of weights cannot be compiled, expected element-wise arithmetic, reshapes, slices or \
             concatenations of weights"
        );
    }
}
