//! Loading weights into modules, and extracting the weights of modules.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::module::Module;
use burn_store::{
    Applier, ApplyError, BurnToPyTorchAdapter, Collector, ModuleAdapter, PyTorchToBurnAdapter,
};

use super::error::{ShapeMismatch, WeightsError};
use super::naming::{Naming, PublishedNames};
use super::slots::{ElementKind, Slot, slots};
use super::state_dict::StateDict;
use super::tensor::WeightTensor;

/// Treatment of the layers whose shape depends on the number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heads {
    /// Load these layers like the others.
    #[default]
    Load,
    /// Keep the network's values of these layers and ignore those of the weights, as for a network
    /// with another number of classes.
    Keep,
}

/// Returns the parameters and statistics of a network, under the names and in the layouts of its
/// published weights.
///
/// A batch norm in training keeps running statistics per thread: pass `network.valid()`, which
/// merges them.
pub fn state_dict<N: PublishedNames>(network: &N) -> StateDict {
    collect(network, N::published_name)
}

/// Returns the names of the tensors in a weight file of this network, with their shapes in
/// PyTorch's layouts. No parameter is initialized.
pub fn shapes<N: PublishedNames>(network: &N) -> BTreeMap<String, Vec<usize>> {
    slots(network)
        .into_iter()
        .map(|slot| (N::published_name(&slot.reference), slot.shape))
        .collect()
}

/// Removes what stands before the names of the network's tensors in `weights`: wrappers of the network
/// when it was saved, such as `module.`, `_orig_mod.`, `model.` or `backbone.`, or the folder of the
/// weights in a checkpoint of a training run, such as `weights/`. Returns the renamed tensors, without
/// those that do not have the prefix, and the prefix; `weights` and `None` if they have no prefix.
///
/// Of several prefixes, such as those of weights and of their average, the one with the most tensors
/// of the network is removed; of equal ones, `average/` of a checkpoint, then one without `ema`, then
/// the shortest.
pub fn without_prefix<N: PublishedNames>(
    network: &N,
    weights: StateDict,
) -> (StateDict, Option<String>) {
    if weights.naming() == Naming::Burn {
        return (weights, None);
    }
    let names = shapes(network);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (name, _) in weights.iter() {
        let starts = name.match_indices(['.', '/']).map(|(index, _)| index + 1);
        for start in std::iter::once(0).chain(starts) {
            if names.contains_key(&name[start..]) {
                *counts.entry(&name[..start]).or_default() += 1;
            }
        }
    }
    let preference = |prefix: &str| {
        let average = prefix == "average/";
        (!average, prefix.contains("ema"), prefix.len())
    };
    let best = counts.iter().min_by(|(a, count_a), (b, count_b)| {
        (count_b.cmp(count_a))
            .then_with(|| preference(a).cmp(&preference(b)))
            .then_with(|| a.cmp(b))
    });
    match best {
        // Fewer than half of the names are a coincidence.
        Some((&prefix, &count)) if !prefix.is_empty() && 2 * count >= names.len() => {
            let prefix = prefix.to_owned();
            (weights.without_prefix(&prefix), Some(prefix))
        }
        _ => (weights, None),
    }
}

/// Returns the number of classes of `N`'s head in `weights`, or `None` if `weights` contain no head.
pub fn classes<N: PublishedNames>(weights: &StateDict) -> Option<usize> {
    // The only dimension of a bias is the number of classes; the layout of a weight varies.
    weights
        .iter()
        .filter(|(name, _)| has_prefix(name, N::CLASS_LAYERS))
        .min_by_key(|(_, tensor)| tensor.shape().len())
        .and_then(|(_, tensor)| tensor.shape().first().copied())
}

/// Returns the parameters and statistics of any Burn module, in PyTorch's words and layouts. A name
/// consists of field names joined by dots, without enum variants.
pub fn module_state_dict<M: Module>(module: &M) -> StateDict {
    collect(module, str::to_owned)
}

/// Replaces the parameters and statistics of `network` by `weights`, converted to `f32`.
///
/// Layers under [`PublishedNames::OPTIONAL_LAYERS`] are loaded if both the network and the weights
/// have them, and skipped otherwise. All names and shapes are compared before the first tensor is
/// loaded, and parameters are not initialized first.
///
/// # Errors
///
/// [`WeightsError::Classes`] if only the number of classes differs; [`WeightsError::Mismatch`] lists all
/// missing tensors, unexpected tensors and different shapes; [`WeightsError::Tensor`] if a tensor
/// cannot be read.
pub fn load<N: PublishedNames>(
    network: N,
    weights: &StateDict,
    heads: Heads,
) -> Result<N, WeightsError> {
    let rules = LoadRules {
        rename: N::published_name,
        heads: N::CLASS_LAYERS,
        optional: N::OPTIONAL_LAYERS,
        kept: match heads {
            Heads::Load => &[],
            Heads::Keep => N::CLASS_LAYERS,
        },
    };
    load_with(network, weights, &rules)
}

/// Replaces the parameters and statistics of any Burn module by `weights`, which has the names of
/// [`module_state_dict`].
///
/// # Errors
///
/// See [`load`].
pub fn load_module<M: Module>(module: M, weights: &StateDict) -> Result<M, WeightsError> {
    let rules = LoadRules {
        rename: str::to_owned,
        heads: &[],
        optional: &[],
        kept: &[],
    };
    load_with(module, weights, &rules)
}

/// Rules that select tensors of a module and give their names in the weights.
struct LoadRules {
    /// Maps a module path in PyTorch's words to the name in the weights.
    rename: fn(&str) -> String,
    /// Prefixes of the layers whose shape depends on the number of classes.
    heads: &'static [&'static str],
    /// Prefixes of layers that are loaded only if both module and weights have them.
    optional: &'static [&'static str],
    /// Prefixes of layers that are not loaded.
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

fn load_with<M: Module>(
    module: M,
    weights: &StateDict,
    rules: &LoadRules,
) -> Result<M, WeightsError> {
    let slots = slots(&module);
    let tensors = match_tensors(&slots, weights, rules)?
        .into_iter()
        .map(|(slot, tensor)| tensor.for_module(slot.path.clone()))
        .collect();
    let adapter: Option<Box<dyn ModuleAdapter>> = match weights.naming() {
        Naming::PyTorch => Some(Box::new(PyTorchToBurnAdapter)),
        Naming::Burn => None,
    };
    let mut applier = Applier::new(tensors, None, adapter, true);
    let module = module.map(&mut applier);
    match applier.into_result().errors.into_iter().next() {
        None => Ok(module),
        Some(error) => Err(tensor_error(error)),
    }
}

fn tensor_error(error: ApplyError) -> WeightsError {
    let (ApplyError::ShapeMismatch { path, .. }
    | ApplyError::DTypeMismatch { path, .. }
    | ApplyError::AdapterError { path, .. }
    | ApplyError::LoadError { path, .. }) = &error;
    WeightsError::Tensor {
        name: path.clone(),
        reason: error.to_string(),
    }
}

/// Returns each slot to load with its tensor, or an error with all differences.
fn match_tensors<'a>(
    slots: &'a [Slot],
    weights: &'a StateDict,
    rules: &LoadRules,
) -> Result<Vec<(&'a Slot, &'a WeightTensor)>, WeightsError> {
    let published: Vec<String> = slots
        .iter()
        .map(|slot| (rules.rename)(&slot.reference))
        .collect();
    // The prefixes of kept and optional layers are published names. Weights under Burn's names are
    // looked up by `burn_name`, and the prefixes still apply to the slot's published name.
    let key = |index: usize| match weights.naming() {
        Naming::PyTorch => published[index].as_str(),
        Naming::Burn => slots[index].burn_name.as_str(),
    };
    let skipped = skipped_prefixes(&published, weights, rules);
    let mut known = HashSet::new();
    let mut pairs = Vec::new();
    let (mut missing, mut shapes, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (index, slot) in slots.iter().enumerate() {
        let name = key(index);
        known.insert(name);
        if has_prefix(&published[index], &skipped) {
            continue;
        }
        let expected = match weights.naming() {
            Naming::PyTorch => &slot.shape,
            Naming::Burn => &slot.burn_shape,
        };
        match weights.get(name) {
            None => missing.push(name.to_owned()),
            Some(tensor) if tensor.shape() != expected => shapes.push(ShapeMismatch {
                name: name.to_owned(),
                expected: expected.clone(),
                found: tensor.shape().to_vec(),
            }),
            Some(tensor) if ElementKind::of(tensor.dtype()) != slot.kind => {
                kinds.push((slot, tensor))
            }
            Some(tensor) => pairs.push((slot, tensor)),
        }
    }
    let unexpected: Vec<String> = weights
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !known.contains(name) && !has_prefix(name, &skipped))
        .map(str::to_owned)
        .collect();
    if missing.is_empty()
        && unexpected.is_empty()
        && let Some((found, expected)) = other_classes(&shapes, rules.heads)
    {
        return Err(WeightsError::Classes { found, expected });
    }
    if !(missing.is_empty() && unexpected.is_empty() && shapes.is_empty()) {
        return Err(WeightsError::Mismatch {
            missing,
            unexpected,
            shapes,
        });
    }
    match kinds.first() {
        None => Ok(pairs),
        Some((slot, tensor)) => Err(tensor.error(format!(
            "contains {}, expected {}",
            ElementKind::of(tensor.dtype()).name(),
            slot.kind.name()
        ))),
    }
}

/// Returns the numbers of classes of the weights and of the network if these numbers are the only
/// differences in `shapes`.
fn other_classes(shapes: &[ShapeMismatch], heads: &[&str]) -> Option<(usize, usize)> {
    let classes = |shape: &ShapeMismatch| {
        let head = has_prefix(&shape.name, heads);
        let same_inputs = shape.found.get(1..) == shape.expected.get(1..);
        let counts = Option::zip(
            shape.found.first().copied(),
            shape.expected.first().copied(),
        );
        counts.filter(|_| head && same_inputs)
    };
    let counts = classes(shapes.first()?);
    let same = |shape| classes(shape) == counts;
    counts.filter(|_| shapes.iter().all(same))
}

/// Returns the prefixes of the layers that are not loaded: the kept layers, and the optional layers
/// that only the module or only the weights have.
fn skipped_prefixes(
    published: &[String],
    weights: &StateDict,
    rules: &LoadRules,
) -> Vec<&'static str> {
    let one_sided = |prefix: &&&str| {
        let in_module = published.iter().any(|name| has_prefix(name, &[prefix]));
        let in_weights = weights.iter().any(|(name, _)| has_prefix(name, &[prefix]));
        in_module != in_weights
    };
    let optional = rules.optional.iter().filter(one_sided);
    rules.kept.iter().chain(optional).copied().collect()
}

/// Returns whether `name` equals one of `prefixes` or continues it after a dot.
fn has_prefix(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
