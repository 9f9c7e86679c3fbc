//! The network of a command: a registered network or an ONNX file, and the weights or the plan that run.

use std::path::{Path, PathBuf};

use receptive_layers::compile::{CompileError, Compiled};
use receptive_layers::graph::Graph;
use receptive_layers::summary::Summary;

use crate::args::{ComputeArgs, Engine};
use crate::error::CliError;
use crate::onnx_network::{INPUT_OPTION, OnnxFile};
use crate::registry::{self, Model};
use crate::weights::{Description, ModelWeights};

/// The network that MODEL names.
pub enum NetworkSource {
    /// A network that `receptive models` lists.
    Registered(Box<Model>),
    /// An ONNX file.
    File(OnnxFile),
}

/// Choices in the graph of a network.
#[derive(Debug, Default)]
pub struct GraphOptions {
    /// Number of classes; as published if `None`.
    pub classes: Option<usize>,
    /// Shape of the input, `[batch, channels, height, width]`; one image of the published size, or the shape in the file,
    /// if `None`.
    pub input: Option<[usize; 4]>,
    /// Number of images, if `input` is `None`; one, or that of the file, if both are `None`.
    pub batch: Option<usize>,
    /// Whether the graph has the auxiliary heads.
    pub train: bool,
}

impl NetworkSource {
    /// Finds the network that `model` names: an ONNX file if `model` ends in `.onnx`, or is the path of a file. The file
    /// is not opened.
    ///
    /// # Errors
    ///
    /// [`CliError::UnknownModel`] when no network has this name.
    pub fn named(model: &str) -> Result<Self, CliError> {
        Ok(match OnnxFile::named(model) {
            Some(file) => Self::File(file),
            None => Self::Registered(Box::new(registry::model(model)?)),
        })
    }

    /// Name of the network: as `models` lists it, or that of the file without extension.
    pub fn name(&self) -> &str {
        match self {
            Self::Registered(model) => model.name,
            Self::File(file) => &file.name,
        }
    }

    /// Path of the file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Registered(_) => None,
            Self::File(file) => Some(&file.path),
        }
    }

    /// Returns the graph: without values of the weights, or with those of the file.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the network does not accept the options, or the file cannot be read.
    pub fn graph(&self, options: &GraphOptions) -> Result<Graph, CliError> {
        match self {
            Self::Registered(model) => {
                let published = model.input.shape();
                let mut input = options.input.unwrap_or(published);
                if let (None, Some(batch)) = (options.input, options.batch) {
                    input[0] = batch;
                }
                let classes = options.classes.unwrap_or(model.classes);
                model.graph(classes, input, options.train)
            }
            Self::File(file) => {
                let given = [
                    ("--train", options.train),
                    ("--classes", options.classes.is_some()),
                ];
                file.refuse(&given, "expected a network that `receptive models` lists")?;
                let network = match &options.input {
                    Some(shape) => file.read_for(shape, None, &|| "--input".to_owned())?,
                    None => file.read(options.batch, None, INPUT_OPTION)?,
                };
                Ok(network.graph)
            }
        }
    }

    /// Counts the costs of the network's `graph`.
    ///
    /// # Errors
    ///
    /// [`CliError::Summary`] when a cost overflows.
    pub fn summary(&self, graph: &Graph) -> Result<Summary, CliError> {
        Summary::from_graph(graph, self.name()).map_err(|source| CliError::Summary {
            model: self.name().to_owned(),
            source,
        })
    }

    /// Returns the error that the network cannot be compiled because of `source`.
    pub fn uncompiled(&self, source: CompileError) -> CliError {
        CliError::Compile {
            model: match self {
                Self::Registered(model) => model.name.to_owned(),
                Self::File(file) => file.path.display().to_string(),
            },
            source,
        }
    }
}

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
            Some(path) if Compiled::is_file(path) => {
                Self::Plan(ModelPlan::open(model, path, compute)?)
            }
            _ => Self::Weights(Box::new(ModelWeights::open_or_pretrained(
                model, file, key,
            )?)),
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
