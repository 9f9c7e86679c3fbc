//! `receptive inspect`: pictures of the first layer's kernels and of the feature maps of an image.

use std::fs;

use burn::tensor::{Tensor, TensorData};
use receptive_layers::image;

use crate::args::InspectArgs;
use crate::device;
use crate::error::CliError;
use crate::image_grid::{self, Tile};
use crate::picture;
use crate::registry;
use crate::weights::ModelWeights;

/// Largest number of tiles in a picture.
const MAX_TILES: usize = 256;

/// Draws the kernels of the first layer and, with `--image`, the feature maps of every stage.
///
/// # Errors
///
/// [`CliError`] when the weights do not fit the network, the image cannot be read, or a picture
/// cannot be written.
pub fn run(args: &InspectArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let weights = ModelWeights::open(&model, &args.weights, args.key.key())?;
    let device = device::cpu()?;
    let network = weights.load(&device)?;
    let photo = args.image.as_ref().map(image::open).transpose()?;
    fs::create_dir_all(&args.output)
        .map_err(|error| picture::cannot_write(&args.output, &error))?;
    if let Some(kernels) = network.first_kernels() {
        let tiles = kernel_tiles(kernels)?;
        image_grid::save(&tiles, &args.output.join("kernels.png"))?;
    }
    let Some(photo) = photo else { return Ok(()) };
    let [channels, height, width] = weights.description.input;
    let preprocessing = &weights.description.preprocessing;
    let values = image::preprocess_channels(&photo, preprocessing, channels);
    let values = TensorData::new(values, [1, channels, height, width]);
    let images = Tensor::from_data(values, &device);
    for (index, (stage, maps)) in network.features(images).into_iter().enumerate() {
        let name = format!("{:02}-{stage}.png", index + 1);
        image_grid::save(&map_tiles(maps)?, &args.output.join(name))?;
    }
    Ok(())
}

/// Returns tiles of kernels `[out, in, height, width]`: one colour tile per kernel for three input
/// channels, else one grey tile per kernel and channel. Zero is medium grey, and the largest
/// absolute weight of a tile is black or white.
fn kernel_tiles(kernels: Tensor<4>) -> Result<Vec<Tile>, CliError> {
    let [_, channels, height, width] = kernels.dims();
    let values = values(kernels)?;
    let colour = channels == 3;
    let planes = if colour { 3 } else { 1 };
    let tiles = values.chunks_exact(planes * height * width).map(|kernel| {
        let largest = kernel.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
        let level = |value: f32| 0.5 + 0.5 * value / largest.max(f32::MIN_POSITIVE);
        let pixels = (0..height * width).map(|pixel| {
            let plane = |plane: usize| level(kernel[plane * height * width + pixel]);
            if colour {
                [plane(0), plane(1), plane(2)]
            } else {
                [plane(0); 3]
            }
        });
        Tile::new(width, height, pixels)
    });
    Ok(tiles.take(MAX_TILES).collect())
}

/// Returns a grey tile for each channel of `[1, channels, height, width]`: its smallest value is
/// black, its largest value is white.
fn map_tiles(maps: Tensor<4>) -> Result<Vec<Tile>, CliError> {
    let [_, _, height, width] = maps.dims();
    let values = values(maps)?;
    let tiles = values.chunks_exact(height * width).map(|map| {
        let min = map.iter().copied().fold(f32::INFINITY, f32::min);
        let max = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = (max - min).max(f32::MIN_POSITIVE);
        Tile::new(
            width,
            height,
            map.iter().map(|value| [(value - min) / range; 3]),
        )
    });
    Ok(tiles.take(MAX_TILES).collect())
}

/// Returns the elements of a tensor, in row-major order.
///
/// # Errors
///
/// [`CliError::Compute`] when the device fails, [`CliError::NotFinite`] for an infinite value or a
/// NaN.
fn values(tensor: Tensor<4>) -> Result<Vec<f32>, CliError> {
    let values = tensor
        .try_into_vec_as::<f32>()
        .map_err(|error| CliError::Compute(error.to_string()))?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(CliError::NotFinite);
    }
    Ok(values)
}
