//! What the names of a file stand for.

use std::rc::Rc;

use receptive_layers::graph::ValueId;

use super::tensor::Tensor;

/// What a name of the file stands for.
#[derive(Debug, Clone)]
pub enum Operand {
    /// A tensor of known elements.
    Constant(Constant),
    /// Numbers that depend on the input.
    Value(ValueId),
    /// Whole numbers that depend on the input. They can be moved and cast to numbers.
    Integers(ValueId),
}

/// A tensor of known elements.
#[derive(Debug, Clone)]
pub struct Constant {
    /// The elements.
    pub tensor: Tensor,
    /// Name in the file, for a constant with the elements of an initializer.
    pub name: Option<Rc<str>>,
}

impl Operand {
    /// Returns the tensor, if it is known.
    pub fn tensor(&self) -> Option<&Tensor> {
        match self {
            Self::Constant(constant) => Some(&constant.tensor),
            Self::Value(_) | Self::Integers(_) => None,
        }
    }
}

impl From<Tensor> for Operand {
    fn from(tensor: Tensor) -> Self {
        Self::Constant(Constant { tensor, name: None })
    }
}
