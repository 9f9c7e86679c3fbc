//! Class activation maps.

use burn::tensor::{Device, Tensor, TensorData};

use super::heatmap::Heatmap;
use crate::engine::ClassifierError;
use crate::network::Network;

/// Embeddings that the last layer classifies at once.
const ROWS: usize = 256;

/// Largest error of a score or a mean, relative to the largest one, of a network whose scores are linear
/// functions of the means.
const TOLERANCE: f32 = 1e-4;

/// The weights of the last layer of a network whose embeddings are the means of its last feature maps.
///
/// The class activation map of class `c` is `sum_k w_ck f_k(x, y)` with the weights `w` of the last layer and the
/// maps `f` (Zhou et al. 2016, equation 2). Its mean is the score without the bias.
#[derive(Debug, Clone)]
pub struct ClassWeights {
    channels: usize,
    /// `[classes, channels]`.
    weights: Vec<f32>,
}

impl ClassWeights {
    /// Computes the weights of `network`, whose stage [`Network::LAST_MAPS`] has the output shape
    /// `[channels, height, width]`. Returns `None` if the class scores are not linear functions of the means of
    /// these maps.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Device`] if the device fails, [`ClassifierError::NotFinite`] if a score is not finite.
    ///
    /// # Panics
    ///
    /// If `maps` has no elements.
    pub fn of<N: Network>(
        network: &N,
        maps: [usize; 3],
        device: &Device,
    ) -> Result<Option<Self>, ClassifierError> {
        let [channels, height, width] = maps;
        let (zeros, scores) = match embed_ramp(network, maps, device)? {
            Some(means) => {
                let scores = values(network.classify(tensor(means, channels, device)))?;
                let zeros = network.classify(Tensor::zeros([1, channels], device));
                (values(zeros)?, scores)
            }
            None => return Ok(None),
        };
        // Damaged weights; `None` would be another statement.
        if !scores.iter().chain(&zeros).all(|score| score.is_finite()) {
            return Err(ClassifierError::NotFinite);
        }
        let classes = zeros.len();
        let mut weights = vec![0.0; classes * channels];
        for start in (0..channels).step_by(ROWS) {
            let rows = ROWS.min(channels - start);
            let mut units = vec![0.0; rows * channels];
            for row in 0..rows {
                units[row * channels + start + row] = 1.0;
            }
            let found = values(network.classify(tensor(units, channels, device)))?;
            for (row, found) in found.chunks_exact(classes.max(1)).enumerate() {
                for (class, (score, zero)) in found.iter().zip(&zeros).enumerate() {
                    weights[class * channels + start + row] = score - zero;
                }
            }
        }
        let result = Self { channels, weights };
        let ramp = ramp(channels * height * width);
        let linear: Vec<f32> = (zeros.iter().enumerate())
            .map(|(class, zero)| zero + mean(result.map(&ramp, [height, width], class).values()))
            .collect();
        Ok(agree(&linear, &scores).then_some(result))
    }

    /// Returns the class activation map of class `class` for the maps `[channels, height, width]` of one image.
    ///
    /// # Panics
    ///
    /// If `maps` has another number of elements, or there is no such class.
    pub fn map(&self, maps: &[f32], [height, width]: [usize; 2], class: usize) -> Heatmap {
        let places = height * width;
        assert_eq!(maps.len(), self.channels * places);
        let weights = &self.weights[class * self.channels..][..self.channels];
        Heatmap::weighted(maps, weights, [height, width])
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.weights.len() / self.channels.max(1)
    }
}

/// Computes the embedding of test maps of shape `[channels, height, width]`; `None` if it is not their means.
fn embed_ramp<N: Network>(
    network: &N,
    maps: [usize; 3],
    device: &Device,
) -> Result<Option<Vec<f32>>, ClassifierError> {
    let [channels, height, width] = maps;
    let head = crate::weights::shapes(network);
    let layer = N::HEAD.first().map(|layer| format!("{layer}.weight"));
    let features = layer.and_then(|layer| head.get(&layer)?.get(1).copied());
    // The maps of other networks do not have as many channels as the last layer has inputs, so that the fully
    // connected layers between them are not run on maps of another size.
    if features != Some(channels) {
        return Ok(None);
    }
    let ramp = ramp(channels * height * width);
    let means: Vec<f32> = ramp.chunks_exact(height * width).map(mean).collect();
    let data = TensorData::new(ramp, [1, channels, height, width]);
    let embedding = values(network.embed_maps(Tensor::from_data(data, device)))?;
    Ok(agree(&embedding, &means).then_some(means))
}

/// Returns test values from -1 to 1 without a pattern.
fn ramp(length: usize) -> Vec<f32> {
    (0..length)
        .map(|index| (index * 7919 % 2003) as f32 / 1001.0 - 1.0)
        .collect()
}

fn mean(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
    (sum / values.len().max(1) as f64) as f32
}

fn agree(found: &[f32], expected: &[f32]) -> bool {
    let largest = expected
        .iter()
        .fold(0.0_f32, |max, value| max.max(value.abs()));
    let close = |(found, expected): (&f32, &f32)| (found - expected).abs() <= TOLERANCE * largest;
    found.len() == expected.len() && found.iter().zip(expected).all(close)
}

fn tensor(rows: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows_count = rows.len() / columns;
    Tensor::from_data(TensorData::new(rows, [rows_count, columns]), device)
}

pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ClassifierError> {
    tensor
        .try_into_vec_as::<f32>()
        .map_err(|error| ClassifierError::Device(error.to_string()))
}
