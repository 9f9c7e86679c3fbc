//! The labels, costs and recipe of every published network.

use libtest_mimic::Trial;
use receptive::registry::{Model, Registry};
use receptive_tests::networks::{self, Tested};
use receptive_train::recipe::Recipe;
use receptive_train::{Image, Purpose, stream};

use crate::{case, cases};

fn model(name: &str) -> Model {
    Tested::model(name).unwrap()
}

fn names_are_unique() {
    let mut names = networks::names();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

fn assert_has_a_label_for_each_class(name: &str) {
    let model = model(name);
    assert_eq!(model.published.labels.names().len(), model.classes);
}

/// Checks that the summary has the parameters of the module and of every checkpoint, and that its
/// layers have the totals.
fn assert_is_costed(name: &str) {
    let model = model(name);
    let summary = model
        .summary(model.classes, model.input.shape(), false)
        .unwrap();
    assert_eq!(summary.parameters, networks::parameters(name));
    for checkpoint in model.checkpoints {
        assert_eq!(
            summary.parameters, checkpoint.parameters,
            "{}",
            checkpoint.tag
        );
    }
    let layers = summary.layers.iter();
    let (parameters, macs) = layers.fold((0, 0), |(parameters, macs), layer| {
        (parameters + layer.parameters, macs + layer.macs)
    });
    assert_eq!((parameters, macs), (summary.parameters, summary.macs));
    assert!(summary.macs > 0);
}

fn assert_recipe_round_trips(name: &str) {
    let file = model(name).recipe;
    let recipe = Recipe::parse(file.text, file.name, &[]).unwrap();
    let again = Recipe::parse(&recipe.text().unwrap(), file.name, &[]).unwrap();
    assert_eq!(again, recipe);
}

/// Checks that the default recipes prepare photos of the network's input size.
fn assert_default_recipes_crop_to_the_input_size(name: &str) {
    let model = model(name);
    let preprocessing = model.published.preprocessing;
    for preprocessing in [None, Some(&preprocessing)] {
        let overrides = ["epochs=7".to_owned()];
        let recipe = model.default_recipe(preprocessing, &overrides).unwrap();
        assert_eq!(recipe.epochs, 7);
        if model.input.channels == 1 {
            continue;
        }
        let mut random = stream(1, Purpose::Order, [0; 2]);
        let side = if model.input.size == 32 { 32 } else { 300 };
        for steps in [&recipe.data.train, &recipe.data.evaluate] {
            let photo = Image::filled(side, side, &[9; 3]);
            let prepared = steps
                .iter()
                .fold(photo, |photo, step| step.apply(photo, &mut random));
            let size = (prepared.width, prepared.height);
            assert_eq!(size, (model.input.size, model.input.size));
        }
    }
}

/// Checks that the recipe prepares validation images by the paper's preprocessing, and that
/// fine-tuning does so by the preprocessing of the weights.
fn assert_recipes_have_the_preprocessing_of_the_weights(name: &str) {
    let model = model(name);
    let (channels, size) = (model.input.channels, model.input.size);
    let papers = model.default_recipe(None, &[]).unwrap();
    assert_eq!(
        papers.preprocessing(channels, size).unwrap(),
        model.published.preprocessing
    );
    let checkpoints = model.checkpoints.iter();
    for preprocessing in checkpoints.map(|checkpoint| checkpoint.preprocessing) {
        let recipe = model.default_recipe(Some(&preprocessing), &[]).unwrap();
        assert_eq!(recipe.preprocessing(channels, size).unwrap(), preprocessing);
    }
}

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![case("published::names_are_unique", names_are_unique)];
    type Check = (&'static str, fn(&str));
    let checks: [Check; 5] = [
        ("published::labels", assert_has_a_label_for_each_class),
        ("published::costs", assert_is_costed),
        ("published::recipe", assert_recipe_round_trips),
        (
            "published::default_recipes",
            assert_default_recipes_crop_to_the_input_size,
        ),
        (
            "published::preprocessing",
            assert_recipes_have_the_preprocessing_of_the_weights,
        ),
    ];
    for (group, check) in checks {
        trials.extend(cases(group, networks::names(), check));
    }
    trials
}
