//! Weights into networks and out of them.

use std::collections::{BTreeMap, HashSet};

use burn::module::Module;
use burn_store::{Applier, BurnToPyTorchAdapter, Collector, ModuleAdapter, PyTorchToBurnAdapter};

use super::error::{ShapeMismatch, WeightsError};
use super::slots::{Kind, Slot, slots};
use super::state_dict::{Naming, StateDict};
use super::tensor::WeightTensor;
use crate::network::Network;

/// What loading does with the layers whose shape depends on the number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heads {
    /// They are loaded with the rest.
    #[default]
    Load,
    /// They stay as the network has them, whatever the weights hold: for a network of another
    /// number of classes.
    Keep,
}

/// The parameters and statistics of a network, under the names and in the layouts of its published
/// weights.
///
/// Batch norms in training spread their statistics over threads: take the state of
/// `network.valid()`, which gathers them.
pub fn state_dict<N: Network>(network: &N) -> StateDict {
    collect(network, N::reference_name)
}

/// The tensors that a weight file for this network holds: names, and shapes in PyTorch's layouts.
/// No parameter is initialised.
pub fn shapes<N: Network>(network: &N) -> BTreeMap<String, Vec<usize>> {
    slots(network)
        .into_iter()
        .map(|slot| (N::reference_name(&slot.reference), slot.shape))
        .collect()
}

/// The parameters and statistics of any Burn module: its field names joined by dots, enum variants
/// left out, in PyTorch's words and layouts.
pub fn module_state_dict<M: Module>(module: &M) -> StateDict {
    collect(module, str::to_owned)
}

/// The network with these weights in place of its parameters and statistics, as `f32`.
///
/// The layers under [`Network::OPTIONAL`] are loaded where both have them, and left out
/// otherwise. Nothing is loaded unless everything fits, and no parameter is initialised first.
///
/// # Errors
///
/// [`WeightsError::Mismatch`] lists all that is missing, unexpected, or of another shape; other
/// errors when a tensor cannot be read.
pub fn load<N: Network>(network: N, weights: &StateDict, heads: Heads) -> Result<N, WeightsError> {
    let scope = Scope {
        rename: N::reference_name,
        optional: N::OPTIONAL,
        kept: match heads {
            Heads::Load => &[],
            Heads::Keep => N::HEAD,
        },
    };
    put(network, weights, &scope)
}

/// The module with these weights in place of its parameters, as [`load`] does; the names are those
/// of [`module_state_dict`].
///
/// # Errors
///
/// As [`load`].
pub fn load_module<M: Module>(module: M, weights: &StateDict) -> Result<M, WeightsError> {
    let scope = Scope {
        rename: str::to_owned,
        optional: &[],
        kept: &[],
    };
    put(module, weights, &scope)
}

/// Which tensors of a module are loaded, and their names.
struct Scope {
    rename: fn(&str) -> String,
    /// Prefixes that count where both sides have them.
    optional: &'static [&'static str],
    /// Prefixes that stay as they are.
    kept: &'static [&'static str],
}

fn collect<M: Module>(module: &M, rename: fn(&str) -> String) -> StateDict {
    let adapter: Box<dyn ModuleAdapter> = Box::new(BurnToPyTorchAdapter);
    let mut collector = Collector::new(None, Some(adapter), true);
    module.visit(&mut collector);
    let mut dictionary = StateDict::new();
    for tensor in collector.into_tensors() {
        let name = rename(&tensor.name);
        dictionary.insert_tensor(WeightTensor::new(tensor).renamed(name));
    }
    dictionary
}

fn put<M: Module>(module: M, weights: &StateDict, scope: &Scope) -> Result<M, WeightsError> {
    let slots = slots(&module);
    let pairs = matched(&slots, weights, scope)?;
    let tensors = pairs
        .into_iter()
        .map(|(slot, tensor)| tensor.for_module(slot.path.clone()))
        .collect();
    let adapter: Option<Box<dyn ModuleAdapter>> = match weights.naming() {
        Naming::Reference => Some(Box::new(PyTorchToBurnAdapter)),
        Naming::Burn => None,
    };
    let mut applier = Applier::new(tensors, None, adapter, true);
    let module = module.map(&mut applier);
    match applier.into_result().errors.into_iter().next() {
        None => Ok(module),
        Some(error) => Err(unreadable(error)),
    }
}

fn unreadable(error: burn_store::ApplyError) -> WeightsError {
    use burn_store::ApplyError as E;
    let (E::ShapeMismatch { path, .. }
    | E::DTypeMismatch { path, .. }
    | E::AdapterError { path, .. }
    | E::LoadError { path, .. }) = &error;
    WeightsError::Tensor {
        name: path.clone(),
        reason: error.to_string(),
    }
}

/// Each slot to load with its tensor, or all that does not fit.
fn matched<'a>(
    slots: &'a [Slot],
    weights: &'a StateDict,
    scope: &Scope,
) -> Result<Vec<(&'a Slot, &'a WeightTensor)>, WeightsError> {
    let references: Vec<String> = slots
        .iter()
        .map(|slot| (scope.rename)(&slot.reference))
        .collect();
    // The heads and options are prefixes of reference names; weights of Burn's naming are looked
    // up by another name and belong where their slot does.
    let key = |index: usize| match weights.naming() {
        Naming::Reference => references[index].as_str(),
        Naming::Burn => slots[index].burn_name.as_str(),
    };
    let left_out = left_out(&references, weights, scope);
    let mut known = HashSet::new();
    let mut pairs = Vec::new();
    let (mut missing, mut shapes, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (index, slot) in slots.iter().enumerate() {
        let name = key(index);
        known.insert(name);
        if under(&references[index], &left_out) {
            continue;
        }
        let expected = match weights.naming() {
            Naming::Reference => &slot.shape,
            Naming::Burn => &slot.burn_shape,
        };
        match weights.get(name) {
            None => missing.push(name.to_owned()),
            Some(tensor) if tensor.shape() != expected => shapes.push(ShapeMismatch {
                name: name.to_owned(),
                expected: expected.clone(),
                found: tensor.shape().to_vec(),
            }),
            Some(tensor) if Kind::of(tensor.dtype()) != slot.kind => kinds.push((slot, tensor)),
            Some(tensor) => pairs.push((slot, tensor)),
        }
    }
    let unexpected: Vec<String> = weights
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !known.contains(name) && !under(name, &left_out))
        .map(str::to_owned)
        .collect();
    if !(missing.is_empty() && unexpected.is_empty() && shapes.is_empty()) {
        return Err(WeightsError::Mismatch {
            missing,
            unexpected,
            shapes,
        });
    }
    match kinds.first() {
        None => Ok(pairs),
        Some((slot, tensor)) => Err(tensor.unusable(format!(
            "holds {}, expected {}",
            Kind::of(tensor.dtype()).name(),
            slot.kind.name()
        ))),
    }
}

/// The prefixes that loading passes over: those kept, and the options that only one side has.
fn left_out(references: &[String], weights: &StateDict, scope: &Scope) -> Vec<&'static str> {
    let one_sided = |prefix: &&&str| {
        let network = references.iter().any(|name| under(name, &[prefix]));
        let file = weights.iter().any(|(name, _)| under(name, &[prefix]));
        network != file
    };
    let options = scope.optional.iter().filter(one_sided);
    scope.kept.iter().chain(options).copied().collect()
}

/// Whether a name is one of the prefixes, or in one of the modules that they name.
fn under(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
