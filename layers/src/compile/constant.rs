//! Operations on values that are the same whatever the input is, in double precision.

use super::error::Problem;
use crate::graph::{Arithmetic, Op};

/// A tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f64>,
}

/// What `op` makes of `inputs`, in the shape `shape`.
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
            for (axis, &place) in axes.iter().zip(to) {
                from[*axis] = place;
            }
        }),
        Op::Slice { ranges } => inputs[0].gather(shape, |from, to| {
            for ((from, range), place) in from.iter_mut().zip(ranges).zip(to) {
                *from = range.start + place * range.step;
            }
        }),
        Op::Concat { axis } => concatenate(&inputs, *axis, shape),
        _ => {
            return Err(Problem::unsupported(
                format!("{} of weights", op.word()),
                "arithmetic, or a change of shape, on weights",
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
    }
}

/// The place of the `index`-th element in row-major order.
fn place(mut index: usize, shape: &[usize], place: &mut [usize]) {
    for (place, &length) in place.iter_mut().zip(shape).rev() {
        *place = index % length;
        index /= length;
    }
}

impl Array {
    /// The element at `place`.
    fn at(&self, place: &[usize]) -> f64 {
        let axes = self.shape.iter().zip(place);
        self.values[axes.fold(0, |index, (&length, &place)| index * length + place)]
    }

    /// An array of `shape` whose element at `to` is this one's at `from`, where `find(from, to)` sets
    /// `from`.
    fn gather(&self, shape: Vec<usize>, find: impl Fn(&mut [usize], &[usize])) -> Self {
        let mut from = vec![0; self.shape.len()];
        let mut to = vec![0; shape.len()];
        let values = (0..shape.iter().product())
            .map(|index| {
                place(index, &shape, &mut to);
                find(&mut from, &to);
                self.at(&from)
            })
            .collect();
        Self { shape, values }
    }

    /// The elements repeated to `shape`, whose last axes are this one's or of length one here.
    fn expand(&self, shape: &[usize]) -> Vec<f64> {
        let front = shape.len() - self.shape.len();
        self.gather(shape.to_vec(), |from, to| {
            for ((from, &length), &place) in from.iter_mut().zip(&self.shape).zip(&to[front..]) {
                *from = if length == 1 { 0 } else { place };
            }
        })
        .values
    }
}

fn concatenate(parts: &[Array], axis: usize, shape: Vec<usize>) -> Array {
    let mut to = vec![0; shape.len()];
    let values = (0..shape.iter().product())
        .map(|index| {
            place(index, &shape, &mut to);
            let mut part = 0;
            while to[axis] >= parts[part].shape[axis] {
                to[axis] -= parts[part].shape[axis];
                part += 1;
            }
            parts[part].at(&to)
        })
        .collect();
    Array { shape, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Stride;

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
    fn shapes_change_as_burn_changes_them() {
        let x = array(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let transposed = values(Op::Permute { axes: vec![1, 0] }, &[&x], &[3, 2]);
        assert_eq!(transposed, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);

        let range = |start, end, step| Stride { start, end, step };
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
    fn what_is_not_computed_is_an_error() {
        let error = evaluate(&Op::Matmul, Vec::new(), Vec::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "matmul of weights cannot be compiled, expected arithmetic, or a change of shape, on weights"
        );
    }
}
