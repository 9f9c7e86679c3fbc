//! Preprocessing of images, chosen by the weight file.

use std::path::Path;

use receptive_layers::image::{self, RgbImage};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::InputSpec;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::Checkpoint;

use crate::embedded::EMBEDDED;
use crate::registry::Model;

/// Returns the preprocessing of images for the weights in `file`, chosen by the name of the file.
///
/// 1. The preprocessing of the published checkpoint of `model` whose file name, without extension,
///    is a prefix of the name of `file`. For an embedded file, the name of the published file that
///    it was converted from counts.
/// 2. The preprocessing of the oldest checkpoint of `model`: most weight files follow its recipe.
/// 3. [`unpublished`] for a model without checkpoints.
pub fn for_file(model: &Model, file: &Path) -> Preprocessing {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let embedded = EMBEDDED.iter().find(|embedded| embedded.file == name);
    let name = embedded.map_or(name, |embedded| embedded.published_name());
    let is_prefix = |checkpoint: &Checkpoint| {
        let published = checkpoint.cache_name();
        let stem = published.rsplit_once('.').map_or("", |(stem, _)| stem);
        !stem.is_empty() && name.starts_with(stem)
    };
    model
        .checkpoints
        .iter()
        .find(|checkpoint| is_prefix(checkpoint))
        .or_else(|| model.checkpoints.last())
        .map_or_else(
            || unpublished(model.labels, model.input),
            |checkpoint| checkpoint.preprocessing,
        )
}

/// Returns the values of a preprocessed image, `[channels, crop, crop]`: grey for one channel, else
/// colour.
pub fn apply(preprocessing: &Preprocessing, photo: &RgbImage, channels: usize) -> Vec<f32> {
    if channels == 1 {
        image::preprocess_grey(photo, preprocessing)
    } else {
        image::preprocess(photo, preprocessing)
    }
}

/// Returns the preprocessing for a network without published weights.
///
/// MNIST digits are resized to 28/32 of the input size and centred on a background of -0.1, with
/// full ink at 1.175, as in LeCun et al. 1998, section II.B. Other images are prepared as for
/// ImageNet, with the resize in proportion to the input size.
fn unpublished(labels: LabelSet, input: InputSpec) -> Preprocessing {
    let size = input.size;
    if labels == LabelSet::Mnist {
        let (background, ink) = (-0.1, 1.175);
        let std = 1.0 / (ink - background);
        return Preprocessing {
            resize: size * 28 / 32,
            crop: size,
            mean: [-background * std; 3],
            std: [std; 3],
            ..Preprocessing::IMAGENET
        };
    }
    let imagenet = Preprocessing::IMAGENET;
    Preprocessing {
        resize: size * imagenet.resize / imagenet.crop,
        crop: size,
        ..imagenet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use receptive_layers::network::Sizes;

    #[test]
    fn grey_digits_have_the_value_range_of_the_paper() {
        let spec = InputSpec {
            channels: 1,
            size: 32,
            accepts: Sizes::Published,
        };
        let prepared = unpublished(LabelSet::Mnist, spec);
        let value = |grey: f32| (grey - prepared.mean[0]) / prepared.std[0];
        assert!((value(0.0) + 0.1).abs() < 1e-6);
        assert!((value(1.0) - 1.175).abs() < 1e-6);
        assert_eq!((prepared.resize, prepared.crop), (28, 32));
    }

    #[test]
    fn the_file_name_chooses_the_preprocessing() {
        let model = crate::registry::model("resnet50").expect("a model");
        for (file, resize) in [
            ("resnet50-11ad3fa6.pth", 232),
            ("folder/resnet50-0676ba61-f16.safetensors", 256),
            ("mine.safetensors", 256),
        ] {
            assert_eq!(for_file(&model, Path::new(file)).resize, resize, "{file}");
        }
    }

    #[test]
    fn colour_images_keep_the_resize_ratio_of_imagenet() {
        let spec = InputSpec {
            channels: 3,
            size: 112,
            accepts: Sizes::AtLeast(32),
        };
        let prepared = unpublished(LabelSet::Imagenet1k, spec);
        assert_eq!((prepared.resize, prepared.crop), (128, 112));
    }
}
