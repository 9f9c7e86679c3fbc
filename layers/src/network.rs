//! The interface of every network of this workspace.
//!
//! A network is a Burn module that implements [`Network`]: inference, feature maps, the names that
//! published weights use, and the replacement of the head. Its hyperparameters implement
//! [`NetworkConfig`], which lists the published variants: each with its paper, training recipe,
//! labels and published weights.

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::{Device, Tensor};
use serde::{Serialize, de::DeserializeOwned};

pub use crate::input::{InputError, InputSpec, Sizes};
pub use crate::invalid_config::InvalidConfig;
use crate::labels::LabelSet;
use crate::preprocessing::Preprocessing;
use crate::pretrained::{Pretrained, PretrainedError, Published, WeightFile, Weights};
use crate::weights::{self, Checkpoint, Heads, PublishedNames};

/// A classifier of images.
///
/// [`embed`](Self::embed) computes a feature vector of each image, and
/// [`classify`](Self::classify) computes class scores from it; [`forward`](Self::forward) is one
/// after the other.
///
/// Implementations run convolutions, pools and fully connected layers through the functions of
/// [`block`](crate::block), not through the `forward` of Burn's own layers: on a CPU the fused
/// operations are several times faster, and the results agree up to rounding. The workspace test
/// `tests/tests/networks/fused.rs` traces every published variant and fails on a layer that bypasses
/// `block`.
pub trait Network: Module + Sync {
    /// Reference-name prefixes of the layers whose shape depends on the number of classes, such as
    /// `"fc"` or `"classifier.6"`, including the last layers of auxiliary heads.
    const HEAD: &'static [&'static str];

    /// Reference-name prefixes of the tensors that only training needs: auxiliary heads. Loading
    /// ignores those tensors in a file when the network lacks them, and vice versa.
    const OPTIONAL: &'static [&'static str] = &[];

    /// The stages from the stem to the last feature maps, in order; the head is not a stage.
    const STAGES: &'static [Stage];

    /// Index in [`STAGES`](Self::STAGES) of the stage whose output [`embed_maps`](Self::embed_maps)
    /// takes: the last stage with maps of several places, whose relevance
    /// [`explain`](crate::explain) computes.
    const LAST_MAPS: usize = Self::STAGES.len().saturating_sub(1);

    /// Computes the embeddings `[batch, features]` of images `[batch, channels, height, width]`: the
    /// input of the last layer, after global pooling and every other fully connected layer.
    ///
    /// ResNet-50 has 2048 features, GoogLeNet 1024, MobileNet v2 1280, AlexNet and VGG 4096.
    fn embed(&self, images: Tensor<4>) -> Tensor<2>;

    /// Computes the embeddings `[batch, features]` from the feature maps
    /// `[batch, channels, height, width]` of the stage [`LAST_MAPS`](Self::LAST_MAPS): the second part
    /// of [`embed`](Self::embed).
    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2>;

    /// Computes the class scores before softmax, `[batch, classes]`, of embeddings
    /// `[batch, features]`.
    fn classify(&self, embeddings: Tensor<2>) -> Tensor<2>;

    /// Computes the class scores before softmax, `[batch, classes]`, of images
    /// `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classify(self.embed(images))
    }

    /// Computes the output of every stage, `[batch, channels, height, width]`, in the order of
    /// [`STAGES`](Self::STAGES).
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>>;

    /// Computes the logits of the main head and of every auxiliary head for a training step.
    fn forward_train(&self, images: Tensor<4>) -> TrainingLogits {
        TrainingLogits {
            main: self.forward(images),
            auxiliary: Vec::new(),
        }
    }

    /// Replaces the heads by newly initialised ones for `classes` classes and keeps all other
    /// weights.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] when `classes` is 0 or above 1,000,000.
    fn with_classes(self, classes: usize) -> Result<Self, InvalidConfig> {
        InvalidConfig::unless_classes(classes)?;
        Ok(self.with_new_heads(classes))
    }

    /// Replaces the heads by newly initialised ones for a valid number of classes;
    /// [`with_classes`](Self::with_classes) calls this method.
    #[must_use]
    fn with_new_heads(self, classes: usize) -> Self;

    /// Returns the number of trainable parameters: weights, biases, and batch norms' scales and
    /// shifts. Burn's `num_params` also counts the running statistics of batch norms.
    fn num_trainable_params(&self) -> usize {
        weights::shapes(self)
            .iter()
            .filter(|(name, _)| !name.contains(".running_"))
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// Returns the name that published weights give to the parameter at `path`.
    ///
    /// `path` is the module path without enum variants and with PyTorch's parameter names (a norm's
    /// `weight` and `bias`, not `gamma` and `beta`). The default returns `path`: most networks name
    /// their fields as the reference does.
    fn reference_name(path: &str) -> String {
        path.to_owned()
    }

    /// Returns the module paths of the layers of `stage`, one of [`STAGES`](Self::STAGES).
    ///
    /// The default returns [`Stage::modules`]. A network whose layer numbers depend on the variant
    /// overrides this method.
    fn stage_modules(&self, stage: &Stage) -> Vec<String> {
        stage.modules.iter().map(|&path| path.to_owned()).collect()
    }

    /// Freezes the first stages, up to and including `stage`: their parameters are not trained and
    /// their batch norms keep their running statistics.
    ///
    /// # Errors
    ///
    /// [`UnknownStage`] when no stage has this name.
    fn freeze_through(self, stage: &str) -> Result<Self, UnknownStage> {
        let last = Self::STAGES
            .iter()
            .position(|s| s.name == stage)
            .ok_or_else(|| UnknownStage {
                requested: stage.to_owned(),
                known: Self::STAGES.iter().map(|s| s.name).collect(),
            })?;
        let mut frozen = ParametersOf {
            modules: Self::STAGES[..=last]
                .iter()
                .flat_map(|stage| self.stage_modules(stage))
                .map(|module| format!("{module}."))
                .collect(),
            path: Vec::new(),
            found: Vec::new(),
        };
        self.visit(&mut frozen);
        Ok(self.freeze_group(ParamGroup::from_ids(frozen.found)))
    }
}

impl<N: Network> PublishedNames for N {
    const CLASS_LAYERS: &'static [&'static str] = N::HEAD;
    const OPTIONAL_LAYERS: &'static [&'static str] = N::OPTIONAL;

    fn published_name(path: &str) -> String {
        N::reference_name(path)
    }
}

/// A visitor that collects the ids of the parameters and training flags whose path starts with one
/// of `modules`.
struct ParametersOf {
    modules: Vec<String>,
    path: Vec<String>,
    found: Vec<ParamId>,
}

impl ParametersOf {
    fn collect(&mut self, id: ParamId) {
        let path = self.path.join(".");
        if self.modules.iter().any(|module| path.starts_with(module)) {
            self.found.push(id);
        }
    }
}

impl ModuleVisitor for ParametersOf {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.collect(param.id);
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.collect(flag.id);
    }
}

/// A stage of a network: consecutive layers whose output [`Network::features`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The paper's name of the stage, such as `conv2` or `inception3a`.
    pub name: &'static str,
    /// Module paths of the stage's layers: Rust field names without enum variants. Empty when
    /// [`Network::stage_modules`] computes the paths.
    pub modules: &'static [&'static str],
}

impl Stage {
    /// Creates the stage `name` of the layers at the module paths `modules`.
    pub const fn new(name: &'static str, modules: &'static [&'static str]) -> Self {
        Self { name, modules }
    }
}

/// The network has no stage of the requested name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no stage is called {requested:?}; the stages are {}", known.join(", "))]
pub struct UnknownStage {
    /// The requested name.
    pub requested: String,
    /// The names of all stages, in order.
    pub known: Vec<&'static str>,
}

/// The outputs of [`Network::forward_train`].
#[derive(Debug, Clone)]
pub struct TrainingLogits {
    /// Class scores of the main head, `[batch, classes]`.
    pub main: Tensor<2>,
    /// Class scores of each auxiliary head, `[batch, classes]`, and the weight of its loss; the
    /// head nearest the input comes first.
    pub auxiliary: Vec<(Tensor<2>, f64)>,
}

/// A network's hyperparameters: a serde struct with a named constructor per published variant.
pub trait NetworkConfig: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The network that this configuration builds.
    type Network: Network;

    /// Returns every published variant of the architecture.
    fn variants() -> Vec<Variant<Self>>;

    /// Returns the shape of the images that the network accepts.
    fn input(&self) -> InputSpec;

    /// Returns the number of classes of the head.
    fn classes(&self) -> usize;

    /// Sets the number of classes of the head.
    #[must_use]
    fn with_classes(self, classes: usize) -> Self;

    /// Adds or removes the auxiliary heads, which only training uses. Does nothing when the
    /// architecture has none.
    #[must_use]
    fn with_auxiliary(self, _auxiliary: bool) -> Self {
        self
    }

    /// Checks that every field is in its range.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the first field that is out of range.
    fn validate(&self) -> Result<(), InvalidConfig>;

    /// Returns the published variant with these hyperparameters. The number of classes and the
    /// auxiliary heads may differ.
    fn variant(&self) -> Option<Variant<Self>> {
        let published = |variant: &Variant<Self>| {
            let config = variant.config.clone().with_classes(self.classes());
            config.with_auxiliary(false) == self.clone().with_auxiliary(false)
        };
        Self::variants().into_iter().find(published)
    }

    /// Builds the network with pretrained weights on `device`.
    ///
    /// A head with another number of classes than the weights' is new: its weights are drawn as
    /// [`init`](Self::init) draws them. Preprocessing and labels are those stored with the weights,
    /// else those of the published checkpoint, else the paper's preprocessing and no labels. A common
    /// prefix of the tensors' names, such as `module.`, is removed.
    ///
    /// # Errors
    ///
    /// [`PretrainedError`] if the configuration is invalid, no weights are published for it, or the
    /// weights cannot be found, downloaded or read, or do not fit the network.
    fn pretrained(
        &self,
        weights: Weights<'_>,
        device: &Device,
    ) -> Result<Pretrained<Self::Network>, PretrainedError> {
        self.validate()?;
        let variant = self.variant();
        let checkpoints = variant
            .as_ref()
            .map_or(&[][..], |variant| variant.checkpoints);
        let mut file = WeightFile::open(weights, checkpoints)?;
        let network = self.init(device);
        (file.tensors, _) = weights::without_prefix(&network, file.tensors);
        let stored = file.tensors.metadata();
        let published = variant.as_ref().map_or_else(
            || Published::unnamed(self.classes(), self.input()),
            Variant::published,
        );
        if let (Some(found), Some(variant)) = (&stored.network, &variant)
            && found != variant.name
        {
            return Err(PretrainedError::OtherNetwork {
                path: file.path,
                found: found.clone(),
                expected: variant.name,
            });
        }
        let preprocessing = published.preprocessing_of(stored, file.checkpoint.as_ref());
        let shape = [
            1,
            self.input().channels,
            preprocessing.crop,
            preprocessing.crop,
        ];
        if let Err(source) = self.input().check(shape) {
            return Err(PretrainedError::Input {
                path: file.path,
                source,
            });
        }
        let classes = weights::classes::<Self::Network>(&file.tensors);
        if let (Some(labels), Some(classes)) = (&stored.labels, classes)
            && labels.len() != classes
        {
            return Err(PretrainedError::Labels {
                path: file.path,
                found: labels.len(),
                classes,
            });
        }
        let same_classes = classes.is_none_or(|classes| classes == self.classes());
        let heads = if same_classes {
            Heads::Load
        } else {
            Heads::Keep
        };
        let network = weights::load(network, &file.tensors, heads).map_err(|source| {
            PretrainedError::Unfit {
                path: file.path.clone(),
                source,
            }
        })?;
        let labels = if same_classes {
            published.labels_of(stored, file.checkpoint.as_ref(), self.classes())
        } else {
            Vec::new()
        };
        Ok(Pretrained {
            network,
            name: variant.map(|variant| variant.name),
            input: [shape[1], shape[2], shape[3]],
            preprocessing,
            labels,
            checkpoint: file.checkpoint,
        })
    }

    /// Builds the network on `device`, its weights drawn as its paper says.
    ///
    /// # Panics
    ///
    /// When [`validate`](Self::validate) returns an error, with the text of the error.
    fn init(&self, device: &Device) -> Self::Network {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        self.build(device)
    }

    /// Builds the network of a valid configuration; [`init`](Self::init) calls this method.
    fn build(&self, device: &Device) -> Self::Network;
}

/// A published variant of an architecture.
#[derive(Debug, Clone)]
pub struct Variant<C> {
    /// The name on the command line, such as `resnet50`.
    pub name: &'static str,
    /// The hyperparameters.
    pub config: C,
    /// The paper that published the architecture.
    pub paper: Paper,
    /// The paper's training recipe, which trains the variant from scratch; the family's sizes share
    /// it.
    pub recipe: RecipeFile,
    /// The names of the classes that the variant was published for.
    pub labels: LabelSet,
    /// The paper's preprocessing of images, which is that of its recipe's validation images.
    pub preprocessing: Preprocessing,
    /// Published weights; the first is the default.
    pub checkpoints: &'static [Checkpoint],
}

impl<C: NetworkConfig> Variant<C> {
    /// Returns the published classes and preprocessing of the variant.
    pub fn published(&self) -> Published {
        Published {
            classes: self.config.classes(),
            labels: self.labels,
            preprocessing: self.preprocessing,
        }
    }
}

/// A training recipe that is embedded in its crate: a TOML file in the format of `receptive-train`.
/// [`recipe_file!`](crate::recipe_file) embeds one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecipeFile {
    /// The file's name, such as `resnet50-imagenet.toml`.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

/// Embeds a file of the folder `recipes/` of the calling crate as a
/// [`RecipeFile`](crate::network::RecipeFile).
#[macro_export]
macro_rules! recipe_file {
    ($name:literal) => {
        $crate::network::RecipeFile {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/", $name)),
        }
    };
}

/// The paper that published an architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// The authors, such as `He et al.`.
    pub authors: &'static str,
    /// The title.
    pub title: &'static str,
    /// The year of publication.
    pub year: u16,
}
