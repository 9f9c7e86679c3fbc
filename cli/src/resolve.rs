//! A network that can run, resolved once per command from the name of the network and `--weights`.

use std::path::{Path, PathBuf};

use receptive_layers::compile::{CompileError, Compiled};
use receptive_layers::preprocessing::Preprocessing;

use crate::args::{ComputeArgs, Engine};
use crate::error::CliError;
use crate::preprocessing;
use crate::registry::Model;
use crate::weights::ModelWeights;

/// The network that a command runs: its weights, or its compiled plan.
pub enum ResolvedModel<'a> {
    /// Weights, to be compiled or to be run on a Burn backend.
    Weights(ModelWeights<'a>),
    /// A plan that `receptive compile` wrote.
    Plan(ModelPlan<'a>),
}

/// A compiled plan of a network.
pub struct ModelPlan<'a> {
    /// The network that the plan computes.
    pub model: &'a Model,
    /// The plan.
    pub compiled: Box<Compiled>,
    /// Preprocessing of images for the weights in the plan.
    pub preprocessing: Preprocessing,
    /// The plan file.
    pub path: PathBuf,
}

impl<'a> ResolvedModel<'a> {
    /// Opens `file`, a weight file or a compiled plan of `model`; without a file, the pretrained
    /// weights.
    ///
    /// # Errors
    ///
    /// As [`ModelWeights::open`], [`ModelWeights::pretrained`] and [`ModelPlan::open`].
    pub fn open(
        model: &'a Model,
        file: Option<&Path>,
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        Ok(match file {
            None => Self::Weights(ModelWeights::pretrained(model)?),
            Some(path) if Compiled::is_file(path) => {
                Self::Plan(ModelPlan::open(model, path, compute)?)
            }
            Some(path) => Self::Weights(ModelWeights::open(model, path)?),
        })
    }

    /// Preprocessing of images for the weights.
    pub fn preprocessing(&self) -> Preprocessing {
        match self {
            Self::Weights(weights) => weights.preprocessing,
            Self::Plan(plan) => plan.preprocessing,
        }
    }

    /// Number of classes of the head.
    pub fn classes(&self) -> usize {
        match self {
            Self::Weights(weights) => weights.classes(),
            Self::Plan(plan) => plan.classes(),
        }
    }
}

impl<'a> ModelPlan<'a> {
    /// Loads the plan at `path`, to run on `compute.threads` threads.
    ///
    /// # Errors
    ///
    /// [`CliError::EagerPlan`] or [`CliError::CompiledDevice`] when `compute` asks for the eager
    /// engine or a device, [`CliError::PlanFile`] for a damaged file, [`CliError::Compile`] for a
    /// plan that this machine cannot run, [`CliError::OtherPlan`] for a plan of another network.
    fn open(model: &'a Model, path: &Path, compute: &ComputeArgs) -> Result<Self, CliError> {
        if compute.engine()? == Engine::Eager {
            return Err(CliError::EagerPlan {
                path: path.to_owned(),
            });
        }
        let compiled = Compiled::load(path, compute.threads).map_err(|error| match error {
            CompileError::File(error) => CliError::PlanFile(error),
            source => CliError::Compile {
                model: path.display().to_string(),
                source,
            },
        })?;
        if compiled.name() != model.name {
            return Err(CliError::OtherPlan {
                path: path.to_owned(),
                found: compiled.name().to_owned(),
                model: model.name,
            });
        }
        Ok(Self {
            model,
            compiled: Box::new(compiled),
            preprocessing: preprocessing::for_file(model, path),
            path: path.to_owned(),
        })
    }

    /// Number of classes of the head.
    fn classes(&self) -> usize {
        let outputs = self.compiled.outputs();
        let logits = outputs.first().and_then(|shape| shape.first());
        logits.copied().unwrap_or(self.model.classes)
    }
}
