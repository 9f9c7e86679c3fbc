//! The tensors of a graph: shape, type, origin and elements.

use burn::tensor::{DType, TensorData};

/// The index of a [`Value`] in [`Graph::values`](super::Graph::values).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(super) usize);

impl ValueId {
    /// Returns the index in [`Graph::values`](super::Graph::values).
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A tensor of a [`Graph`](super::Graph).
#[derive(Debug, Clone)]
pub struct Value {
    /// Shape.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: DType,
    /// Origin of the tensor: the input, a parameter, a constant, or a node.
    pub origin: Origin,
    /// Elements of a parameter or constant, if they are known.
    pub data: Option<ValueData>,
}

/// Where a [`Value`] comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The network's input.
    Input,
    /// A parameter or buffer of the module.
    Parameter {
        /// The module path in PyTorch's naming, without enum variants: `bn1.running_mean`, and
        /// `weight` and `bias` of a norm.
        name: String,
        /// Whether the gradient trains the parameter.
        kind: ParameterKind,
    },
    /// A tensor that neither depends on the input nor is a parameter.
    Constant,
    /// The output of a node.
    Computed,
}

/// Whether the gradient trains a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// The gradient trains the parameter. Frozen parameters count as trainable.
    Trainable,
    /// No gradient trains the parameter: running statistics, and the centres of radial basis
    /// functions.
    Fixed,
}

/// The elements of a [`Value`].
#[derive(Debug, Clone, PartialEq)]
pub enum ValueData {
    /// Every element, in row-major order.
    Elements(TensorData),
    /// One number that all elements equal.
    Fill(f64),
}

impl Value {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the same elements in another shape.
    pub(super) fn reshaped(&self, shape: Vec<usize>) -> Self {
        let data = self.data.clone().map(|data| match data {
            ValueData::Elements(data) => {
                let (bytes, _, dtype) = data.into_parts();
                ValueData::Elements(TensorData::from_bytes(bytes, shape.clone(), dtype))
            }
            ValueData::Fill(number) => ValueData::Fill(number),
        });
        Self {
            shape,
            dtype: self.dtype,
            origin: self.origin.clone(),
            data,
        }
    }

    /// Returns the name and kind of a parameter, or `None` for any other value.
    pub fn parameter(&self) -> Option<(&str, ParameterKind)> {
        match &self.origin {
            Origin::Parameter { name, kind } => Some((name, *kind)),
            _ => None,
        }
    }
}
