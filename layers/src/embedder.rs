//! Embedding of photos: preprocessing, inference up to the head, and pooling.
//!
//! An [`Embedder`] computes the input of the network's last layer, the embedding, or the means of a
//! stage's feature maps. Photos with similar contents have embeddings with a high [cosine
//! similarity](crate::vectors::cosine). It is shared between threads by reference, as a
//! [`Classifier`](crate::classifier::Classifier).

use burn::tensor::{Device, Tensor};

use crate::compile::{Compiled, Options, compile_outputs};
use crate::engine::{ClassifierError, Engine};
use crate::graph::EMBEDDING;
use crate::image::RgbImage;
use crate::network::Network;
use crate::preprocessing::Preprocessing;
use crate::pretrained::Pretrained;

/// A network with its preprocessing: photos in, vectors out.
pub struct Embedder {
    engine: Engine,
    /// Name of the output that becomes the vectors.
    output: String,
    /// Elements of the output that are averaged to one feature: 1, or the height times the width of
    /// feature maps.
    pooled: usize,
    normalize: bool,
}

impl Embedder {
    /// Compiles a pretrained network for this machine's CPU up to `layer`:
    /// [`EMBEDDING`], or one of the network's
    /// [`STAGES`](Network::STAGES), whose feature maps are averaged over height and width.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Compile`] if the network has no such layer, or cannot be compiled with
    /// `options`.
    pub fn compile<N: Network>(
        pretrained: &Pretrained<N>,
        layer: &str,
        options: &Options,
    ) -> Result<Self, ClassifierError> {
        let [channels, height, width] = pretrained.input;
        let input = [options.batch.unwrap_or(1), channels, height, width];
        let plan = compile_outputs(&pretrained.network, input, &[layer], options)?;
        Self::from_plan(plan, layer, pretrained.preprocessing)
    }

    /// Computes the embeddings of a pretrained network on `device`, which holds its weights.
    pub fn on_device<N: Network + 'static>(pretrained: Pretrained<N>, device: Device) -> Self {
        let network = pretrained.network;
        Self::from_forward(
            move |images| network.embed(images),
            device,
            pretrained.input[0],
            pretrained.preprocessing,
        )
    }

    /// Runs `plan` and returns its output called `output`, whose maps are averaged over height and
    /// width.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Input`] if the plan's input is not one or three channels of the size that
    /// `preprocessing` prepares, [`ClassifierError::NoOutput`] if the plan has no such output.
    pub fn from_plan(
        plan: Compiled,
        output: &str,
        preprocessing: Preprocessing,
    ) -> Result<Self, ClassifierError> {
        let names = plan.output_names();
        let index = names.iter().position(|name| name == output);
        let Some([_, height, width]) = index.map(|index| plan.outputs()[index]) else {
            return Err(ClassifierError::NoOutput {
                requested: output.to_owned(),
                known: names.to_vec(),
            });
        };
        Ok(Self {
            engine: Engine::from_plan(plan, preprocessing)?,
            output: output.to_owned(),
            pooled: (height * width).max(1),
            normalize: false,
        })
    }

    /// Runs `forward` on `device`: any function from images `[batch, channels, height, width]` to
    /// vectors `[batch, features]`.
    pub fn from_forward(
        forward: impl Fn(Tensor<4>) -> Tensor<2> + Send + Sync + 'static,
        device: Device,
        channels: usize,
        preprocessing: Preprocessing,
    ) -> Self {
        let forward = Box::new(forward);
        Self {
            engine: Engine::from_forward(forward, EMBEDDING, device, channels, preprocessing),
            output: EMBEDDING.to_owned(),
            pooled: 1,
            normalize: false,
        }
    }

    /// Sets whether vectors are divided by their Euclidean length, which makes their inner product
    /// the cosine similarity. A vector of zeros remains zero.
    #[must_use]
    pub fn normalized(self, normalize: bool) -> Self {
        Self { normalize, ..self }
    }

    /// Computes the vector of a photo.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Device`] if the device fails, [`ClassifierError::NotFinite`] if a feature
    /// is not finite.
    pub fn embed(&self, photo: &RgbImage) -> Result<Vec<f32>, ClassifierError> {
        let mut vectors = self.run(&self.prepare(photo), 1)?;
        vectors.pop().unwrap_or(Err(ClassifierError::NotFinite))
    }

    /// Computes the vectors of photos, in batches.
    ///
    /// # Errors
    ///
    /// As [`embed`](Self::embed).
    pub fn embed_all(&self, photos: &[RgbImage]) -> Result<Vec<Vec<f32>>, ClassifierError> {
        let mut vectors = Vec::with_capacity(photos.len());
        for batch in photos.chunks(self.max_batch()) {
            let images = batch.iter().flat_map(|photo| self.prepare(photo));
            let images: Vec<f32> = images.collect();
            for vector in self.run(&images, batch.len())? {
                vectors.push(vector?);
            }
        }
        Ok(vectors)
    }

    /// Converts a photo to the network's input, `[channels, height, width]`.
    pub fn prepare(&self, photo: &RgbImage) -> Vec<f32> {
        self.engine.prepare(photo)
    }

    /// Computes the vector of each of `count` prepared images, `[count, channels, height, width]`, at
    /// most [`max_batch`](Self::max_batch) images. The vector of an image is
    /// [`ClassifierError::NotFinite`] if one of its features is not finite.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Run`] if there are too many images, [`ClassifierError::Device`] if the
    /// device fails.
    pub fn run(
        &self,
        images: &[f32],
        count: usize,
    ) -> Result<Vec<Result<Vec<f32>, ClassifierError>>, ClassifierError> {
        let outputs = self.engine.run(images)?;
        let values = outputs.get(&self.output).unwrap_or_default();
        let length = (values.len() / count.max(1)).max(1);
        Ok(values
            .chunks(length)
            .map(|maps| self.vector(maps))
            .collect())
    }

    /// Returns the number of features of a vector. Runs the network on a black image if its engine is a
    /// Burn device.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Device`] if the device fails.
    pub fn features(&self) -> Result<usize, ClassifierError> {
        if let Some(shape) = self.engine.output_shape(&self.output) {
            return Ok(shape.iter().product::<usize>() / self.pooled);
        }
        let outputs = self.engine.run(&vec![0.0; self.engine.image_len()])?;
        Ok(outputs.get(&self.output).unwrap_or_default().len())
    }

    /// Returns the vector of an image from its output.
    fn vector(&self, maps: &[f32]) -> Result<Vec<f32>, ClassifierError> {
        let mut vector: Vec<f32> = match self.pooled {
            1 => maps.to_vec(),
            pooled => (maps.chunks(pooled))
                .map(|map| map.iter().sum::<f32>() / pooled as f32)
                .collect(),
        };
        if vector.iter().any(|feature| !feature.is_finite()) {
            return Err(ClassifierError::NotFinite);
        }
        if self.normalize {
            normalize(&mut vector);
        }
        Ok(vector)
    }

    /// Returns the largest number of images that [`run`](Self::run) takes: the batch of the plan, or
    /// 32 on a Burn device.
    pub fn max_batch(&self) -> usize {
        self.engine.max_batch()
    }

    /// Returns the preprocessing of photos.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.engine.preprocessing
    }
}

/// Divides `vector` by its Euclidean length. A vector of zeros remains zero.
pub fn normalize(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|&v| f64::from(v) * f64::from(v))
        .sum::<f64>()
        .sqrt();
    if length > 0.0 {
        let scale = 1.0 / length;
        for value in vector {
            *value = (f64::from(*value) * scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalized_vectors_have_length_one_and_zeros_stay() {
        let mut vector = vec![3.0, -4.0];
        normalize(&mut vector);
        assert_eq!(vector, [0.6, -0.8]);
        let mut zeros = vec![0.0; 3];
        normalize(&mut zeros);
        assert_eq!(zeros, [0.0; 3]);
        let mut large = vec![1e38; 4];
        normalize(&mut large);
        assert_eq!(large, [0.5; 4]);
    }
}
