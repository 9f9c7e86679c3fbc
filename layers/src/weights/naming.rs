//! Naming conventions of weight files, and the names that a network's published weights use.

use burn::module::Module;

/// The library whose tensor names and layouts a weight file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Naming {
    /// PyTorch: a norm has `weight` and `bias`, a fully connected weight is `[out, in]`.
    #[default]
    PyTorch,
    /// Burn: a norm has `gamma` and `beta`, a fully connected weight is `[in, out]`.
    Burn,
}

/// A module whose tensors have names in published weight files.
///
/// Every `Network` implements this trait. Any other Burn module is loaded by
/// [`load_module`](super::load_module), under its own names.
pub trait PublishedNames: Module {
    /// Published prefixes of the layers whose shape depends on the number of classes.
    const CLASS_LAYERS: &'static [&'static str];

    /// Published prefixes of the layers that only training uses, which a weight file or a network
    /// may lack.
    const OPTIONAL_LAYERS: &'static [&'static str];

    /// Returns the published name of the tensor at the module path `path`, which leaves out enum
    /// variants and uses PyTorch's words.
    fn published_name(path: &str) -> String;
}
