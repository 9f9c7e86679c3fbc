//! Dispatch from the name of a published variant to its configuration type.

use receptive_layers::network::NetworkConfig;

/// A function of a configuration of any architecture.
pub trait Visit {
    /// The result.
    type Output;

    /// Calls the function with `config`.
    fn visit<C: NetworkConfig>(self, config: C) -> Self::Output;
}

macro_rules! architectures {
    ($($config:ty,)*) => {
        /// Calls `visit` with the configuration of the variant `name`.
        ///
        /// # Panics
        ///
        /// When no variant has this name.
        pub fn visit<V: Visit>(name: &str, visit: V) -> V::Output {
            $(
                let mut variants = <$config>::variants().into_iter();
                if let Some(variant) = variants.find(|v| v.name == name) {
                    return visit.visit(variant.config);
                }
            )*
            panic!("no variant is called {name:?}")
        }

        /// Returns the names of all variants.
        pub fn names() -> Vec<&'static str> {
            let mut names = Vec::new();
            $(names.extend(<$config>::variants().iter().map(|v| v.name));)*
            names
        }
    };
}

architectures! {
    receptive_lenet::LeNet5OriginalConfig,
    receptive_lenet::LeNet5Config,
    receptive_alexnet::AlexNetConfig,
    receptive_alexnet::AlexNetTorchvisionConfig,
    receptive_vgg::VggConfig,
    receptive_googlenet::GoogLeNetConfig,
    receptive_resnet::ResNetConfig,
    receptive_resnet::CifarResNetConfig,
    receptive_mobilenet::MobileNetV1Config,
    receptive_mobilenet::TimmMobileNetV1Config,
    receptive_mobilenet::MobileNetV2Config,
}

#[cfg(test)]
mod tests {
    use super::*;
    use receptive::registry;

    #[test]
    fn every_model_of_the_registry_can_be_visited() {
        let mut registered: Vec<&str> = registry::models().iter().map(|m| m.name).collect();
        let mut visited = names();
        registered.sort_unstable();
        visited.sort_unstable();
        assert_eq!(visited, registered);
    }
}
