//! The contract that every network of this workspace keeps.
//!
//! A network is an ordinary Burn module with a `forward`. What this module adds is what a caller
//! needs to treat all of them alike: the input they take, the maps between their stages, the names
//! that published weights use, and the replacement of the head.

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::{Device, Tensor};
use serde::{Serialize, de::DeserializeOwned};

use crate::weights::{self, Checkpoint, PublishedNames};

/// A classifier of images.
pub trait Network: Module {
    /// Reference-name prefixes of the layers whose shape depends on the number of classes
    /// (`"fc"`, `"classifier.6"`; the auxiliary heads' last layers too).
    const HEAD: &'static [&'static str];

    /// Reference-name prefixes that a weight file may hold, or lack, whatever this network has:
    /// auxiliary heads.
    const OPTIONAL: &'static [&'static str] = &[];

    /// The stages in order, the stem first, the head left out.
    const STAGES: &'static [Stage];

    /// Class scores before softmax, `[batch, classes]`, of images `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// The output of every stage, `[batch, channels, height, width]`, in the order of
    /// [`STAGES`](Self::STAGES).
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>>;

    /// What a training step needs: the logits, and those of the auxiliary heads with the weight
    /// of their loss.
    fn forward_train(&self, images: Tensor<4>) -> TrainingLogits {
        TrainingLogits {
            main: self.forward(images),
            auxiliary: Vec::new(),
        }
    }

    /// This network with freshly initialised heads for `classes` classes; all the rest is kept.
    fn with_classes(self, classes: usize) -> Self;

    /// Trainable parameters. Burn's own `num_params` counts batch norms' statistics too.
    fn num_trainable_params(&self) -> usize {
        weights::shapes(self)
            .iter()
            .filter(|(name, _)| !name.contains(".running_"))
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// The name that published weights give to the parameter at `path`.
    ///
    /// `path` is the module path without enum variants and in PyTorch's words (a norm's `weight`
    /// and `bias`, not `gamma` and `beta`). Most networks name their fields as the reference does.
    fn reference_name(path: &str) -> String {
        path.to_owned()
    }

    /// Module paths of the layers of `stage`, one of [`STAGES`](Self::STAGES): the stage's own list,
    /// unless the layers' numbers differ from variant to variant.
    fn stage_modules(&self, stage: &Stage) -> Vec<String> {
        stage.modules.iter().map(|&path| path.to_owned()).collect()
    }

    /// Stops training the first stages, up to and including `stage`; their batch norms keep their
    /// statistics.
    ///
    /// # Errors
    ///
    /// [`UnknownStage`] when no stage has this name.
    fn freeze_through(self, stage: &str) -> Result<Self, UnknownStage> {
        let last = Self::STAGES
            .iter()
            .position(|s| s.name == stage)
            .ok_or_else(|| UnknownStage {
                asked: stage.to_owned(),
                known: Self::STAGES.iter().map(|s| s.name).collect(),
            })?;
        let mut inside = ValuesInside {
            modules: Self::STAGES[..=last]
                .iter()
                .flat_map(|stage| self.stage_modules(stage))
                .map(|module| format!("{module}."))
                .collect(),
            path: Vec::new(),
            found: Vec::new(),
        };
        self.visit(&mut inside);
        Ok(self.freeze_group(ParamGroup::from_ids(inside.found)))
    }
}

impl<N: Network> PublishedNames for N {
    const CLASS_LAYERS: &'static [&'static str] = N::HEAD;
    const OPTIONAL_LAYERS: &'static [&'static str] = N::OPTIONAL;

    fn published_name(path: &str) -> String {
        N::reference_name(path)
    }
}

/// Collects the parameters and training flags whose path starts with one of `modules`.
struct ValuesInside {
    modules: Vec<String>,
    path: Vec<String>,
    found: Vec<ParamId>,
}

impl ValuesInside {
    fn note(&mut self, id: ParamId) {
        let path = self.path.join(".");
        if self.modules.iter().any(|module| path.starts_with(module)) {
            self.found.push(id);
        }
    }
}

impl ModuleVisitor for ValuesInside {
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
        self.note(param.id);
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.note(flag.id);
    }
}

/// A stage of a network: a run of layers between two maps worth looking at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The paper's name, such as `conv2` or `inception3a`.
    pub name: &'static str,
    /// Module paths (in the Rust module's own field names, enum variants left out) of the stage's
    /// layers; empty where [`Network::stage_modules`] gives them.
    pub modules: &'static [&'static str],
}

impl Stage {
    /// The stage `name` of the layers at the paths `modules`.
    pub const fn new(name: &'static str, modules: &'static [&'static str]) -> Self {
        Self { name, modules }
    }
}

/// No stage of the network has the name that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no stage is called {asked:?}; the stages are {}", known.join(", "))]
pub struct UnknownStage {
    /// What was asked for.
    pub asked: String,
    /// The names there are, first stage first.
    pub known: Vec<&'static str>,
}

/// What a network returns in training.
#[derive(Debug, Clone)]
pub struct TrainingLogits {
    /// Class scores of the main head, `[batch, classes]`.
    pub main: Tensor<2>,
    /// Class scores of each auxiliary head, nearest the input first, with the weight of its loss.
    pub auxiliary: Vec<(Tensor<2>, f64)>,
}

/// A network's hyperparameters: a plain serde struct with a named constructor per published
/// variant.
pub trait NetworkConfig: Clone + Serialize + DeserializeOwned {
    /// What it builds.
    type Network: Network;

    /// Every published variant, under the name that the command line uses.
    fn variants() -> Vec<Variant<Self>>;

    /// What the network takes.
    fn input(&self) -> InputSpec;

    /// How many classes the head tells apart.
    fn classes(&self) -> usize;

    /// The same network for another number of classes.
    #[must_use]
    fn with_classes(self, classes: usize) -> Self;

    /// The same network with what only training needs (auxiliary heads), or without.
    #[must_use]
    fn with_auxiliary(self, _auxiliary: bool) -> Self {
        self
    }

    /// Whether every field is in its range.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the first field that is not.
    fn validate(&self) -> Result<(), InvalidConfig>;

    /// The network, initialised as its paper says, on `device`.
    ///
    /// # Panics
    ///
    /// Where [`validate`](Self::validate) returns an error.
    fn init(&self, device: &Device) -> Self::Network;
}

/// A published variant of an architecture.
#[derive(Debug, Clone)]
pub struct Variant<C> {
    /// The name that the command line uses, such as `resnet50`.
    pub name: &'static str,
    /// Its hyperparameters.
    pub config: C,
    /// Published weights, the ones to prefer first.
    pub checkpoints: &'static [Checkpoint],
}

/// A configuration's field is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct InvalidConfig {
    /// The field's name.
    pub field: &'static str,
    /// What it holds.
    pub found: String,
    /// What it may hold.
    pub expected: &'static str,
}

impl InvalidConfig {
    /// An error that names `field` and what it holds, unless it is `valid`.
    ///
    /// # Errors
    ///
    /// Where `valid` is false.
    pub fn unless(
        valid: bool,
        field: &'static str,
        found: impl ToString,
        expected: &'static str,
    ) -> Result<(), Self> {
        if valid {
            return Ok(());
        }
        Err(Self {
            field,
            found: found.to_string(),
            expected,
        })
    }

    /// An error unless `probability`, in `field`, is at least 0 and below 1.
    ///
    /// # Errors
    ///
    /// Where `probability` is out of that range.
    pub fn unless_probability(field: &'static str, probability: f64) -> Result<(), Self> {
        let valid = (0.0..1.0).contains(&probability);
        Self::unless(valid, field, probability, "at least 0 and below 1")
    }

    /// An error unless a head can tell apart so many `classes`: from 1 to 1,000,000.
    ///
    /// # Errors
    ///
    /// Where `classes` is out of that range.
    pub fn unless_classes(classes: usize) -> Result<(), Self> {
        let valid = (1..=1_000_000).contains(&classes);
        Self::unless(valid, "classes", classes, "from 1 to 1,000,000")
    }
}

/// The images that a network takes: `[batch, channels, height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputSpec {
    /// Channels: 3 for colour, 1 for grey.
    pub channels: usize,
    /// Height and width, in pixels, that the network was published for.
    pub size: usize,
    /// Which other sizes it takes.
    pub accepts: Sizes,
}

/// The image sizes that a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// The published size alone, since a fully connected layer follows the maps directly.
    Published,
    /// Any height and width of at least this many pixels.
    AtLeast(usize),
}

impl InputSpec {
    /// `[1, channels, size, size]`: one image as published.
    pub const fn shape(&self) -> [usize; 4] {
        [1, self.channels, self.size, self.size]
    }

    /// Whether the network takes images of this shape.
    ///
    /// # Errors
    ///
    /// [`InputError`] says what was expected.
    pub fn check(&self, shape: [usize; 4]) -> Result<(), InputError> {
        let [batch, channels, height, width] = shape;
        let smallest = height.min(width);
        let fits = match self.accepts {
            Sizes::Published => height == self.size && width == self.size,
            Sizes::AtLeast(least) => smallest >= least,
        };
        if batch == 0 || channels != self.channels || !fits {
            return Err(InputError {
                found: shape,
                expected: *self,
            });
        }
        Ok(())
    }
}

/// An input has a shape that the network does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input is {found:?}, expected {}", describe(.expected))]
pub struct InputError {
    /// The input's shape.
    pub found: [usize; 4],
    /// What the network takes.
    pub expected: InputSpec,
}

fn describe(spec: &InputSpec) -> String {
    let channels = spec.channels;
    match spec.accepts {
        Sizes::Published => format!("[batch, {channels}, {0}, {0}]", spec.size),
        Sizes::AtLeast(least) => {
            format!("[batch, {channels}, height, width] with height and width of at least {least}")
        }
    }
}
