//! Parsing, overrides and errors of recipes; schedules against their closed forms.

use proptest::prelude::*;

use super::*;

const TEXT: &str = "
epochs = 20
batch = 64
ema = 0.99
clip_norm = 2.0

[network]
dropout = 0.4

[loss]
kind = 'cross_entropy'
smoothing = 0.1

[optimizer]
kind = 'sgd'
lr = 0.1
momentum = 0.9

[schedule]
kind = 'cosine'
warmup = 2.0

[data]
mix = { kind = 'mixup', alpha = 0.2 }
train = [{ kind = 'rotation', degrees = 10.0 }, { kind = 'random_crop', size = 32, padding = 2 }]
evaluate = [{ kind = 'pad', pixels = 2 }]

[data.normalise]
mean = [0.5]
std = [0.5]
";

fn parse(text: &str, overrides: &[&str]) -> Result<Recipe, RecipeError> {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    Recipe::parse(text, "test.toml", &overrides)
}

#[test]
fn a_recipe_round_trips() {
    let recipe = parse(TEXT, &[]).expect("read");
    let again = parse(&recipe.text().expect("written"), &[]).expect("read");
    assert_eq!(again, recipe);
    assert_eq!(recipe.accumulate, 1);
    assert_eq!(recipe.data.holdout, 0.1);
}

#[test]
fn the_recipe_for_fine_tuning_round_trips() {
    let recipe = parse(FINETUNE.text, &[]).expect("read");
    let again = parse(&recipe.text().expect("written"), &[]).expect("read");
    assert_eq!(again, recipe);
}

#[test]
fn overrides_set_fields_of_every_type() {
    let recipe = parse(
        TEXT,
        &[
            "optimizer.lr=0.05",
            "epochs=3",
            "data.train.0.degrees=5.5",
            "network.dropout=0.2",
            "network.word=plain text",
            "freeze=conv1",
            "schedule={ kind = 'plateau', patience = 3 }",
            "data.normalise.mean=[0.1, 0.2, 0.3]",
        ],
    )
    .expect("read");
    let edited = TEXT
        .replace("lr = 0.1", "lr = 0.05")
        .replace("epochs = 20", "epochs = 3\nfreeze = 'conv1'")
        .replace("degrees = 10.0", "degrees = 5.5")
        .replace("dropout = 0.4", "dropout = 0.2\nword = 'plain text'")
        .replace(
            "kind = 'cosine'\nwarmup = 2.0",
            "kind = 'plateau'\npatience = 3",
        )
        .replace("mean = [0.5]", "mean = [0.1, 0.2, 0.3]");
    assert_eq!(recipe, parse(&edited, &[]).expect("read"));
}

#[test]
fn validation_transforms_are_a_preprocessing() {
    let resize = "{ kind = 'resize', shorter = 36, interpolation = 'bicubic' }";
    for (transforms, expected) in [
        (String::new(), (32, 32)),
        ("{ kind = 'pad', pixels = 2 }".to_owned(), (28, 32)),
        (
            format!("{resize}, {{ kind = 'center_crop', size = 32 }}"),
            (36, 32),
        ),
        ("{ kind = 'resize', shorter = 32 }".to_owned(), (32, 32)),
        (
            "{ kind = 'resize', shorter = 30 }, { kind = 'pad', pixels = 1 }".to_owned(),
            (30, 32),
        ),
    ] {
        let recipe = parse(TEXT, &[&format!("data.evaluate=[{transforms}]")]).expect("read");
        let found = recipe.preprocessing(1, 32).expect("a preprocessing");
        assert_eq!((found.resize, found.crop), expected, "{transforms}");
        assert_eq!((found.mean, found.std), ([0.5; 3], [0.5; 3]));
        let bicubic = transforms.contains("bicubic");
        assert_eq!(found.interpolation == Interpolation::Bicubic, bicubic);
    }
    for (transforms, part) in [
        ("{ kind = 'flip' }", "a resize and then"),
        ("{ kind = 'center_crop', size = 32 }", "a resize and then"),
        ("{ kind = 'pad', pixels = 16 }", "a resize and then"),
        (
            "{ kind = 'resize', shorter = 28 }",
            "a crop of 28 pixels for an input of 32",
        ),
    ] {
        let recipe = parse(TEXT, &[&format!("data.evaluate=[{transforms}]")]).expect("read");
        let error = recipe
            .preprocessing(1, 32)
            .expect_err("refused")
            .to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_recipe_takes_the_preprocessing_of_weights() {
    let mut recipe = parse(FINETUNE.text, &[]).expect("read");
    let preprocessing = Preprocessing {
        resize: 250,
        crop: 240,
        interpolation: Interpolation::Bicubic,
        mean: [0.5, 0.4, 0.3],
        std: [0.25, 0.5, 0.75],
    };
    recipe.data.evaluate_by(&preprocessing, 3);
    assert_eq!(recipe.preprocessing(3, 240).expect("one"), preprocessing);
    let again = parse(&recipe.text().expect("written"), &[]).expect("read");
    assert_eq!(again.preprocessing(3, 240).expect("one"), preprocessing);
    let crops = recipe.data.train.iter().find_map(Transform::crop_size);
    assert_eq!(crops, Some(240));
}

#[test]
fn unknown_fields_are_errors_that_list_the_known_ones() {
    for (field, known) in [
        ("epoch=3", "epochs"),
        ("optimizer.rate=3", "momentum"),
        ("schedule.patience=3", "warmup"),
        ("data.train.0.angle=3", "degrees"),
        ("data.normalise.var=[1.0]", "std"),
        ("loss.smooth=1", "smoothing"),
        ("optimizer.kind=adam", "adamw"),
        ("data.mix.beta=3", "alpha"),
        ("schedule={ kind = 'constant', warmup = 3 }", "warmup"),
    ] {
        let message = parse(TEXT, &[field]).expect_err(field).to_string();
        assert!(message.contains(known), "{field}: {message}");
    }
}

#[test]
fn errors_name_the_field_that_is_out_of_range() {
    for (field, expected) in [
        ("epochs=0", "epochs"),
        ("batch=0", "batch"),
        ("accumulate=65", "accumulate"),
        ("clip_norm=-1.0", "clip_norm"),
        ("ema=1.0", "ema"),
        ("optimizer.lr=-0.1", "lr"),
        ("optimizer.momentum=1.0", "momentum"),
        ("loss.smoothing=1.0", "smoothing"),
        ("schedule.warmup=20.0", "warmup"),
        ("data.mix.alpha=0.0", "alpha"),
        ("data.train.1.size=0", "data.train.1"),
        ("data.holdout=1.0", "holdout"),
        ("data.train.2.size=0", "numbered from 0"),
        ("epochs", "field=value"),
        ("epochs.more=2", "no fields"),
        ("epochs=many", "epochs"),
    ] {
        let message = parse(TEXT, &[field]).expect_err(field).to_string();
        assert!(message.contains(expected), "{field}: {message}");
    }
}

/// Learning rate of a step of a run of 9 epochs with 10 steps each and base rate 0.8.
fn rate_at(schedule: &Schedule, step: u64) -> f64 {
    let position = SchedulePosition {
        step,
        steps_per_epoch: 10,
        epochs: 9,
    };
    schedule.rate(0.8, position, &PlateauState::default())
}

proptest! {
    #[test]
    fn schedules_follow_their_formulas(step in 0_u64..90) {
        let epoch = step as f64 / 10.0;
        prop_assert_eq!(rate_at(&Schedule::Constant {}, step), 0.8);
        let steps = Schedule::Step { at: vec![3.0, 6.5], factor: 0.1 };
        let expected = if epoch < 3.0 { 0.8 } else if epoch < 6.5 { 0.08 } else { 0.008 };
        prop_assert!((rate_at(&steps, step) - expected).abs() < 1e-15);
        let every = Schedule::Every { epochs: 2.0, factor: 0.5 };
        prop_assert!((rate_at(&every, step) - 0.8 / f64::from(1 << (step / 20))).abs() < 1e-15);
        let cosine = Schedule::Cosine { warmup: 1.0, floor: 0.2 };
        let expected = if epoch < 1.0 {
            0.8 * epoch
        } else {
            0.2 + 0.3 * (1.0 + ((epoch - 1.0) / 8.0 * std::f64::consts::PI).cos())
        };
        prop_assert!((rate_at(&cosine, step) - expected).abs() < 1e-12);
    }
}

#[test]
fn cosine_decay_ends_at_the_floor() {
    let cosine = Schedule::Cosine {
        warmup: 0.0,
        floor: 0.25,
    };
    assert_eq!(rate_at(&cosine, 0), 0.8);
    assert!((rate_at(&cosine, 45) - 0.525).abs() < 1e-12);
    assert_eq!(rate_at(&cosine, 90), 0.25);
}

#[test]
fn a_plateau_multiplies_the_rate_when_validation_stops_improving() {
    let schedule: Schedule =
        toml::from_str("kind = 'plateau'\npatience = 2\nthreshold = 0.01\nfloor = 0.005")
            .expect("read");
    let mut plateau = PlateauState::default();
    let position = SchedulePosition {
        step: 0,
        steps_per_epoch: 1,
        epochs: 100,
    };
    let rates: Vec<f64> = [0.5, 0.3, 0.295, 0.3, 0.2, 0.2, 0.195, 0.4, 0.4]
        .into_iter()
        .map(|error| {
            schedule.observe(&mut plateau, error, f64::NAN);
            schedule.rate(0.1, position, &plateau)
        })
        .collect();
    let expected = [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.005, 0.005, 0.005];
    for (found, expected) in rates.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{rates:?}");
    }
    assert_eq!(plateau.drops, 3);
}
