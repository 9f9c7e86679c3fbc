//! Inference with a resolved network, by the compiled or the eager engine.

use std::num::NonZero;
use std::thread;

use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::compile::{Compiled, Options, Outputs, Precision, Tuning};
use receptive_layers::graph::LOGITS;

use crate::args::{ComputeArgs, Engine, PlanPrecision, PlanTuning, TuningArgs};
use crate::device;
use crate::error::CliError;
use crate::registry::AnyNetwork;
use crate::resolve::{ModelPlan, ResolvedModel};
use crate::weights::ModelWeights;

/// A network with its weights, ready for inference.
pub enum Runner {
    /// A plan for this machine's CPU.
    Compiled(Box<Compiled>),
    /// A Burn module, run one operation after the other.
    Eager {
        /// The module.
        network: Box<dyn AnyNetwork>,
        /// Device that holds the weights.
        device: Device,
    },
}

impl Runner {
    /// Prepares `resolved` for images of shape `input`, `[batch, channels, height, width]`. Weights
    /// are compiled for batches of up to `input[0]` images; the batch size of a plan is fixed in
    /// its file.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the weights do not fit the network, the plan has another input shape, or
    /// the engine cannot run the network.
    pub fn new(
        resolved: ResolvedModel,
        input: [usize; 4],
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        match resolved {
            ResolvedModel::Weights(weights) => Self::from_weights(*weights, input, compute),
            ResolvedModel::Plan(plan) => Self::from_plan(plan, input),
        }
    }

    /// Prepares `weights` for batches of up to `input[0]` images of shape `input[1..]`.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the weights do not fit the network, or the engine cannot run the network.
    pub fn from_weights(
        weights: ModelWeights,
        input: [usize; 4],
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        Self::for_output(weights, input, LOGITS, compute)
    }

    /// Prepares `weights` as [`from_weights`](Self::from_weights) does. A compiled network computes the
    /// output called `output` instead of the logits.
    ///
    /// # Errors
    ///
    /// As [`from_weights`](Self::from_weights), and [`CliError::Compile`] when the network has no such
    /// output.
    pub fn for_output(
        weights: ModelWeights,
        input: [usize; 4],
        output: &str,
        compute: &ComputeArgs,
    ) -> Result<Self, CliError> {
        match compute.engine()? {
            Engine::Compiled => {
                let network = weights.load(&device::cpu()?)?;
                let model = weights.model;
                drop(weights);
                let options = compiler_options(&compute.tuning, input[0], compute.threads);
                let compiled = network.compile(input, &[output], &options);
                let compiled = compiled.map_err(|source| model.uncompiled(source))?;
                Ok(Self::Compiled(Box::new(compiled)))
            }
            Engine::Eager => {
                limit_backend_threads(compute.threads);
                let device = device::open(compute.device)?;
                let network = weights.load(&device)?;
                Ok(Self::Eager { network, device })
            }
        }
    }

    fn from_plan(plan: ModelPlan, [_, image @ ..]: [usize; 4]) -> Result<Self, CliError> {
        if plan.compiled.input() != image {
            return Err(CliError::PlanInput {
                path: plan.path,
                found: plan.compiled.input().to_vec(),
                expected: image,
            });
        }
        Ok(Self::Compiled(plan.compiled))
    }

    /// Largest number of images that [`logits`](Self::logits) takes.
    pub fn max_batch(&self) -> usize {
        match self {
            Self::Compiled(compiled) => compiled.batch(),
            Self::Eager { .. } => usize::MAX,
        }
    }

    /// Computes the logits `[batch, classes]`, in row-major order, of images of shape
    /// `[batch, channels, height, width]`, with a batch of at most [`max_batch`](Self::max_batch).
    ///
    /// # Errors
    ///
    /// [`CliError::Compute`] when the device fails.
    pub fn logits(&mut self, images: &[f32], shape: [usize; 4]) -> Result<Vec<f32>, CliError> {
        match self {
            Self::Compiled(compiled) => compiled
                .run(images)
                .map(Outputs::into_first)
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

/// Returns the options of the compiler for batches of up to `batch` images.
pub fn compiler_options(tuning: &TuningArgs, batch: usize, threads: Option<usize>) -> Options {
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

/// Returns `threads`, or else the number of cores.
pub fn threads_or_cores(threads: Option<usize>) -> NonZero<usize> {
    let cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    threads.and_then(NonZero::new).unwrap_or_else(cores)
}

/// Sets the number of threads of Burn's CPU backends. Has an effect only before their first
/// operation.
pub fn limit_backend_threads(threads: Option<usize>) {
    if let Some(threads) = threads {
        // An error means that the global pool exists already, which only a second call can cause.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
}
