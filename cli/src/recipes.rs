//! The training recipes of `recipes/`, which are embedded in the program.

use receptive_train::recipe::{Recipe, RecipeError};

use crate::registry::Model;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// File name and text of every recipe.
        const ALL: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../recipes/", $name)),
        )),*];
    };
}

embedded![
    "lenet5-mnist.toml",
    "lenet5-1998-mnist.toml",
    "alexnet-imagenet.toml",
    "vgg16-imagenet.toml",
    "googlenet-imagenet.toml",
    "resnet50-imagenet.toml",
    "resnet20-cifar10.toml",
    "mobilenet-v1-imagenet.toml",
    "finetune.toml",
];

/// The recipe for fine-tuning pretrained weights.
const FINETUNE: &str = "finetune.toml";

/// Returns the text of the recipe in the file `name`.
fn text(name: &str) -> &'static str {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, text)| text)
}

/// Returns the default recipe for training `model` from random or pretrained weights,
/// with crops of the network's input size and with the fields in `overrides`, each `FIELD=VALUE` as
/// in `--set`.
///
/// # Errors
///
/// [`RecipeError`] when an override has an unknown field or an invalid value.
pub fn default_for(
    model: &Model,
    pretrained: bool,
    overrides: &[String],
) -> Result<Recipe, RecipeError> {
    let name = if pretrained { FINETUNE } else { model.recipe };
    let mut recipe = Recipe::parse(text(name), name, &[])?;
    recipe.data.crop_to(model.input.size);
    if overrides.is_empty() {
        return Ok(recipe);
    }
    Recipe::parse(&recipe.text()?, name, overrides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn every_recipe_parses_and_round_trips() {
        for (name, text) in ALL {
            let recipe = Recipe::parse(text, name, &[]).expect(name);
            let again = recipe.text().expect(name);
            assert_eq!(
                Recipe::parse(&again, name, &[]).expect(name),
                recipe,
                "{name}"
            );
        }
    }

    #[test]
    fn the_recipe_of_every_network_is_embedded() {
        for model in registry::models() {
            assert!(!text(model.recipe).is_empty(), "{}", model.name);
        }
    }

    #[test]
    fn default_recipes_crop_to_the_input_size_of_every_network() {
        for model in registry::models() {
            for pretrained in [false, true] {
                let overrides = ["epochs=7".to_owned()];
                let recipe = default_for(&model, pretrained, &overrides).expect(model.name);
                assert_eq!(recipe.epochs, 7);
                if model.input.channels == 1 {
                    continue;
                }
                let mut random =
                    receptive_train::stream(1, receptive_train::Purpose::Order, [0; 2]);
                let side = if model.input.size == 32 { 32 } else { 300 };
                for steps in [&recipe.data.train, &recipe.data.evaluate] {
                    let photo = receptive_train::Image::filled(side, side, &[9; 3]);
                    let prepared = steps
                        .iter()
                        .fold(photo, |photo, step| step.apply(photo, &mut random));
                    let size = (prepared.width, prepared.height);
                    assert_eq!(size, (model.input.size, model.input.size), "{}", model.name);
                }
            }
        }
    }
}
