//! The compiled network.

use std::sync::Arc;
use std::time::Duration;

use receptive_kernels::cpu::Isa;
use receptive_kernels::plan::{Plan, RunError};

use super::choose::{self, Choice, Target};
use super::draw::Draw;
use super::error::CompileError;
use super::lower::{StepCost, lower};
use super::measure::{Measurements, measure, measured};
use super::net::Net;
use super::options::{Options, Tuning};
use super::outputs::Outputs;
use super::passes;
use super::threads::threads;
use super::translate::{Translated, translate};
use super::values::Values;
use crate::graph::Graph;
use crate::metadata::Metadata;

/// Measures every convolution of `graph` with each algorithm that computes it, in the context of the
/// whole network. Weights are zeros.
///
/// # Errors
///
/// The errors of [`Compiled::from_graph`].
pub fn measure_convolutions(graph: Graph, options: &Options) -> Result<Measurements, CompileError> {
    let prepared = Prepared::new(graph, Some(Draw::new(0)), options)?;
    measure(&prepared.net, &prepared.choices, prepared.target)
}

/// A network before the choice of algorithms.
struct Prepared {
    net: Net,
    values: Values,
    target: Target,
    choices: Vec<Choice>,
}

impl Prepared {
    fn new(graph: Graph, draw: Option<Draw>, options: &Options) -> Result<Self, CompileError> {
        let isa = match options.isa {
            Some(isa) if isa.is_available() => isa,
            Some(isa) => return Err(CompileError::MissingIsa { isa }),
            None => Isa::detect()?,
        };
        let recorded = graph.shape(graph.input).first().copied().unwrap_or(1);
        let batch = options.batch.unwrap_or(recorded);
        if batch == 0 {
            return Err(CompileError::EmptyBatch);
        }
        if batch != recorded && !graph.any_batch {
            return Err(CompileError::BatchSize {
                requested: batch,
                recorded,
            });
        }
        let skeleton = graph.without_data();
        let mut values = Values::new(graph, draw);
        let Translated { mut net, per_image } = translate(&skeleton, &mut values)?;
        passes::run(&mut net, isa.lanes(), |name| {
            options.algorithms.contains_key(name)
        });
        let target = Target {
            isa,
            batch: if per_image { batch } else { 1 },
            threads: threads(options.threads, net.multiply_adds()),
        };
        let choices = choose::choices(&net, options, target)?;
        Ok(Self {
            net,
            values,
            target,
            choices,
        })
    }
}

/// A compiled network: its steps, packed weights, and memory for its feature maps. A clone shares
/// the packed weights and has its own memory, so that another thread can run it.
#[derive(Clone)]
pub struct Compiled {
    pub(super) plan: Plan,
    pub(super) metadata: Metadata,
    pub(super) output_names: Arc<[String]>,
    pub(super) steps: Vec<StepCost>,
}

impl Compiled {
    /// Compiles `graph`. The elements of each weight are freed after they are packed.
    ///
    /// If operations of the graph combine images, the compiled network takes the whole recorded batch
    /// as one image, and its outputs are whole too.
    ///
    /// # Errors
    ///
    /// [`CompileError`] if a layer cannot be compiled, or an option does not fit the network or the
    /// machine.
    pub fn from_graph(graph: Graph, options: &Options) -> Result<Self, CompileError> {
        Self::new(graph, None, options)
    }

    /// Compiles `graph` with random values for all weights without elements, such as the weights of
    /// [`Graph::trace`], to benchmark networks without trained weights. Values are drawn layer by
    /// layer while the weights are packed, so that peak memory is little more than the packed
    /// weights.
    ///
    /// # Errors
    ///
    /// The errors of [`from_graph`](Self::from_graph).
    pub fn random(graph: Graph, seed: u64, options: &Options) -> Result<Self, CompileError> {
        Self::new(graph, Some(Draw::new(seed)), options)
    }

    fn new(graph: Graph, draw: Option<Draw>, options: &Options) -> Result<Self, CompileError> {
        let output_names = graph.all_output_names().collect();
        let Prepared {
            net,
            mut values,
            target,
            choices,
        } = Prepared::new(graph, draw, options)?;
        let algorithms = match options.tuning {
            Tuning::Modelled => choose::modelled(&net, &choices),
            Tuning::Measured => measured(&net, &choices, target)?,
        };
        let lowered = lower(&net, &algorithms, target);
        let weights = lowered.pack(&net, &mut values)?;
        Ok(Self {
            plan: Plan::new(lowered.program, weights, target.threads)?,
            metadata: Metadata::default(),
            output_names,
            steps: lowered.costs,
        })
    }

    /// Computes every output for `images` of shape `[images, channels, height, width]`, at most [`batch`](Self::batch) images.
    ///
    /// # Errors
    ///
    /// [`RunError`] if `images` is not a whole number of images, or holds more than
    /// [`batch`](Self::batch).
    pub fn run(&mut self, images: &[f32]) -> Result<Outputs, RunError> {
        let mut values = self.output_vectors(images);
        let mut slices: Vec<&mut [f32]> = values.iter_mut().map(Vec::as_mut_slice).collect();
        self.plan.run(images, &mut slices)?;
        Ok(Outputs {
            names: self.output_names.clone(),
            values,
        })
    }

    /// Computes every output for `images` into `outputs`, each of shape `[images, ..]`, without
    /// allocating. While another plan uses the thread pool, only the calling thread computes; the
    /// results are bit-identical.
    ///
    /// # Errors
    ///
    /// [`RunError`] if a slice has the wrong length.
    pub fn run_into(&mut self, images: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), RunError> {
        self.plan.run(images, outputs)
    }

    /// Runs the network as [`run_into`](Self::run_into) does, and adds the time of each of
    /// [`steps`](Self::steps) to `times`. All threads synchronize after every step; in `run_into`,
    /// independent branches run without a barrier.
    ///
    /// # Errors
    ///
    /// The errors of [`run_into`](Self::run_into).
    ///
    /// # Panics
    ///
    /// If `times` has another length than [`steps`](Self::steps).
    pub fn profile(
        &mut self,
        images: &[f32],
        outputs: &mut [&mut [f32]],
        times: &mut [Duration],
    ) -> Result<(), RunError> {
        self.plan.profile(images, outputs, times)
    }

    /// Allocates the outputs for `images`.
    fn output_vectors(&self, images: &[f32]) -> Vec<Vec<f32>> {
        let image: usize = self.input().iter().product();
        let count = images.len().checked_div(image).unwrap_or(0);
        let outputs = self.outputs().iter();
        outputs
            .map(|shape| vec![0.0; count * shape.iter().product::<usize>()])
            .collect()
    }

    /// Sets the metadata, which [`save`](Self::save) writes to the file.
    #[must_use]
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// Returns the metadata; empty if [`with_metadata`](Self::with_metadata) set none.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the steps in execution order, with their costs.
    pub fn steps(&self) -> &[StepCost] {
        &self.steps
    }

    /// Returns `[channels, height, width]` of an input image; `[features, 1, 1]` for a vector.
    pub fn input(&self) -> [usize; 3] {
        self.plan.program().input
    }

    /// Returns the names of the outputs, in the order of [`outputs`](Self::outputs).
    pub fn output_names(&self) -> &[String] {
        &self.output_names
    }

    /// Returns `[channels, height, width]` of each output of one image; `[features, 1, 1]` for a
    /// vector.
    pub fn outputs(&self) -> &[[usize; 3]] {
        &self.plan.program().outputs
    }

    /// Returns the largest batch size, in images.
    pub fn batch(&self) -> usize {
        self.plan.program().images
    }

    /// Returns the number of threads that run the network, including the calling thread.
    pub fn threads(&self) -> usize {
        self.plan.threads()
    }

    /// Returns the instruction set that the weights are packed for.
    pub fn isa(&self) -> Isa {
        self.plan.program().isa
    }

    /// Returns the bytes of feature-map memory per clone.
    pub fn map_bytes(&self) -> usize {
        4 * self.plan.program().arena
    }

    /// Returns the bytes of the packed weights, which all clones share.
    pub fn weight_bytes(&self) -> usize {
        4 * self.plan.program().weights
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled")
            .field("network", &self.metadata.network)
            .field("input", &self.input())
            .field("outputs", &self.outputs())
            .field("batch", &self.batch())
            .field("threads", &self.threads())
            .field("isa", &self.isa())
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}
