//! The values of a graph that is being translated from a recording.

use std::collections::{BTreeMap, HashMap};

use burn::backend::capture::TensorId;
use burn::backend::ir::TensorIr;
use burn::tensor::{DType, TensorData};

use super::capture::Boundary;
use super::value::{Origin, ParameterKind, Value, ValueData, ValueId};

/// The values of the graph under construction.
pub(super) struct Values<'a> {
    pub boundary: Boundary<'a>,
    data: BTreeMap<TensorId, TensorData>,
    pub ids: HashMap<TensorId, ValueId>,
    pub values: Vec<Value>,
}

impl<'a> Values<'a> {
    pub fn new(boundary: Boundary<'a>, data: BTreeMap<TensorId, TensorData>) -> Self {
        Self {
            boundary,
            data,
            ids: HashMap::new(),
            values: Vec::new(),
        }
    }

    /// Adds a value of `shape` that a node computes.
    pub fn computed(&mut self, shape: Vec<usize>) -> ValueId {
        self.values.push(Value {
            shape,
            dtype: DType::F32,
            origin: Origin::Computed,
            data: None,
        });
        ValueId(self.values.len() - 1)
    }

    /// Adds a constant list of indices.
    pub fn indices(&mut self, indices: Vec<i64>) -> ValueId {
        let shape = vec![indices.len()];
        let data = TensorData::new(indices, shape.clone());
        self.values.push(Value {
            shape,
            dtype: DType::I64,
            origin: Origin::Constant,
            data: Some(ValueData::Elements(data)),
        });
        ValueId(self.values.len() - 1)
    }

    /// Returns the id of the value for `tensor`, which is added at its first use.
    pub fn id(&mut self, tensor: &TensorIr) -> ValueId {
        *self.ids.entry(tensor.id).or_insert_with(|| {
            let data = self.data.remove(&tensor.id).map(ValueData::Elements);
            let origin = match self.boundary.parameters.get(&tensor.id) {
                _ if self.boundary.input == tensor.id => Origin::Input,
                Some(name) => Origin::Parameter {
                    name: name.clone(),
                    kind: ParameterKind::Trainable,
                },
                None if data.is_some() => Origin::Constant,
                None => Origin::Computed,
            };
            self.values.push(Value {
                shape: tensor.shape.as_slice().to_vec(),
                dtype: tensor.dtype,
                origin,
                data,
            });
            ValueId(self.values.len() - 1)
        })
    }
}
