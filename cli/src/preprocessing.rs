//! Preprocessing of images, chosen by the weight file.

use std::path::Path;

use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::Checkpoint;

use crate::embedded::EMBEDDED;
use crate::registry::Model;

/// Returns the preprocessing of images for the weights in `file`, chosen by the name of the file.
///
/// 1. The preprocessing of the published checkpoint of `model` that the file is, or was converted
///    from.
/// 2. The preprocessing of the oldest checkpoint of `model`: most weight files follow its recipe.
/// 3. [`Preprocessing::unpublished`] for a model without checkpoints.
pub fn for_file(model: &Model, file: &Path) -> Preprocessing {
    let embedded = EMBEDDED
        .iter()
        .find(|own| Some(own.file.as_ref()) == file.file_name());
    let file = embedded.map_or(file, |own| Path::new(own.published_name()));
    let checkpoint = Checkpoint::of_file(model.checkpoints, file).or(model.checkpoints.last());
    match checkpoint {
        Some(checkpoint) => checkpoint.preprocessing,
        None => Preprocessing::unpublished(model.labels, model.input.size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
