//! The places of a module that weights go to, found without initialising any parameter.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Bytes, DType, Int, Shape, Tensor};
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{BurnToPyTorchAdapter, ModuleAdapter, ModuleContext};

/// A parameter or statistic of a module, by its names and shapes here and in PyTorch.
pub(crate) struct Slot {
    /// Module path without enum variants, which is where the applier puts the values.
    pub path: String,
    /// Burn's name: the module path with enum variants.
    pub burn_name: String,
    /// The shape under Burn's name.
    pub burn_shape: Vec<usize>,
    /// The path without enum variants in PyTorch's words.
    pub reference: String,
    /// The shape in PyTorch's layout.
    pub shape: Vec<usize>,
    /// What the elements are.
    pub kind: Kind,
}

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Int,
    Bool,
}

impl Kind {
    pub(super) fn of(dtype: DType) -> Self {
        match dtype {
            DType::Bool(_) => Self::Bool,
            dtype if dtype.is_int() || dtype.is_uint() => Self::Int,
            _ => Self::Float,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Float => "floating-point numbers",
            Self::Int => "integers",
            Self::Bool => "booleans",
        }
    }
}

/// Every slot of a module, in its own order.
pub(crate) fn slots<M: Module>(module: &M) -> Vec<Slot> {
    let mut finder = Finder::default();
    module.visit(&mut finder);
    finder.slots
}

#[derive(Default)]
struct Finder {
    slots: Vec<Slot>,
    /// Field names and enum variants, outermost first.
    names: Vec<String>,
    /// For each name, what kind of module has it.
    containers: Vec<String>,
}

impl Finder {
    fn add(&mut self, shape: &Shape, kind: Kind) {
        let fields = self.names.iter().zip(&self.containers);
        let path = fields
            .filter(|(_, container)| !container.starts_with(ENUM))
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(".");
        // Burn's own adapter knows the names and layouts of PyTorch; the tensor it is shown has
        // no values.
        let here = StoredTensor::new(
            path.clone(),
            DType::F32,
            shape.clone(),
            None,
            Bytes::from_bytes_vec(Vec::new()),
        );
        let there = BurnToPyTorchAdapter.adapt(here, ModuleContext::new(&self.containers));
        self.slots.push(Slot {
            path,
            burn_name: self.names.join("."),
            burn_shape: shape.to_vec(),
            shape: there.shape.to_vec(),
            reference: there.name,
            kind,
        });
    }
}

/// What Burn's derive puts before the name of an enum.
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
        self.add(&param.lazy_shape(), Kind::Float);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(&param.lazy_shape(), Kind::Int);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add(&param.lazy_shape(), Kind::Bool);
    }
}
