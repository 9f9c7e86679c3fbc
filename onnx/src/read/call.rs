//! An operator with its operands, and the operations that its translation consists of.
//!
//! Each operation computes constants, and adds nodes for values that depend on the input.

use receptive_layers::graph::{
    Arithmetic, Function, Op, ParameterKind, Reduction, SliceRange, ValueId,
};

use super::attributes::Attributes;
use super::evaluate;
use super::fault::{Result, invalid, unsupported};
use super::operand::{Constant, Operand};
use super::shape;
use super::state::State;
use super::tensor::{Elements, Tensor, strides};

/// Elements of the largest operand whose elements decide the translation, if they are one number.
const MAX_KNOWN: usize = 1 << 20;

/// An operator with its operands.
pub struct Call<'a, 's> {
    /// Version of the operators.
    pub opset: i64,
    /// Name of the operator.
    pub operator: &'a str,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Operands; none for an optional one that is missing.
    pub inputs: Vec<Option<Operand>>,
    /// Whether each output is read.
    pub used: Vec<bool>,
    /// The graph under construction.
    pub state: &'s mut State<'a>,
}

impl Call<'_, '_> {
    /// Returns the operand `index`.
    ///
    /// # Errors
    ///
    /// The operand is missing.
    pub fn input(&self, index: usize) -> Result<Operand> {
        match self.optional(index) {
            Some(operand) => Ok(operand),
            None => invalid(format!(
                "operand {index} is missing; the operator has {}",
                self.inputs.len()
            )),
        }
    }

    /// Returns the operand `index`, if there is one.
    pub fn optional(&self, index: usize) -> Option<Operand> {
        self.inputs.get(index).cloned().flatten()
    }

    /// Returns the elements of the operand `index`, if there is one.
    ///
    /// # Errors
    ///
    /// The operand depends on the input. `what` names it.
    pub fn known(&self, index: usize, what: &str) -> Result<Option<Tensor>> {
        match self.optional(index) {
            None => Ok(None),
            Some(Operand::Constant(constant)) => {
                let tensor = constant.tensor;
                let is_filled = matches!(tensor.elements, Elements::Fill(_));
                match is_filled && tensor.len() > MAX_KNOWN {
                    true => unsupported(format!("{what} of {} elements", tensor.len())),
                    false => Ok(Some(tensor.dense())),
                }
            }
            Some(_) => unsupported(format!("{what} that depend on the input")),
        }
    }

    /// Returns the whole numbers of the operand `index`, if there is one.
    ///
    /// # Errors
    ///
    /// As [`known`](Self::known), and if the operand is not whole numbers.
    pub fn integers(&self, index: usize, what: &str) -> Result<Option<Vec<i64>>> {
        match self.known(index, what)? {
            None => Ok(None),
            Some(tensor) => match tensor.as_integers() {
                Some(integers) => Ok(Some(integers.to_vec())),
                None => invalid(format!("{what} are floats, expected integers")),
            },
        }
    }

    /// Returns the number of the operand `index`, if there is one.
    ///
    /// # Errors
    ///
    /// As [`known`](Self::known), and if the operand is not one number.
    pub fn number(&self, index: usize, what: &str) -> Result<Option<f64>> {
        match self.known(index, what)? {
            None => Ok(None),
            Some(tensor) => match tensor.any_number() {
                Some(number) => Ok(Some(number)),
                None => invalid(format!("{what} has {} elements, expected 1", tensor.len())),
            },
        }
    }

    /// Returns whether the output `index` is read.
    pub fn is_used(&self, index: usize) -> bool {
        self.used.get(index).copied().unwrap_or(false)
    }

    /// Returns the shape of an operand.
    pub fn shape(&self, operand: &Operand) -> Vec<usize> {
        match operand {
            Operand::Constant(constant) => constant.tensor.shape.clone(),
            Operand::Value(id) | Operand::Integers(id) => self.state.shape(*id).to_vec(),
        }
    }

    /// Returns the value of an operand, a trainable parameter if it is an initializer.
    ///
    /// # Errors
    ///
    /// The operand has no elements.
    pub fn id(&mut self, operand: &Operand) -> Result<ValueId> {
        self.id_of_kind(operand, ParameterKind::Trainable)
    }

    /// Returns the value of an operand, a parameter of kind `kind` if it is an initializer.
    ///
    /// # Errors
    ///
    /// As [`id`](Self::id).
    pub fn id_of_kind(&mut self, operand: &Operand, kind: ParameterKind) -> Result<ValueId> {
        match operand {
            Operand::Constant(constant) => self.state.constant(constant, kind),
            Operand::Value(id) | Operand::Integers(id) => Ok(*id),
        }
    }

    /// Adds a node that computes a tensor of shape `shape`.
    ///
    /// # Errors
    ///
    /// As [`State::node`].
    pub fn node(&mut self, op: Op, inputs: &[&Operand], shape: Vec<usize>) -> Result<Operand> {
        let ids = inputs.iter().map(|input| self.id(input));
        let ids = ids.collect::<Result<Vec<_>>>()?;
        Ok(Operand::Value(self.state.node(op, ids, shape)?))
    }

    /// Returns a tensor with a number for every element.
    ///
    /// # Errors
    ///
    /// The elements are too many.
    pub fn dense(&mut self, tensor: &Tensor) -> Result<Tensor> {
        if matches!(tensor.elements, Elements::Fill(_)) {
            self.state.fold(tensor.len(), 0)?;
        }
        Ok(tensor.dense())
    }

    /// Counts a constant of shape `shape` that is computed from `source`.
    fn folded(&mut self, source: &Tensor, shape: &[usize]) -> Result<()> {
        let elements = shape::elements(shape)?;
        match source.elements {
            // One number stays one number.
            Elements::Fill(_) => Ok(()),
            _ => self.state.fold(elements, source.len()),
        }
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    ///
    /// The shape has another number of elements.
    pub fn reshape(&mut self, x: &Operand, shape: Vec<usize>) -> Result<Operand> {
        let from = self.shape(x);
        if shape::elements(&from)? != shape::elements(&shape)? {
            return invalid(format!("shape {from:?} cannot become {shape:?}"));
        }
        if from == shape {
            return Ok(x.clone());
        }
        match x {
            Operand::Constant(constant) => Ok(Operand::Constant(Constant {
                tensor: constant.tensor.reshaped(shape),
                name: constant.name.clone(),
            })),
            _ => self.node(Op::Reshape, &[x], shape),
        }
    }

    /// Leading axes of length 1 up to a rank of `rank`.
    ///
    /// # Errors
    ///
    /// As [`reshape`](Self::reshape).
    pub fn with_rank(&mut self, x: &Operand, rank: usize) -> Result<Operand> {
        let shape = shape::with_rank(&self.shape(x), rank);
        self.reshape(x, shape)
    }

    /// Axis `i` of the result is axis `axes[i]` of `x`. `axes` is a permutation.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn permute(&mut self, x: &Operand, axes: Vec<usize>) -> Result<Operand> {
        let from = self.shape(x);
        let shape: Vec<usize> = axes.iter().map(|&axis| from[axis]).collect();
        if axes.iter().copied().eq(0..axes.len()) {
            return Ok(x.clone());
        }
        let Operand::Constant(constant) = x else {
            return self.node(Op::Permute { axes }, &[x], shape);
        };
        let tensor = &constant.tensor;
        self.folded(tensor, &shape)?;
        if axes == [1, 0] {
            return Ok(tensor.transposed().into());
        }
        let strides = strides(&from);
        let strides: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
        Ok(tensor.strided(shape, &strides, 0).into())
    }

    /// The transposed matrix of a matrix. A transposed initializer keeps its name.
    ///
    /// # Errors
    ///
    /// As [`permute`](Self::permute).
    pub fn transpose_weight(&mut self, x: &Operand) -> Result<Operand> {
        if let Operand::Constant(constant) = x
            && let Some(name) = &constant.name
            && self.state.initializers.is(name, &constant.tensor)
        {
            return Ok(Operand::Constant(Constant {
                tensor: self.state.initializers.transposed(name, &constant.tensor),
                name: Some(name.clone()),
            }));
        }
        self.permute(x, vec![1, 0])
    }

    /// The elements of one range for each axis, each inside of its axis.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn slice(&mut self, x: &Operand, ranges: Vec<SliceRange>) -> Result<Operand> {
        let from = self.shape(x);
        let count =
            |range: &SliceRange| (range.end.saturating_sub(range.start)).div_ceil(range.step);
        let shape: Vec<usize> = ranges.iter().map(count).collect();
        if shape == from {
            return Ok(x.clone());
        }
        let Operand::Constant(constant) = x else {
            // A tensor without elements is a constant, which concatenations leave out.
            return match shape.contains(&0) {
                true => Ok(Tensor::floats(shape, Vec::new()).into()),
                false => self.node(Op::Slice { ranges }, &[x], shape),
            };
        };
        self.folded(&constant.tensor, &shape)?;
        let steps = strides(&from);
        let offset = ranges
            .iter()
            .zip(&steps)
            .map(|(range, step)| range.start * step);
        let strides: Vec<usize> = ranges
            .iter()
            .zip(&steps)
            .map(|(range, step)| range.step * step)
            .collect();
        if shape.contains(&0) {
            return Ok(constant.tensor.strided(shape, &strides, 0).into());
        }
        Ok(constant
            .tensor
            .strided(shape, &strides, offset.sum())
            .into())
    }

    /// The elements from `start` to `end` along `axis`.
    ///
    /// # Errors
    ///
    /// As [`slice`](Self::slice).
    pub fn slice_axis(
        &mut self,
        x: &Operand,
        axis: usize,
        start: usize,
        end: usize,
    ) -> Result<Operand> {
        let whole = |&end: &usize| SliceRange {
            start: 0,
            end,
            step: 1,
        };
        let mut ranges: Vec<SliceRange> = self.shape(x).iter().map(whole).collect();
        ranges[axis] = SliceRange {
            start,
            end,
            step: 1,
        };
        self.slice(x, ranges)
    }

    /// The entries `indices` along `axis`, each inside of it.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn select(&mut self, x: &Operand, axis: usize, indices: Vec<usize>) -> Result<Operand> {
        let mut shape = self.shape(x);
        if indices.iter().copied().eq(0..shape[axis]) {
            return Ok(x.clone());
        }
        shape[axis] = indices.len();
        if let Operand::Constant(constant) = x {
            self.folded(&constant.tensor, &shape)?;
            return Ok(constant.tensor.selected(axis, &indices).into());
        }
        self.state.fold(indices.len(), 0)?;
        let indices = indices.into_iter().map(|index| index as i64).collect();
        let list = Operand::from(Tensor::list(indices));
        self.node(Op::Select { axis }, &[x, &list], shape)
    }

    /// The operands one after the other along `axis`.
    ///
    /// # Errors
    ///
    /// The operands differ in other axes.
    pub fn concat(&mut self, parts: &[Operand], axis: usize) -> Result<Operand> {
        let shapes: Vec<Vec<usize>> = parts.iter().map(|part| self.shape(part)).collect();
        let mut shape = match shapes.first() {
            Some(first) if axis < first.len() => first.clone(),
            _ => return invalid("no operands of enough axes"),
        };
        for other in &shapes[1..] {
            let same = other.len() == shape.len()
                && (0..shape.len()).all(|i| i == axis || shape[i] == other[i]);
            if !same {
                return invalid(format!(
                    "shapes {:?} and {other:?} cannot be joined along axis {axis}",
                    shapes[0]
                ));
            }
            shape[axis] = shape[axis].saturating_add(other[axis]);
        }
        let known: Option<Vec<&Tensor>> = parts.iter().map(Operand::tensor).collect();
        if let Some(tensors) = known {
            let elements = shape::elements(&shape)?;
            self.state.fold(elements, elements)?;
            let tensors = tensors.into_iter().map(|tensor| self.dense(tensor));
            let tensors = tensors.collect::<Result<Vec<_>>>()?;
            return match Tensor::concatenated(&tensors, axis) {
                Some(tensor) => Ok(tensor.into()),
                None => invalid("floats and integers are joined"),
            };
        }
        // An operand without elements adds nothing.
        let parts: Vec<&Operand> = parts
            .iter()
            .zip(&shapes)
            .filter(|(_, shape)| shape[axis] > 0)
            .map(|(part, _)| part)
            .collect();
        match parts[..] {
            [part] => Ok(part.clone()),
            _ => self.node(Op::Concat { axis }, &parts, shape),
        }
    }

    /// Broadcast to `shape`, of the same rank or more.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn expand(&mut self, x: &Operand, shape: Vec<usize>) -> Result<Operand> {
        if let Operand::Constant(constant) = x {
            if constant.tensor.shape == shape {
                return Ok(x.clone());
            }
            self.folded(&constant.tensor, &shape)?;
            return Ok(constant.tensor.expanded(shape).into());
        }
        let x = self.with_rank(x, shape.len())?;
        match self.shape(&x) == shape {
            true => Ok(x),
            false => self.node(Op::Expand, &[&x], shape),
        }
    }

    /// Elements `value` before and after each axis.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn pad(&mut self, x: &Operand, padding: Vec<[usize; 2]>, value: f64) -> Result<Operand> {
        if padding.iter().all(|sides| *sides == [0, 0]) {
            return Ok(x.clone());
        }
        let from = self.shape(x);
        let lengths = from.iter().zip(&padding);
        let shape = lengths
            .map(|(length, [before, after])| before.saturating_add(*after).saturating_add(*length));
        let shape: Vec<usize> = shape.collect();
        if let Operand::Constant(constant) = x {
            let mut x = Operand::Constant(constant.clone());
            for (axis, sides) in padding.iter().enumerate() {
                let is_integer = constant.tensor.is_integer();
                let parts = [sides[0], sides[1]].map(|length| {
                    let mut shape = self.shape(&x);
                    shape[axis] = length;
                    (shape.clone(), shape::elements(&shape))
                });
                let mut fills = Vec::new();
                for (shape, count) in parts {
                    let count = count?;
                    self.state.fold(count, constant.tensor.len())?;
                    fills.push(Operand::from(match is_integer {
                        true => Tensor::integers(shape, vec![value as i64; count]),
                        false => Tensor::floats(shape, vec![value as f32; count]),
                    }));
                }
                let [before, after] = [fills[0].clone(), fills[1].clone()];
                x = self.concat(&[before, x, after], axis)?;
            }
            return Ok(x);
        }
        self.node(Op::Pad { padding, value }, &[x], shape)
    }

    /// An element-wise function of one tensor.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn map(&mut self, x: &Operand, op: Op) -> Result<Operand> {
        let shape = self.shape(x);
        if let Operand::Constant(constant) = x {
            self.folded(&constant.tensor, &shape)?;
            if let Some(tensor) = evaluate::map(&op, &constant.tensor) {
                return Ok(tensor.into());
            }
        }
        self.node(op, &[x], shape)
    }

    /// Arithmetic with the number `number` on the right.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn scalar(&mut self, x: &Operand, arithmetic: Arithmetic, number: f64) -> Result<Operand> {
        self.map(x, Op::Scalar(arithmetic, number))
    }

    /// Arithmetic of two tensors, broadcast to one shape.
    ///
    /// # Errors
    ///
    /// The shapes cannot be broadcast, or floats and integers are mixed.
    pub fn binary(&mut self, a: &Operand, b: &Operand, arithmetic: Arithmetic) -> Result<Operand> {
        let shapes = [self.shape(a), self.shape(b)];
        let shape = shape::broadcast(&shapes[0], &shapes[1])?;
        if let (Some(a), Some(b)) = (a.tensor(), b.tensor()) {
            self.state
                .fold(shape::elements(&shape)?, a.len().max(b.len()))?;
            let (a, b) = (self.dense(a)?, self.dense(b)?);
            return Ok(evaluate::binary(arithmetic, &a, &b, shape)?.into());
        }
        let number = |operand: &Operand| operand.tensor().and_then(Tensor::number);
        if let Some(number) = number(b).filter(|_| shapes[0] == shape) {
            return self.with_number(a, arithmetic, number);
        }
        if let Some(number) = number(a).filter(|_| shapes[1] == shape)
            && let Some(result) = self.number_with(number, b, arithmetic)?
        {
            return Ok(result);
        }
        let a = self.with_rank(a, shape.len())?;
        let b = self.with_rank(b, shape.len())?;
        self.node(Op::Binary(arithmetic), &[&a, &b], shape)
    }

    /// Arithmetic of a tensor and a number.
    fn with_number(&mut self, x: &Operand, arithmetic: Arithmetic, number: f64) -> Result<Operand> {
        match arithmetic {
            Arithmetic::Min => self.map(
                x,
                Op::Clamp {
                    min: f64::NEG_INFINITY,
                    max: number,
                },
            ),
            Arithmetic::Max => self.map(
                x,
                Op::Clamp {
                    min: number,
                    max: f64::INFINITY,
                },
            ),
            Arithmetic::Pow if number == 2.0 => self.binary(x, x, Arithmetic::Mul),
            Arithmetic::Pow if number == 1.0 => Ok(x.clone()),
            Arithmetic::Pow if number == 0.5 => self.map(x, Op::Function(Function::Sqrt)),
            Arithmetic::Pow if number == -1.0 => self.map(x, Op::Function(Function::Reciprocal)),
            _ => self.scalar(x, arithmetic, number),
        }
    }

    /// Arithmetic of a number and a tensor, if it is an operation on the tensor.
    fn number_with(
        &mut self,
        number: f64,
        x: &Operand,
        arithmetic: Arithmetic,
    ) -> Result<Option<Operand>> {
        Ok(Some(match arithmetic {
            Arithmetic::Add | Arithmetic::Mul | Arithmetic::Min | Arithmetic::Max => {
                self.with_number(x, arithmetic, number)?
            }
            Arithmetic::Sub => {
                let negative = self.scalar(x, Arithmetic::Mul, -1.0)?;
                self.scalar(&negative, Arithmetic::Add, number)?
            }
            Arithmetic::Div if number == 1.0 => self.map(x, Op::Function(Function::Reciprocal))?,
            Arithmetic::Div | Arithmetic::Pow => return Ok(None),
        }))
    }

    /// Reduction along `axes`, ascending, each kept with length 1.
    ///
    /// # Errors
    ///
    /// A limit is exceeded.
    pub fn reduce(&mut self, x: &Operand, reduction: Reduction, axes: &[usize]) -> Result<Operand> {
        let mut shape = self.shape(x);
        for &axis in axes {
            shape[axis] = 1;
        }
        if let Operand::Constant(constant) = x {
            self.folded(&constant.tensor, &shape)?;
            let tensor = self.dense(&constant.tensor)?;
            return Ok(evaluate::reduce(reduction, &tensor, shape).into());
        }
        let axes = axes.to_vec();
        let op = match reduction {
            Reduction::Mean => Op::Mean { axes },
            reduction => Op::Reduce { reduction, axes },
        };
        self.node(op, &[x], shape)
    }
}
