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
    pub(super) shapes: Shapes,
    pub(super) steps: Vec<StepCost>,
}

/// The shapes of what goes in and out, the batch left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Shapes {
    pub input: Vec<usize>,
    pub outputs: Vec<Vec<usize>>,
}

impl Compiled {
    /// Compiles `graph`, whose values are freed as they are packed.
    ///
    /// # Errors
    ///
    /// [`CompileError`] names the layer that cannot be compiled, or the option that cannot be followed.
    pub fn of_graph(graph: Graph, options: &Options) -> Result<Self, CompileError> {
        Self::new(graph, None, options)
    }

    /// Compiles `graph` with random weights in the place of those that have no elements, as
    /// [`Graph::trace`] leaves them: for measuring networks whose weights are nowhere. Each layer's are
    /// drawn when it is packed, so that little more memory is used than the packed weights'.
    ///
    /// # Errors
    ///
    /// As [`of_graph`](Self::of_graph).
    pub fn random(graph: Graph, seed: u64, options: &Options) -> Result<Self, CompileError> {
        Self::new(graph, Some(Draw::new(seed)), options)
    }

    fn new(graph: Graph, draw: Option<Draw>, options: &Options) -> Result<Self, CompileError> {
        let isa = match options.isa {
            Some(isa) if isa.is_available() => isa,
            Some(isa) => return Err(CompileError::MissingIsa { isa }),
            None => Isa::detect()?,
        };
        let input = graph.shape(graph.input).to_vec();
        let outputs = graph.outputs.iter().map(|&output| graph.shape(output));
        let shapes = Shapes {
            outputs: outputs.map(without_batch).collect(),
            input: without_batch(&input),
        };
        let batch = options.batch.or(input.first().copied()).unwrap_or(1);
        if batch == 0 {
            return Err(CompileError::EmptyBatch);
        }
        let skeleton = graph.without_data();
        let mut values = Values::new(graph, draw);
        let mut net = translate(&skeleton, &mut values)?;
        passes::run(&mut net, isa.lanes());

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
            shapes,
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
    pub fn run_into(
        &mut self,
        images: &[f32],
        outputs: &mut [&mut [f32]],
    ) -> Result<(), RunError> {
        self.plan.run(images, outputs)
    }

    /// How long each of [`steps`](Self::steps) takes for `images`, in one run.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn profile(&mut self, images: &[f32]) -> Result<Vec<Duration>, RunError> {
        let mut times = vec![Duration::ZERO; self.steps.len()];
        let mut outputs = self.output_vectors(images);
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.plan.profile(images, &mut slices, &mut times)?;
        Ok(times)
    }

    /// Vectors for the outputs of this call.
    fn output_vectors(&self, images: &[f32]) -> Vec<Vec<f32>> {
        let image: usize = self.shapes.input.iter().product();
        let count = images.len().checked_div(image).unwrap_or(0);
        let len = |shape: &Vec<usize>| count * shape.iter().product::<usize>();
        let outputs = self.shapes.outputs.iter();
        outputs.map(|shape| vec![0.0; len(shape)]).collect()
    }

    /// What it does, in order.
    pub fn steps(&self) -> &[StepCost] {
        &self.steps
    }

    /// The shape of an image.
    pub fn input(&self) -> &[usize] {
        &self.shapes.input
    }

    /// The shape of each output, for one image.
    pub fn outputs(&self) -> &[Vec<usize>] {
        &self.shapes.outputs
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
            .field("input", &self.shapes.input)
            .field("outputs", &self.shapes.outputs)
            .field("batch", &self.batch())
            .field("threads", &self.threads())
            .field("isa", &self.isa())
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

fn without_batch(shape: &[usize]) -> Vec<usize> {
    shape.get(1..).unwrap_or_default().to_vec()
}
