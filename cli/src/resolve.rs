//! A network that can run, resolved once per command from the name of the network and `--weights`.

use std::path::{Path, PathBuf};

use receptive_layers::compile::{CompileError, Compiled};

use crate::args::{ComputeArgs, Engine};
use crate::error::CliError;
use crate::registry::Model;
use crate::weights::{Description, ModelWeights};

/// The network that a command runs: its weights, or its compiled plan.
pub enum ResolvedModel<'a> {
    /// Weights, to be compiled or to be run on a Burn backend.
    Weights(Box<ModelWeights<'a>>),
    /// A plan that `receptive compile` wrote.
    Plan(ModelPlan),
}

/// A compiled plan of a network.
pub struct ModelPlan {
    /// The plan.
    pub compiled: Box<Compiled>,
    /// Network, classes and preprocessing of the weights in the plan.
    pub description: Description,
    /// The plan file.
    pub path: PathBuf,
}

impl<'a> ResolvedModel<'a> {
    /// Opens `file`, a weight file (of which the tensors under `key`, if given) or a compiled plan of
    /// `model`; without a file, the pretrained weights.
    ///
    /// # Errors
    ///
    /// As [`ModelWeights::open`], [`ModelWeights::pretrained`] and [`ModelPlan::open`].
    pub fn open(
        model: &'a Model,
        file: Option<&Path>,
        key: Option<&str>,
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        Ok(match file {
            None => Self::Weights(Box::new(ModelWeights::pretrained(model)?)),
            Some(path) if Compiled::is_file(path) => {
                Self::Plan(ModelPlan::open(model, path, compute)?)
            }
            Some(path) => Self::Weights(Box::new(ModelWeights::open(model, path, key)?)),
        })
    }

    /// Network, classes and preprocessing of the weights.
    pub fn description(&self) -> &Description {
        match self {
            Self::Weights(weights) => &weights.description,
            Self::Plan(plan) => &plan.description,
        }
    }
}

impl ModelPlan {
    /// Loads the plan at `path`, to run on `compute.threads` threads.
    ///
    /// # Errors
    ///
    /// [`CliError::EagerPlan`] or [`CliError::CompiledDevice`] when `compute` asks for the eager
    /// engine or a device, [`CliError::PlanFile`] for a damaged file, [`CliError::Compile`] for a
    /// plan that this machine cannot run; the errors of [`Description::new`].
    fn open(model: &Model, path: &Path, compute: &ComputeArgs) -> Result<Self, CliError> {
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
        let outputs = compiled.outputs();
        let logits = outputs.first().and_then(|shape| shape.first());
        let classes = logits.copied().unwrap_or(model.classes);
        let origin = path.display().to_string();
        let description = Description::new(model, compiled.metadata(), None, classes, &origin)?;
        Ok(Self {
            compiled: Box::new(compiled),
            description,
            path: path.to_owned(),
        })
    }
}
