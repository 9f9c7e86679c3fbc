//! Lists of networks, as types.

use receptive_layers::network::NetworkConfig;

use super::Model;
use crate::error::CliError;

/// A function of the configuration types of a [`Registry`].
pub trait ConfigVisitor {
    /// Calls the function with the configuration type `C` of the architecture `family`.
    fn visit<C: NetworkConfig<Network: 'static> + 'static>(&mut self, family: &'static str);
}

/// A list of configuration types, which [`networks!`](crate::networks) defines.
pub trait Registry {
    /// Calls `visitor` with every configuration type, in order.
    fn visit(visitor: &mut impl ConfigVisitor);

    /// Returns every published variant of every configuration type, in order.
    fn models() -> Vec<Model> {
        let mut models = Models(Vec::new());
        Self::visit(&mut models);
        models.0
    }

    /// Returns the variant called `name`.
    ///
    /// # Errors
    ///
    /// [`CliError::UnknownModel`], which suggests similar names.
    fn model(name: &str) -> Result<Model, CliError> {
        let models = Self::models();
        let names: Vec<&'static str> = models.iter().map(|model| model.name).collect();
        models
            .into_iter()
            .find(|model| model.name == name)
            .ok_or_else(|| CliError::UnknownModel {
                requested: name.to_owned(),
                near: similar(name, names),
            })
    }
}

/// Defines a [`Registry`](crate::registry::Registry): each line is a configuration type and the
/// name of its architecture.
///
/// ```
/// use receptive::registry::Registry;
///
/// receptive::networks! {
///     /// The networks of He et al. 2015.
///     struct Residual {
///         receptive_resnet::ResNetConfig => "ResNet",
///         receptive_resnet::CifarResNetConfig => "ResNet",
///     }
/// }
///
/// assert_eq!(Residual::models().len(), 11);
/// ```
#[macro_export]
macro_rules! networks {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $registry:ident {
            $($config:ty => $family:literal,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility struct $registry;

        impl $crate::registry::Registry for $registry {
            fn visit(visitor: &mut impl $crate::registry::ConfigVisitor) {
                $($crate::registry::ConfigVisitor::visit::<$config>(visitor, $family);)*
            }
        }
    };
}

/// A visitor that collects the variants, with their types erased.
struct Models(Vec<Model>);

impl ConfigVisitor for Models {
    fn visit<C: NetworkConfig<Network: 'static> + 'static>(&mut self, family: &'static str) {
        let variants = C::variants().into_iter();
        self.0
            .extend(variants.map(|variant| Model::new(family, variant)));
    }
}

/// Returns up to three names similar to `requested`, most similar first.
fn similar(requested: &str, names: Vec<&'static str>) -> Vec<&'static str> {
    let requested = requested.to_lowercase().replace('_', "-");
    let mut similar: Vec<(f64, &'static str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&requested, name), name))
        .filter(|&(similarity, _)| similarity > 0.8)
        .collect();
    similar.sort_by(|a, b| b.0.total_cmp(&a.0));
    similar.into_iter().take(3).map(|(_, name)| name).collect()
}
