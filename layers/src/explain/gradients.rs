//! Explanations by gradients: Grad-CAM and integrated gradients.

use std::sync::Arc;

use burn::module::{ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::class_weights::values;
use super::heatmap::Heatmap;
use crate::engine::{ClassifierError, Forward};
use crate::network::Network;

/// Largest number of images in a batch of integrated gradients.
const BATCH: usize = 8;

/// Number of values in a batch of [`BATCH`] images of 224 by 224 pixels. Larger images run in smaller batches, which
/// bounds the memory for the feature maps.
const BATCH_VALUES: usize = BATCH * 3 * 224 * 224;

/// A network that computes the gradients of a class score with respect to feature maps and images. Dropout and
/// batch norms behave as in inference.
pub struct InputGradients {
    /// Maps feature maps of the stage [`Network::LAST_MAPS`] to class scores.
    head: Forward,
    /// Maps images to class scores.
    forward: Forward,
    device: Device,
    /// Type of the weights.
    dtype: DType,
}

/// A visitor that finds the type of the first weight.
struct FirstType(Option<DType>);

impl ModuleVisitor for FirstType {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.get_or_insert_with(|| param.val().dtype());
    }
}

impl InputGradients {
    /// Prepares a copy of `network`, whose weights are on `device`. Gradients are computed in the type of the
    /// weights.
    pub fn new<N: Network + 'static>(network: &N, device: &Device) -> Self {
        let mut first = FirstType(None);
        network.visit(&mut first);
        // Copies of a module share their running statistics; `valid` copies them.
        let network = Arc::new(network.valid().train().freeze());
        let whole = Arc::clone(&network);
        Self {
            head: Box::new(move |maps| network.classify(network.embed_maps(maps))),
            forward: Box::new(move |images| whole.forward(images)),
            dtype: first.0.unwrap_or(DType::F32),
            device: device.clone().autodiff(),
        }
    }

    /// Computes the Grad-CAM of class `class` from the output `[channels, height, width]` of the stage
    /// [`Network::LAST_MAPS`] for one image: `relu(sum_k a_k f_k(x, y))`, where `a_k` is the mean of the score's
    /// gradient with respect to the map `f_k` (Selvaraju et al. 2017, equations 1 and 2).
    ///
    /// Only the layers after the stage run.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Class`] if there is no such class, [`ClassifierError::Device`] if the device fails.
    ///
    /// # Panics
    ///
    /// If `maps` has another number of elements than `shape`, or no elements.
    pub fn grad_cam(
        &self,
        maps: &[f32],
        shape: [usize; 3],
        class: usize,
    ) -> Result<Heatmap, ClassifierError> {
        let [channels, height, width] = shape;
        let input = self.input(maps.to_vec(), [1, channels, height, width]);
        let gradient = gradient((self.head)(input.clone()), class, &input)?;
        let places = height * width;
        let weights: Vec<f32> = gradient
            .chunks_exact(places)
            .map(|gradient| gradient.iter().sum::<f32>() / places as f32)
            .collect();
        Ok(Heatmap::weighted(maps, &weights, [height, width]).positive())
    }

    /// Computes the integrated gradients of class `class` for the prepared image `[channels, height, width]`: the
    /// image minus the baseline, times the mean gradient of the score at `steps` images on the straight line from
    /// the baseline to the image (Sundararajan et al. 2017, equation 3, by the midpoint rule). The baseline is 0, the
    /// mean colour of the training images. The values of the channels of a pixel are added.
    ///
    /// The sum of the map approaches the difference of the scores of image and baseline as the number of steps
    /// grows.
    ///
    /// # Errors
    ///
    /// As [`grad_cam`](Self::grad_cam).
    ///
    /// # Panics
    ///
    /// If the image has another number of elements than `shape`, or there are no steps.
    pub fn integrated_gradients(
        &self,
        image: &[f32],
        shape: [usize; 3],
        class: usize,
        steps: usize,
    ) -> Result<Heatmap, ClassifierError> {
        let [channels, height, width] = shape;
        assert!(steps > 0 && image.len() == channels * height * width && !image.is_empty());
        let images = (BATCH_VALUES / image.len()).clamp(1, BATCH);
        let mut sums = vec![0.0_f64; image.len()];
        for start in (0..steps).step_by(images) {
            let batch = start..steps.min(start + images);
            let count = batch.len();
            let scales = batch.map(|step| (step as f32 + 0.5) / steps as f32);
            let images = scales.flat_map(|scale| image.iter().map(move |value| scale * value));
            let input = self.input(images.collect(), [count, channels, height, width]);
            let gradient = gradient((self.forward)(input.clone()), class, &input)?;
            for gradient in gradient.chunks_exact(image.len()) {
                for (sum, value) in sums.iter_mut().zip(gradient) {
                    *sum += f64::from(*value);
                }
            }
        }
        let places = height * width;
        let mut map = vec![0.0; places];
        for (index, (sum, value)) in sums.iter().zip(image).enumerate() {
            map[index % places] += (sum / steps as f64 * f64::from(*value)) as f32;
        }
        Ok(Heatmap::new(height, width, map))
    }

    /// Returns a tensor whose gradient is recorded.
    fn input(&self, values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
        let data = TensorData::new(values, shape);
        Tensor::from_data(data, (&self.device, self.dtype)).require_grad()
    }
}

/// Returns the gradient of the sum over the batch of the scores of class `class` with respect to `input`.
fn gradient(
    scores: Tensor<2>,
    class: usize,
    input: &Tensor<4>,
) -> Result<Vec<f32>, ClassifierError> {
    let [batch, classes] = scores.dims();
    if class >= classes {
        return Err(ClassifierError::Class {
            requested: class,
            classes,
        });
    }
    let score = scores.slice([0..batch, class..class + 1]).sum();
    let gradients = score.backward();
    let gradient = input.grad(&gradients).ok_or_else(|| {
        ClassifierError::Device("the class scores do not depend on the input".to_owned())
    });
    values(gradient?)
}
