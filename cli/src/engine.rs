//! A network with its weights, by either engine.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::compile::{CompileError, Compiled, Options, Precision, Tuning};
use receptive_layers::weights::StateDict;

use crate::args::{ComputeArgs, Engine, PlanPrecision, PlanTuning, TuningArgs};
use crate::device;
use crate::error::CliError;
use crate::registry::{AnyNetwork, Model};

/// A network with its weights, ready to run.
pub enum Runner {
    /// A plan for this machine's processor.
    Compiled(Box<Compiled>),
    /// Operation by operation.
    Eager {
        /// The network.
        network: Box<dyn AnyNetwork>,
        /// Where its weights are.
        device: Device,
    },
}

impl Runner {
    /// `model` with these weights, whose `origin` messages tell, for batches of `input` or fewer
    /// images.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the weights are another network's, or the engine cannot run it.
    pub fn new(
        model: &Model,
        weights: &StateDict,
        origin: &str,
        input: [usize; 4],
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        match compute.engine()? {
            Engine::Compiled => {
                let network = model.load(weights, origin, &device::processor()?)?;
                let options = options(&compute.tuning, input[0], compute.threads);
                let compiled = network.compile(input, &options);
                let compiled = compiled.map_err(|source| model.uncompiled(source))?;
                Ok(Self::Compiled(Box::new(compiled)))
            }
            Engine::Eager => {
                limit_threads(compute.threads);
                let device = device::open(compute.device)?;
                let network = model.load(weights, origin, &device)?;
                Ok(Self::Eager { network, device })
            }
        }
    }

    /// Opens a file that `compile` wrote, for images of `input`'s shape.
    ///
    /// # Errors
    ///
    /// [`CliError`] when it is damaged, for another machine, model or input, or another engine is
    /// asked for.
    pub fn open(
        path: &Path,
        model: &Model,
        input: [usize; 3],
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        if compute.engine()? == Engine::Eager {
            return Err(CliError::EagerPlan {
                path: path.to_owned(),
            });
        }
        let compiled = Compiled::load(path, compute.threads);
        let compiled = compiled.map_err(|error| match error {
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
        if compiled.input() != input {
            return Err(CliError::PlanInput {
                path: path.to_owned(),
                found: compiled.input().to_vec(),
                expected: input,
            });
        }
        Ok(Self::Compiled(Box::new(compiled)))
    }

    /// Images that run together at most.
    pub fn batch(&self) -> usize {
        match self {
            Self::Compiled(compiled) => compiled.batch(),
            Self::Eager { .. } => usize::MAX,
        }
    }

    /// Classes that it tells apart, of a plan; the weights tell it otherwise.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Self::Compiled(compiled) => compiled.outputs().first()?.first().copied(),
            Self::Eager { .. } => None,
        }
    }

    /// The logits, row by row, of images of this shape, no more than [`batch`](Self::batch).
    ///
    /// # Errors
    ///
    /// [`CliError::Compute`] when the device fails.
    pub fn logits(&mut self, images: &[f32], shape: [usize; 4]) -> Result<Vec<f32>, CliError> {
        match self {
            Self::Compiled(compiled) => compiled
                .run(images)
                .map_err(|error| CliError::Compute(error.to_string())),
            Self::Eager { network, device } => {
                let data = TensorData::new(images.to_vec(), shape);
                network
                    .forward(Tensor::from_data(data, &*device))
                    .try_into_vec_as::<f32>()
                    .map_err(|error| CliError::Compute(error.to_string()))
            }
        }
    }
}

/// The compiler's options that the command line asks for.
pub fn options(tuning: &TuningArgs, batch: usize, threads: Option<usize>) -> Options {
    Options {
        batch: Some(batch),
        threads,
        precision: match tuning.precision {
            PlanPrecision::Fast => Precision::Fast,
            PlanPrecision::Exact => Precision::Exact,
        },
        tuning: match tuning.tuning {
            PlanTuning::Modelled => Tuning::Modelled,
            PlanTuning::Measured => Tuning::Measured,
        },
        ..Options::default()
    }
}

/// Lets Burn's processor backends use so many threads; before they use any.
pub fn limit_threads(threads: Option<usize>) {
    if let Some(threads) = threads {
        // It fails where a pool is there already, which only a second call would find.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
}
