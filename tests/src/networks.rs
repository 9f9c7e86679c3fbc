//! The networks that the tests iterate, and dispatch from a variant's name to its configuration
//! type.

use receptive::registry::{ConfigVisitor, Published, Registry};
use receptive_layers::network::{Network, NetworkConfig, Variant};
use receptive_layers::weights;

use crate::devices;

receptive::networks! {
    /// A network that only the tests have. Its line is all that a new network needs to be listed,
    /// costed, drawn, compiled, compared with its reference and trained by the tests.
    pub struct Extra {
        crate::tiny::TinyConfig => "Tiny",
    }
}

/// Every network of the tests: those of the workspace, and [`Extra`].
#[derive(Debug, Clone, Copy)]
pub struct Tested;

impl Registry for Tested {
    fn visit(visitor: &mut impl ConfigVisitor) {
        Published::visit(visitor);
        Extra::visit(visitor);
    }
}

/// Returns the names of all variants of [`Tested`], in order.
pub fn names() -> Vec<&'static str> {
    Tested::models().iter().map(|model| model.name).collect()
}

/// Returns the name of a variant of each configuration type of [`Tested`]: the first one with batch
/// norm, or else the first one.
pub fn one_of_each_type() -> Vec<&'static str> {
    struct Chosen(Vec<&'static str>);

    impl ConfigVisitor for Chosen {
        fn visit<C: NetworkConfig<Network: 'static> + 'static>(&mut self, _family: &'static str) {
            let variants = C::variants();
            let has_batch_norm = |variant: &&Variant<C>| {
                let shapes = weights::shapes(&variant.config.init(&devices::flex()));
                shapes.keys().any(|name| name.ends_with(".running_mean"))
            };
            let chosen = variants.iter().find(has_batch_norm).or(variants.first());
            self.0.extend(chosen.map(|variant| variant.name));
        }
    }

    let mut chosen = Chosen(Vec::new());
    Tested::visit(&mut chosen);
    chosen.0
}

/// Whether `name` is the first variant of its configuration type. The slow tests of the other networks
/// run on request.
pub fn is_first_of_its_type(name: &str) -> bool {
    struct Firsts(Vec<&'static str>);

    impl ConfigVisitor for Firsts {
        fn visit<C: NetworkConfig<Network: 'static> + 'static>(&mut self, _family: &'static str) {
            self.0
                .extend(C::variants().first().map(|variant| variant.name));
        }
    }

    let mut firsts = Firsts(Vec::new());
    Tested::visit(&mut firsts);
    firsts.0.contains(&name)
}

/// A function of a configuration of any architecture.
pub trait Visit {
    /// The result.
    type Output;

    /// Calls the function with `config`.
    fn visit<C: NetworkConfig<Network: 'static>>(self, config: C) -> Self::Output;
}

/// Calls `visit` with the configuration of the variant of [`Tested`] called `name`.
///
/// # Panics
///
/// When no variant has this name.
pub fn visit<V: Visit>(name: &str, visit: V) -> V::Output {
    let mut search = Search {
        name,
        visit: Some(visit),
        output: None,
    };
    Tested::visit(&mut search);
    search
        .output
        .unwrap_or_else(|| panic!("no variant is called {name:?}"))
}

/// Returns the number of trainable parameters of the variant of [`Tested`] called `name`, without
/// auxiliary heads.
///
/// # Panics
///
/// When no variant has this name.
pub fn parameters(name: &str) -> u64 {
    struct Parameters;

    impl Visit for Parameters {
        type Output = usize;

        fn visit<C: NetworkConfig>(self, config: C) -> usize {
            config.init(&devices::flex()).num_trainable_params()
        }
    }

    visit(name, Parameters) as u64
}

/// A visitor that calls a function with the configuration of the variant `name`.
struct Search<'a, V: Visit> {
    name: &'a str,
    visit: Option<V>,
    output: Option<V::Output>,
}

impl<V: Visit> ConfigVisitor for Search<'_, V> {
    fn visit<C: NetworkConfig<Network: 'static> + 'static>(&mut self, _family: &'static str) {
        let mut variants = C::variants().into_iter();
        let Some(variant) = variants.find(|variant| variant.name == self.name) else {
            return;
        };
        if let Some(visit) = self.visit.take() {
            self.output = Some(visit.visit(variant.config));
        }
    }
}
