//! A network that is ready to run.

use std::time::Duration;

use receptive_kernels::cpu::Isa;
use receptive_kernels::plan::{Plan, RunError};

use super::choose::{self, Target};
use super::draw::Draw;
use super::error::CompileError;
use super::lower::{StepCost, lower};
use super::measure::measured;
use super::options::{Options, Tuning};
use super::passes;
use super::threads::threads;
use super::translate::translate;
use super::values::Values;
use crate::graph::Graph;

/// A network that is ready to run: its steps, packed weights, and memory of its own. A clone for another
/// thread shares the weights.
#[derive(Clone)]
pub struct Compiled {
    pub(super) plan: Plan,
    pub(super) name: String,
    pub(super) steps: Vec<StepCost>,
}

impl Compiled {
    /// Compiles `graph`, whose values are freed as they are packed.
    ///
    /// # Errors
    ///
    /// [`CompileError`] names the layer that cannot be compiled, or the option that cannot be followed.
    pub fn from_graph(graph: Graph, options: &Options) -> Result<Self, CompileError> {
        Self::new(graph, None, options)
    }

    /// Compiles `graph` with random weights in the place of those that have no elements, as
    /// [`Graph::trace`] leaves them: for measuring networks whose weights are nowhere. Each layer's are
    /// drawn when it is packed, so that little more memory is used than the packed weights'.
    ///
    /// # Errors
    ///
    /// As [`from_graph`](Self::from_graph).
    pub fn random(graph: Graph, seed: u64, options: &Options) -> Result<Self, CompileError> {
        Self::new(graph, Some(Draw::new(seed)), options)
    }

    fn new(graph: Graph, draw: Option<Draw>, options: &Options) -> Result<Self, CompileError> {
        let isa = match options.isa {
            Some(isa) if isa.is_available() => isa,
            Some(isa) => return Err(CompileError::MissingIsa { isa }),
            None => Isa::detect()?,
        };
        let recorded = graph.shape(graph.input).first().copied();
        let batch = options.batch.or(recorded).unwrap_or(1);
        if batch == 0 {
            return Err(CompileError::EmptyBatch);
        }
        let skeleton = graph.without_data();
        let mut values = Values::new(graph, draw);
        let mut net = translate(&skeleton, &mut values)?;
        passes::run(&mut net, isa.lanes(), |name| {
            options.algorithms.contains_key(name)
        });

        let target = Target {
            isa,
            batch,
            threads: threads(options.threads, net.multiply_adds()),
        };
        let choices = choose::choices(&net, options, target)?;
        let algorithms = match options.tuning {
            Tuning::Modelled => choose::modelled(&net, &choices),
            Tuning::Measured => measured(&net, &choices, target)?,
        };
        let lowered = lower(&net, &algorithms, target);
        let weights = lowered.pack(&net, &mut values)?;
        Ok(Self {
            plan: Plan::new(lowered.program, weights, target.threads)?,
            name: String::new(),
            steps: lowered.costs,
        })
    }

    /// The network's first output for `images`, `[images, channels, height, width]`, as many as
    /// [`batch`](Self::batch) or fewer.
    ///
    /// # Errors
    ///
    /// [`RunError`] when `images` is not a whole number of images, or too many.
    pub fn run(&mut self, images: &[f32]) -> Result<Vec<f32>, RunError> {
        let mut outputs = self.output_vectors(images);
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.plan.run(images, &mut slices)?;
        Ok(outputs.swap_remove(0))
    }

    /// Writes every output for `images`, each `[images, ..]`, and allocates nothing. While another
    /// plan has the threads, the caller's computes alone; the result is the same, bit by bit.
    ///
    /// # Errors
    ///
    /// [`RunError`] when a slice has a wrong length.
    pub fn run_into(&mut self, images: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), RunError> {
        self.plan.run(images, outputs)
    }

    /// Runs it as [`run_into`](Self::run_into) does and adds how long each of [`steps`](Self::steps)
    /// took to `times`. Threads wait for each other after every one, as they do not otherwise between branches.
    ///
    /// # Errors
    ///
    /// As [`run_into`](Self::run_into).
    ///
    /// # Panics
    ///
    /// When there are not as many `times` as steps.
    pub fn profile(
        &mut self,
        images: &[f32],
        outputs: &mut [&mut [f32]],
        times: &mut [Duration],
    ) -> Result<(), RunError> {
        self.plan.profile(images, outputs, times)
    }

    /// Vectors for the outputs of this call.
    fn output_vectors(&self, images: &[f32]) -> Vec<Vec<f32>> {
        let image: usize = self.input().iter().product();
        let count = images.len().checked_div(image).unwrap_or(0);
        let outputs = self.outputs().iter();
        outputs
            .map(|shape| vec![0.0; count * shape.iter().product::<usize>()])
            .collect()
    }

    /// The same under a name, which a file keeps: none at first.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// Its name, if it was given one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does, in order.
    pub fn steps(&self) -> &[StepCost] {
        &self.steps
    }

    /// `[channels, height, width]` of an image; a vector's height and width are 1.
    pub fn input(&self) -> [usize; 3] {
        self.plan.program().input
    }

    /// `[channels, height, width]` of each output, for one image; a vector's height and width are 1.
    pub fn outputs(&self) -> &[[usize; 3]] {
        &self.plan.program().outputs
    }

    /// Images of the largest batch.
    pub fn batch(&self) -> usize {
        self.plan.program().images
    }

    /// Threads that run it, the caller's among them.
    pub fn threads(&self) -> usize {
        self.plan.threads()
    }

    /// The instruction set that it is packed for.
    pub fn isa(&self) -> Isa {
        self.plan.program().isa
    }

    /// Bytes of the memory that every clone has for its maps.
    pub fn map_bytes(&self) -> usize {
        4 * self.plan.program().arena
    }

    /// Bytes of the packed weights.
    pub fn weight_bytes(&self) -> usize {
        4 * self.plan.program().weights
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled")
            .field("name", &self.name)
            .field("input", &self.input())
            .field("outputs", &self.outputs())
            .field("batch", &self.batch())
            .field("threads", &self.threads())
            .field("isa", &self.isa())
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}
