//! Explanation of class scores by the last feature maps of a compiled network, and pictures of maps.

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::path::{Component, Path, PathBuf};

use burn::tensor::Device;
use receptive_layers::classifier::ClassifierError;
use receptive_layers::compile::{Compiled, Outputs};
#[cfg(feature = "train")]
use receptive_layers::explain::InputGradients;
use receptive_layers::explain::{ClassWeights, Heatmap};
use receptive_layers::graph::LOGITS;
use receptive_layers::image::{self, Raster, Region, RgbImage, seen_region};
use receptive_layers::preprocessing::{Interpolation, Preprocessing};
use receptive_layers::sha256;

use crate::args::{Method, TuningArgs};
use crate::device;
use crate::engine::{compiler_options, limit_backend_threads};
use crate::error::CliError;
use crate::explain_error::ExplainError;
use crate::picture;
use crate::registry::AnyNetwork;
use crate::weights::ModelWeights;

/// Computes class activation maps, or Grad-CAMs, from the last feature maps.
pub struct MapExplainer {
    /// Name of the stage with the maps, which is the name of the plan's second output.
    pub stage: &'static str,
    /// `[channels, height, width]` of the maps.
    shape: [usize; 3],
    weights: MapWeights,
}

/// The source of the weight of each map.
enum MapWeights {
    Class(ClassWeights),
    #[cfg(feature = "train")]
    Gradient(InputGradients),
}

impl MapExplainer {
    /// Compiles the network of `weights` for batches of `batch` images, with the class scores and the last feature
    /// maps as outputs. Without a `method`, chooses class activation maps where the network has them, else Grad-CAM.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the weights do not fit the network, and [`ExplainError`] when the network or the program
    /// does not have the method.
    pub fn compile(
        weights: ModelWeights,
        method: Option<Method>,
        batch: usize,
        threads: Option<usize>,
        tuning: &TuningArgs,
    ) -> Result<(Compiled, Self), CliError> {
        // Before the first operation of the backend.
        limit_backend_threads(threads);
        let device = device::cpu()?;
        let (network, model) = (weights.load(&device)?, weights.model);
        let stage = network.last_maps();
        let [channels, height, width] = weights.description.input;
        let input = [batch, channels, height, width];
        drop(weights);
        let options = compiler_options(tuning, batch, threads);
        let compiled = network.compile(input, &[LOGITS, stage], &options);
        let compiled = compiled.map_err(|source| model.uncompiled(source))?;
        let shape = compiled.outputs()[1];
        let class_weights = match method {
            Some(Method::GradCam) => None,
            _ => network.class_weights(shape, &device)?,
        };
        let weights = match class_weights {
            Some(weights) => MapWeights::Class(weights),
            None if method == Some(Method::Cam) => {
                return Err(ExplainError::NoGlobalMean { model: model.name }.into());
            }
            None => gradient_weights(network.as_ref(), &device)?,
        };
        let explainer = Self {
            stage,
            shape,
            weights,
        };
        Ok((compiled, explainer))
    }

    /// Returns the method.
    pub fn method(&self) -> Method {
        match self.weights {
            MapWeights::Class(_) => Method::Cam,
            #[cfg(feature = "train")]
            MapWeights::Gradient(_) => Method::GradCam,
        }
    }

    /// Computes the map of class `class` for the image at index `image` of a batch.
    ///
    /// # Errors
    ///
    /// [`ClassifierError`] if a value is not finite, or the device fails.
    pub fn map(
        &self,
        outputs: &Outputs,
        image: usize,
        class: usize,
    ) -> Result<Heatmap, ClassifierError> {
        let length: usize = self.shape.iter().product();
        let maps = outputs.get(self.stage);
        let maps = maps.and_then(|maps| maps.get(image * length..(image + 1) * length));
        let maps = maps.ok_or_else(|| ClassifierError::NoOutput {
            requested: self.stage.to_owned(),
            known: outputs.iter().map(|(name, _)| name.to_owned()).collect(),
        })?;
        let map = match &self.weights {
            MapWeights::Class(weights) => weights.map(maps, [self.shape[1], self.shape[2]], class),
            #[cfg(feature = "train")]
            MapWeights::Gradient(gradients) => gradients.grad_cam(maps, self.shape, class)?,
        };
        finite(map)
    }
}

/// Returns `map` if all of its values are finite.
///
/// # Errors
///
/// [`ClassifierError::NotFinite`].
pub fn finite(map: Heatmap) -> Result<Heatmap, ClassifierError> {
    match map.values().iter().all(|value| value.is_finite()) {
        true => Ok(map),
        false => Err(ClassifierError::NotFinite),
    }
}

#[cfg(feature = "train")]
#[expect(clippy::unnecessary_wraps, reason = "an error without the feature")]
fn gradient_weights(network: &dyn AnyNetwork, device: &Device) -> Result<MapWeights, CliError> {
    Ok(MapWeights::Gradient(network.input_gradients(device)))
}

#[cfg(not(feature = "train"))]
fn gradient_weights(_: &dyn AnyNetwork, _: &Device) -> Result<MapWeights, CliError> {
    Err(ExplainError::NoGradients { method: "grad-cam" }.into())
}

/// Smallest length of the longer side of a picture, in pixels: smaller images are enlarged.
const SMALLEST: usize = 256;

/// A photo under a map.
pub struct Preview {
    photo: RgbImage,
    /// The part that the network sees.
    region: Region,
}

impl Preview {
    /// Resizes `photo` so that its longer side has 256 to `longest` pixels.
    pub fn new(photo: &RgbImage, preprocessing: &Preprocessing, longest: usize) -> Self {
        let [width, height] = [photo.width(), photo.height()].map(|length| length as usize);
        let region = seen_region(width, height, preprocessing);
        let side = width.max(height).max(1);
        let scale = side.clamp(SMALLEST.min(longest), longest) as f64 / side as f64;
        let [columns, rows] =
            [width, height].map(|length| ((length as f64 * scale).round() as usize).max(1));
        let raster = Raster::<3> {
            width,
            height,
            samples: photo.as_raw(),
        };
        let samples = image::resize(raster, columns, rows, Interpolation::Bilinear);
        let [x, y] = [
            columns as f64 / width.max(1) as f64,
            rows as f64 / height.max(1) as f64,
        ];
        Self {
            photo: RgbImage::from_raw(columns as u32, rows as u32, samples).unwrap_or_default(),
            region: Region {
                left: region.left * x,
                top: region.top * y,
                width: region.width * x,
                height: region.height * y,
            },
        }
    }

    /// Draws `map` over the photo, and returns the picture as a PNG file. `path` is for the error message.
    ///
    /// # Errors
    ///
    /// [`CliError::Picture`] when the picture cannot be encoded.
    pub fn png(&self, map: &Heatmap, path: &Path) -> Result<Vec<u8>, CliError> {
        let mut png = Cursor::new(Vec::new());
        map.draw(&self.photo, self.region)
            .write_to(&mut png, ::image::ImageFormat::Png)
            .map_err(|error| picture::cannot_write(path, &error))?;
        Ok(png.into_inner())
    }

    /// Draws `map` over the photo and writes the PNG file `path`.
    ///
    /// # Errors
    ///
    /// [`CliError::Picture`] when the file cannot be written; an existing file is then unchanged.
    pub fn save(&self, map: &Heatmap, path: &Path) -> Result<(), CliError> {
        picture::save(&self.png(map, path)?, path)
    }
}

/// Longest name of a picture in bytes, of the 255 that file systems allow.
const MAX_NAME: usize = 240;

/// Returns the path of the picture of the image at `path` in `folder`: the path of the image with `.explained.png`
/// appended. A path that is absolute or contains `..`, and a long name, get a number that depends on the path.
pub fn picture_path(folder: &Path, path: &str) -> PathBuf {
    let mut picture = folder.to_owned();
    let mut is_inside = true;
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => picture.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) | Component::RootDir => is_inside = false,
        }
    }
    let name = picture.file_name().map(OsStr::to_string_lossy);
    let mut name = name.unwrap_or_default().into_owned();
    if !is_inside || name.len() > MAX_NAME {
        // Reading memory does not fail.
        let digest = sha256::of_reader(path.as_bytes()).unwrap_or_default();
        let mut end = name.len().min(MAX_NAME / 2);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name = format!("{name}.{}", digest.get(..12).unwrap_or_default());
    }
    picture.set_file_name(name + ".explained.png");
    picture
}

/// Creates a folder of pictures.
///
/// # Errors
///
/// [`ExplainError::CreateFolder`].
pub fn create_folder(folder: &Path) -> Result<(), ExplainError> {
    fs::create_dir_all(folder).map_err(|source| ExplainError::CreateFolder {
        path: folder.to_owned(),
        source,
    })
}

/// Checks that `folder` is not in one of the folders of images.
///
/// # Errors
///
/// [`ExplainError::InsideInput`].
pub fn check_is_outside(folder: &Path, images: &[PathBuf]) -> Result<(), ExplainError> {
    let absolute = |path: &Path| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        whole.canonicalize().unwrap_or(whole)
    };
    let inside = absolute(folder);
    let mut inputs = images.iter().filter(|input| input.is_dir());
    match inputs.find(|input| inside.starts_with(absolute(input))) {
        Some(input) => Err(ExplainError::InsideInput {
            path: folder.to_owned(),
            input: input.clone(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_inside_the_folder_and_named_after_the_image() {
        let path = |path| picture_path(Path::new("why"), path);
        assert_eq!(path("a/b.jpg"), Path::new("why/a/b.jpg.explained.png"));
        assert_eq!(path("./b.jpg"), Path::new("why/b.jpg.explained.png"));
        let long = "é".repeat(150);
        let others = ["a/b.jpg", "/a/b.jpg", "../a/b.jpg", "../../a/b.jpg", &long];
        let others = others.map(path);
        let different: std::collections::HashSet<_> = others.iter().collect();
        assert_eq!(different.len(), others.len());
        for path in &others {
            assert!(path.starts_with("why") && !path.to_string_lossy().contains(".."));
            assert!(path.file_name().is_some_and(|name| name.len() < 255));
        }
    }

    #[test]
    fn a_folder_of_pictures_is_not_among_the_images() {
        let folder = tempfile::tempdir().expect("a folder");
        let images = [folder.path().to_owned()];
        assert!(check_is_outside(folder.path(), &images).is_err());
        assert!(check_is_outside(&folder.path().join("why"), &images).is_err());
        assert!(check_is_outside(Path::new("elsewhere"), &images).is_ok());
        assert!(check_is_outside(folder.path(), &[folder.path().join("a.png")]).is_ok());
    }

    #[test]
    fn a_preview_is_reduced_with_its_region() {
        let photo = RgbImage::new(1024, 512);
        let preview = Preview::new(&photo, &Preprocessing::IMAGENET, 256);
        assert_eq!(preview.photo.dimensions(), (256, 128));
        // 512 x 256 after the resize, columns 144 to 368 and rows 16 to 240.
        let expected = Region {
            left: 72.0,
            top: 8.0,
            width: 112.0,
            height: 112.0,
        };
        assert_eq!(preview.region, expected);
        let small = Preview::new(&RgbImage::new(3, 2), &Preprocessing::IMAGENET, 256);
        assert_eq!(small.photo.dimensions(), (256, 171));
    }
}
