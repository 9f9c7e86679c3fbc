//! A network that runs on prepared photos: on clones of a compiled plan, or on a Burn device.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};

use crate::compile::{CompileError, Compiled, Outputs, RunError};
use crate::image::{self, RgbImage};
use crate::preprocessing::Preprocessing;

/// Images in a batch on a Burn device.
const DEVICE_BATCH: usize = 32;

/// Why a photo cannot be classified or embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The network cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The plan computes images of another size than the preprocessing prepares.
    #[error("the plan's input is {found:?}, expected [1 or 3, {crop}, {crop}]")]
    Input {
        /// `[channels, height, width]` of the plan's input.
        found: [usize; 3],
        /// Height and width that the preprocessing prepares.
        crop: usize,
    },
    /// The plan has no output, or its class scores are empty.
    #[error("the plan computes no class scores, expected one for each class")]
    NoScores,
    /// The plan has no output of the requested name.
    #[error("the plan has no output {requested:?}; its outputs are {}", known.join(", "))]
    NoOutput {
        /// The requested name.
        requested: String,
        /// Names of the plan's outputs.
        known: Vec<String>,
    },
    /// The number of labels differs from the number of classes.
    #[error("there are {found} labels, expected {classes}, one for each class")]
    Labels {
        /// Number of labels.
        found: usize,
        /// Number of classes.
        classes: usize,
    },
    /// The network has no class of this number.
    #[error("class {requested}, expected one of 0 to {}", classes.saturating_sub(1))]
    Class {
        /// The requested class.
        requested: usize,
        /// Number of classes.
        classes: usize,
    },
    /// The plan cannot run on the images.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The Burn device failed.
    #[error("the device failed: {0}")]
    Device(String),
    /// A probability or a feature is infinite or not a number.
    #[error(
        "the network computed infinite values or NaN; the weights are damaged, or the input is out of range"
    )]
    NotFinite,
}

/// Maps images `[batch, channels, height, width]` to vectors `[batch, ..]`.
pub(crate) type Forward = Box<dyn Fn(Tensor<4>) -> Tensor<2> + Send + Sync>;

/// A network with the preprocessing of its images.
pub(crate) struct Engine {
    runner: Runner,
    /// Preprocessing of photos.
    pub preprocessing: Preprocessing,
    /// `[channels, height, width]` of an input image.
    input: [usize; 3],
}

enum Runner {
    Compiled(Box<PlanPool>),
    /// The function, its device, and the name of its output.
    Device(Forward, Device, &'static str),
}

impl Engine {
    /// Runs `plan`.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Input`] if the plan's input is not one or three channels of the size that
    /// `preprocessing` prepares.
    pub fn from_plan(
        plan: Compiled,
        preprocessing: Preprocessing,
    ) -> Result<Self, ClassifierError> {
        let (input, crop) = (plan.input(), preprocessing.crop);
        if !matches!(input, [1 | 3, height, width] if (height, width) == (crop, crop)) {
            return Err(ClassifierError::Input { found: input, crop });
        }
        Ok(Self {
            runner: Runner::Compiled(Box::new(PlanPool::new(plan))),
            preprocessing,
            input,
        })
    }

    /// Runs `forward`, whose output is called `output`, on `device`.
    pub fn from_forward(
        forward: Forward,
        output: &'static str,
        device: Device,
        channels: usize,
        preprocessing: Preprocessing,
    ) -> Self {
        Self {
            runner: Runner::Device(forward, device, output),
            preprocessing,
            input: [channels, preprocessing.crop, preprocessing.crop],
        }
    }

    /// Converts a photo to the network's input, `[channels, height, width]`.
    pub fn prepare(&self, photo: &RgbImage) -> Vec<f32> {
        image::preprocess_channels(photo, &self.preprocessing, self.input[0])
    }

    /// Runs the network on prepared images, `[images, channels, height, width]`, at most
    /// [`max_batch`](Self::max_batch) images.
    pub fn run(&self, images: &[f32]) -> Result<Outputs, ClassifierError> {
        match &self.runner {
            Runner::Compiled(plans) => {
                let mut plan = plans.take();
                let outputs = plan.run(images);
                plans.give_back(plan);
                Ok(outputs?)
            }
            Runner::Device(forward, device, output) => {
                let [channels, height, width] = self.input;
                let image = channels * height * width;
                let count = images.len() / image;
                if count * image != images.len() {
                    return Err(ClassifierError::Device(format!(
                        "{} values are not a whole number of images of {image} values",
                        images.len()
                    )));
                }
                let data = TensorData::new(images.to_vec(), [count, channels, height, width]);
                let values = forward(Tensor::from_data(data, device))
                    .try_into_vec_as::<f32>()
                    .map_err(|error| ClassifierError::Device(error.to_string()))?;
                Ok(Outputs::single(output, values))
            }
        }
    }

    /// Returns the number of values of an input image.
    pub fn image_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Returns `[channels, height, width]` of the output called `name`, if the engine is a plan that has
    /// the output.
    pub fn output_shape(&self, name: &str) -> Option<[usize; 3]> {
        let Runner::Compiled(plans) = &self.runner else {
            return None;
        };
        let mut outputs = plans.template.output_names().iter();
        let index = outputs.position(|known| known == name)?;
        plans.template.outputs().get(index).copied()
    }

    /// Returns the largest number of images that [`run`](Self::run) takes: the batch of the plan, or
    /// 32 on a Burn device.
    pub fn max_batch(&self) -> usize {
        match &self.runner {
            Runner::Compiled(plans) => plans.template.batch(),
            Runner::Device(..) => DEVICE_BATCH,
        }
    }
}

/// Clones of a plan, one for each thread that runs it at the same time.
struct PlanPool {
    /// The plan that new clones are made from.
    template: Compiled,
    idle: Mutex<Vec<Compiled>>,
}

impl PlanPool {
    fn new(template: Compiled) -> Self {
        Self {
            template,
            idle: Mutex::default(),
        }
    }

    /// Returns an idle clone, or a new one.
    fn take(&self) -> Compiled {
        let idle = self.idle().pop();
        idle.unwrap_or_else(|| self.template.clone())
    }

    /// Makes `plan` available to the next call of [`take`](Self::take).
    fn give_back(&self, plan: Compiled) {
        self.idle().push(plan);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Compiled>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
