//! The tensors of a module by name and shape, found without initializing a parameter.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Bytes, DType, Int, Shape, Tensor};
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{BurnToPyTorchAdapter, ModuleAdapter, ModuleContext};

/// A parameter or statistic of a module: its names and shapes in Burn and in PyTorch.
pub(crate) struct Slot {
    /// Module path without enum variants, by which Burn's `Applier` finds the parameter.
    pub path: String,
    /// Name in Burn: the module path with enum variants.
    pub burn_name: String,
    /// Shape in Burn's layout.
    pub burn_shape: Vec<usize>,
    /// Module path without enum variants, in PyTorch's words.
    pub reference: String,
    /// Shape in PyTorch's layout.
    pub shape: Vec<usize>,
    /// Kind of the elements.
    pub kind: ElementKind,
}

/// Kind of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElementKind {
    Float,
    Int,
    Bool,
}

impl ElementKind {
    /// Returns the kind of `dtype`.
    pub(super) fn of(dtype: DType) -> Self {
        match dtype {
            DType::Bool(_) => Self::Bool,
            dtype if dtype.is_int() || dtype.is_uint() => Self::Int,
            _ => Self::Float,
        }
    }

    /// Returns the name for error messages, in the plural.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Float => "floating-point numbers",
            Self::Int => "integers",
            Self::Bool => "booleans",
        }
    }
}

/// Returns the slots of a module in the order of its fields.
pub(crate) fn slots<M: Module>(module: &M) -> Vec<Slot> {
    let mut finder = Finder::default();
    module.visit(&mut finder);
    finder.slots
}

/// Visitor that collects the slots of a module.
#[derive(Default)]
struct Finder {
    slots: Vec<Slot>,
    /// Field names and enum variants, outermost first.
    names: Vec<String>,
    /// Container type of the module that has the field, for each name.
    containers: Vec<String>,
}

impl Finder {
    /// Adds a slot for the tensor at the current path.
    fn add(&mut self, shape: &Shape, kind: ElementKind) {
        let fields = self.names.iter().zip(&self.containers);
        let path = fields
            .filter(|(_, container)| !container.starts_with(ENUM))
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(".");
        // Burn's adapter translates names and shapes to PyTorch's, here of a tensor without values.
        let burn = StoredTensor::new(
            path.clone(),
            DType::F32,
            shape.clone(),
            None,
            Bytes::from_bytes_vec(Vec::new()),
        );
        let pytorch = BurnToPyTorchAdapter.adapt(burn, ModuleContext::new(&self.containers));
        self.slots.push(Slot {
            path,
            burn_name: self.names.join("."),
            burn_shape: shape.to_vec(),
            shape: pytorch.shape.to_vec(),
            reference: pytorch.name,
            kind,
        });
    }
}

/// Prefix of the container type of an enum, set by Burn's derive macro.
const ENUM: &str = "Enum:";

impl ModuleVisitor for Finder {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.names.push(name.to_owned());
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(&param.lazy_shape(), ElementKind::Float);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(&param.lazy_shape(), ElementKind::Int);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add(&param.lazy_shape(), ElementKind::Bool);
    }
}
