//! `receptive inspect`: what a network looks for and what it sees, as pictures.

use std::fs;

use burn::tensor::{Tensor, TensorData};
use receptive_layers::image::{self, RgbImage};
use receptive_layers::weights::StateDict;

use crate::args::InspectArgs;
use crate::device;
use crate::error::CliError;
use crate::mosaic::{self, Tile};
use crate::pretrained;
use crate::registry::{self, Model};

/// Maps of a stage that are drawn; more are too small to see.
const MOST_MAPS: usize = 256;

/// Draws the first layer's kernels and, of an image, every stage's maps.
pub fn run(args: &InspectArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let weights = StateDict::open(&args.weights)?;
    let origin = args.weights.display().to_string();
    let device = device::processor()?;
    let network = model.load(&weights, &origin, &device)?;
    let photo = args.image.as_ref().map(image::open).transpose()?;
    fs::create_dir_all(&args.output).map_err(|source| CliError::Picture {
        path: args.output.clone(),
        message: source.to_string(),
    })?;
    if let Some(kernels) = network.first_kernels() {
        let tiles = kernel_tiles(kernels)?;
        mosaic::save(&tiles, &args.output.join("kernels.png"))?;
    }
    let Some(photo) = photo else { return Ok(()) };
    let preprocessing = pretrained::preprocessing(&model, &args.weights);
    let images = input(&model, &photo, &preprocessing);
    let images = Tensor::from_data(images, &device);
    for (number, (stage, maps)) in network.features(images).into_iter().enumerate() {
        let name = format!("{:02}-{stage}.png", number + 1);
        mosaic::save(&map_tiles(maps)?, &args.output.join(name))?;
    }
    Ok(())
}

fn input(
    model: &Model,
    photo: &RgbImage,
    preprocessing: &receptive_layers::preprocessing::Preprocessing,
) -> TensorData {
    let channels = model.input.channels;
    let values = if channels == 1 {
        image::preprocess_grey(photo, preprocessing)
    } else {
        image::preprocess(photo, preprocessing)
    };
    TensorData::new(
        values,
        [1, channels, preprocessing.crop, preprocessing.crop],
    )
}

/// A tile for each kernel of `[out, in, height, width]`: in colour where it sees three channels, else one
/// in grey for each channel; zero is the middle, the kernel's largest weight the end of the range.
fn kernel_tiles(kernels: Tensor<4>) -> Result<Vec<Tile>, CliError> {
    let [_, channels, height, width] = kernels.dims();
    let values = values(kernels)?;
    let colour = channels == 3;
    let planes = if colour { 3 } else { 1 };
    let tiles = values.chunks_exact(planes * height * width).map(|kernel| {
        let largest = kernel.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
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
    Ok(tiles.take(MOST_MAPS).collect())
}

/// A grey tile for each of `[1, channels, height, width]`, from its least value to its largest.
fn map_tiles(maps: Tensor<4>) -> Result<Vec<Tile>, CliError> {
    let [_, _, height, width] = maps.dims();
    let values = values(maps)?;
    let tiles = values.chunks_exact(height * width).map(|map| {
        let least = map.iter().copied().fold(f32::INFINITY, f32::min);
        let most = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = (most - least).max(f32::MIN_POSITIVE);
        Tile::new(
            width,
            height,
            map.iter().map(|value| [(value - least) / range; 3]),
        )
    });
    Ok(tiles.take(MOST_MAPS).collect())
}

fn values(tensor: Tensor<4>) -> Result<Vec<f32>, CliError> {
    let values = tensor
        .try_into_vec_as::<f32>()
        .map_err(|error| CliError::Compute(error.to_string()))?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(CliError::NotFinite);
    }
    Ok(values)
}
