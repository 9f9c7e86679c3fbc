//! The constants of a file.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::elements;
use super::error::ReadError;
use super::external::ExternalData;
use super::tensor::Tensor;
use crate::proto::{DataLocation, GraphProto, TensorProto};

/// The constants of a file by name. They are decoded when they are first read.
pub struct Initializers<'a> {
    protos: HashMap<&'a str, &'a TensorProto>,
    decoded: RefCell<HashMap<&'a str, Tensor>>,
    /// Transposed matrices.
    transposed: RefCell<HashMap<String, Tensor>>,
    external: RefCell<ExternalData>,
    elements: Cell<usize>,
}

impl<'a> Initializers<'a> {
    /// The constants of `graph`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Duplicate`], [`ReadError::Sparse`].
    pub fn new(graph: &'a GraphProto, external: ExternalData) -> Result<Self, ReadError> {
        if let Some(sparse) = graph.sparse_initializer.first() {
            let values = sparse.values.as_ref();
            return Err(ReadError::Sparse {
                tensor: values.map_or_else(String::new, |values| values.name.clone()),
            });
        }
        let mut protos = HashMap::new();
        for tensor in &graph.initializer {
            if protos.insert(tensor.name.as_str(), tensor).is_some() {
                return Err(ReadError::Duplicate {
                    name: tensor.name.clone(),
                });
            }
        }
        Ok(Self {
            protos,
            decoded: RefCell::new(HashMap::new()),
            transposed: RefCell::new(HashMap::new()),
            external: RefCell::new(external),
            elements: Cell::new(0),
        })
    }

    /// Returns whether there is a constant called `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.protos.contains_key(name)
    }

    /// Returns the number of elements that were decoded.
    pub fn elements(&self) -> usize {
        self.elements.get()
    }

    /// Frees the decoded constants that no value shares.
    pub fn clear(&self) {
        self.decoded.borrow_mut().clear();
        self.transposed.borrow_mut().clear();
    }

    /// Returns the constant called `name`, if there is one.
    ///
    /// # Errors
    ///
    /// [`ReadError::Tensor`], [`ReadError::ExternalData`].
    pub fn read(&self, name: &str) -> Result<Option<Tensor>, ReadError> {
        let Some((&name, &proto)) = self.protos.get_key_value(name) else {
            return Ok(None);
        };
        if let Some(tensor) = self.decoded.borrow().get(name) {
            return Ok(Some(tensor.clone()));
        }
        let tensor = self.attribute(proto, name)?;
        self.decoded.borrow_mut().insert(name, tensor.clone());
        Ok(Some(tensor))
    }

    /// Whether `tensor` is the constant called `name` in its own shape.
    pub fn is(&self, name: &str, tensor: &Tensor) -> bool {
        let decoded = self.decoded.borrow();
        decoded
            .get(name)
            .is_some_and(|own| own.shape == tensor.shape)
    }

    /// Returns the transposed matrix of the matrix called `name`, which `tensor` is. It is computed once for all graphs of
    /// the file.
    pub fn transposed(&self, name: &str, tensor: &Tensor) -> Tensor {
        if let Some(transposed) = self.transposed.borrow().get(name) {
            return transposed.clone();
        }
        let transposed = tensor.transposed();
        let mut all = self.transposed.borrow_mut();
        all.insert(name.to_owned(), transposed.clone());
        transposed
    }

    /// Returns the tensor of an attribute of the node `node`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn attribute(&self, tensor: &TensorProto, node: &str) -> Result<Tensor, ReadError> {
        let tensor = decode(tensor, node, &mut self.external.borrow_mut())?;
        self.elements.set(self.elements.get() + tensor.len());
        Ok(tensor)
    }
}

fn decode(
    proto: &TensorProto,
    name: &str,
    external: &mut ExternalData,
) -> Result<Tensor, ReadError> {
    let is_external = proto.data_location == DataLocation::External as i32;
    let raw = match is_external {
        true => Some(
            external
                .read(proto)
                .map_err(|message| ReadError::ExternalData {
                    tensor: name.to_owned(),
                    message,
                })?,
        ),
        false => None,
    };
    elements::decode(proto, raw.as_ref()).map_err(|fault| ReadError::Tensor {
        tensor: name.to_owned(),
        message: fault.to_string(),
    })
}
