//! The embedder that `receptive embed` names.

use burn::tensor::Tensor;
use receptive_layers::classifier::ClassifierError;
use receptive_layers::embedder::Embedder;
use receptive_layers::graph::EMBEDDING;
use receptive_layers::image::RgbImage;

use crate::args::{ComputeArgs, VectorArgs};
use crate::engine::Runner;
use crate::error::CliError;
use crate::onnx_images;
use crate::onnx_network::OnnxFile;
use crate::predict::{Predictor, Prepared};
use crate::registry::{AnyNetwork, Model};
use crate::resolve::{NetworkSource, ResolvedModel};
use crate::rows::{Answer, Failure};

impl Predictor for Embedder {
    fn prepare(&self, _path: &str, photo: RgbImage) -> (Vec<f32>, Prepared) {
        (Embedder::prepare(self, &photo), Prepared::default())
    }

    fn run(
        &self,
        images: &[f32],
        prepared: &[Prepared],
    ) -> Result<Vec<Result<Answer, Failure>>, ClassifierError> {
        let vectors = Embedder::run(self, images, prepared.len())?;
        let answers = vectors.into_iter().map(|vector| match vector {
            Ok(vector) => Ok(Answer::Vector(vector)),
            Err(error) => Err(Failure::from(&error)),
        });
        Ok(answers.collect())
    }

    fn max_batch(&self) -> usize {
        Embedder::max_batch(self)
    }

    fn shorter_side(&self) -> usize {
        self.preprocessing().resize
    }
}

/// Opens the network `source` with the weights and the layer that `args` name, for batches of `batch` images.
///
/// # Errors
///
/// [`CliError`] when the weights cannot be used, or the network has no such layer.
pub fn open(
    source: &NetworkSource,
    args: &VectorArgs,
    batch: usize,
    compute: &ComputeArgs,
) -> Result<Embedder, CliError> {
    let embedder = match source {
        NetworkSource::Registered(model) => open_registered(model, args, batch, compute)?,
        NetworkSource::File(file) => open_file(file, args, batch, compute)?,
    };
    Ok(embedder.normalized(args.normalize))
}

fn open_file(
    file: &OnnxFile,
    args: &VectorArgs,
    batch: usize,
    compute: &ComputeArgs,
) -> Result<Embedder, CliError> {
    let mut network = onnx_images::read(file, &args.model, &args.preprocessing, compute)?;
    let layer = match &args.layer {
        Some(layer) => network.keep_output(Some(layer))?.0,
        None => {
            let scores = network.scores_name();
            network.keep_output(scores.as_deref())?;
            let embedding = network.head_operand();
            let embedding = embedding.ok_or_else(|| CliError::OnnxHead {
                path: file.path.clone(),
            })?;
            network.set_output(EMBEDDING.to_owned(), embedding);
            EMBEDDING.to_owned()
        }
    };
    let (plan, preprocessing) = onnx_images::compile(network, &args.preprocessing, batch, compute)?;
    Ok(Embedder::from_plan(plan, &layer, preprocessing)?)
}

fn open_registered(
    model: &Model,
    args: &VectorArgs,
    batch: usize,
    compute: &ComputeArgs,
) -> Result<Embedder, CliError> {
    args.preprocessing.refuse(model.name)?;
    let resolved = ResolvedModel::open(
        model,
        args.model.weights.as_deref(),
        args.model.key.key(),
        compute,
    )?;
    let preprocessing = resolved.description().preprocessing;
    let [channels, height, width] = resolved.description().input;
    let input = [batch, channels, height, width];
    let layer = args.layer.as_deref().unwrap_or(EMBEDDING);
    let runner = match resolved {
        ResolvedModel::Weights(weights) => Runner::for_output(*weights, input, layer, compute)?,
        plan => Runner::new(plan, input, compute)?,
    };
    Ok(match runner {
        Runner::Compiled(plan) => Embedder::from_plan(*plan, layer, preprocessing)?,
        Runner::Eager { network, device } => {
            let stage = match &args.layer {
                Some(layer) => Some(stage(model, network.stages(), layer)?),
                None => None,
            };
            let forward = move |images| pooled(network.as_ref(), images, stage);
            Embedder::from_forward(forward, device, channels, preprocessing)
        }
    })
}

/// Returns the index of the stage called `layer`.
fn stage(model: &Model, stages: Vec<&'static str>, layer: &str) -> Result<usize, CliError> {
    let index = stages.iter().position(|stage| *stage == layer);
    index.ok_or_else(|| CliError::UnknownLayer {
        model: model.name,
        requested: layer.to_owned(),
        known: stages,
    })
}

/// Computes the embeddings, or the means of the feature maps of `stage`.
fn pooled(network: &dyn AnyNetwork, images: Tensor<4>, stage: Option<usize>) -> Tensor<2> {
    let Some(stage) = stage else {
        return network.embed(images);
    };
    let (_, maps) = network.features(images).swap_remove(stage);
    let [batch, channels, height, width] = maps.dims();
    let maps: Tensor<3> = maps.reshape([batch, channels, height * width]);
    maps.mean_dim(2).reshape([batch, channels])
}
