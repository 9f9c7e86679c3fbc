//! Training on wgpu, against training on the CPU.

#![cfg(feature = "wgpu")]

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use receptive_layers::network::NetworkConfig;
use receptive_lenet::LeNet5Config;
use receptive_tests::devices;
use receptive_train::MetricSums;
use receptive_train::cluster::Alone;
use receptive_train::data::{DataSplits, Dataset, Holdout};
use receptive_train::loader::{Division, Loader, Preprocessing};
use receptive_train::recipe::Recipe;
use receptive_train::session::{Session, Step, TrainableNetwork};

/// Training steps of 64 digits each.
const STEPS: usize = 200;

/// Number of validation digits in the accuracy.
const EVALUATED: usize = 512;

/// Returns the folder of the MNIST files.
fn assets() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/assets/mnist"))
}

/// Returns LeNet-5's recipe with batches of 64 and a constant learning rate.
fn recipe() -> Recipe {
    let published = LeNet5Config::variants()[0].recipe;
    let changes = [
        "batch=64".to_owned(),
        "schedule={ kind = 'constant' }".to_owned(),
    ];
    Recipe::parse(published.text, published.name, &changes).expect("a recipe")
}

fn loader(recipe: &Recipe, dataset: Arc<dyn Dataset>, train: bool) -> Loader {
    let data = &recipe.data;
    Loader {
        dataset,
        preprocessing: Preprocessing {
            transforms: if train {
                data.train.clone()
            } else {
                data.evaluate.clone()
            },
            normalisation: data.normalise.clone(),
            shape: [1, 32, 32],
            classes: 10,
            smoothing: 0.0,
        },
        mix: None,
        batch: 64,
        division: Division::WHOLE,
        shuffle: train,
        seed: recipe.seed,
        workers: 1,
        skip_bad: false,
    }
}

/// Trains LeNet-5 on `device`, and returns its accuracy on validation digits and the losses of the
/// first and the last step.
fn trained(device: Device) -> (f64, [f64; 2]) {
    let recipe = recipe();
    let holdout = Holdout {
        fraction: 0.1,
        seed: 0,
    };
    let data = DataSplits::open(assets(), holdout).expect("the digits");
    // Both devices start from weights drawn on the CPU: the backends draw different numbers.
    let network = Session::init_network(&LeNet5Config::lenet5(), &Device::flex(), recipe.seed);
    let weights = receptive_layers::weights::state_dict(&network);
    let network = Session::init_network(&LeNet5Config::lenet5(), &device, recipe.seed);
    let heads = receptive_layers::weights::Heads::Load;
    let network = receptive_layers::weights::load(network, &weights, heads).expect("its own");
    let mut session = Session::new(network, vec![device], &recipe).expect("a session");

    let mut losses = Vec::new();
    let loading = loader(&recipe, data.train, true);
    let batches = (0..).flat_map(|epoch| loading.epoch(epoch, 0));
    for (step, batch) in batches.take(STEPS).enumerate() {
        let batch = batch.expect("read");
        let step = Step::whole(&batch, recipe.optimizer.rate(), step as u64);
        losses.push(session.step(&step, &Alone).expect("a step").loss);
    }
    let evaluator = session.evaluator();
    let mut sums = MetricSums::default();
    for batch in loader(&recipe, data.validation, false)
        .epoch(0, 0)
        .take(EVALUATED / 64)
    {
        let batch = batch.expect("read");
        let scores = evaluator.scores(&batch).expect("scores");
        sums += MetricSums::of(scores.loss, &scores.logits, &batch.labels);
    }
    let means = sums.means().expect("images");
    (means.top1, [losses[0], losses[STEPS - 1]])
}

#[test]
fn lenet_learns_on_wgpu_as_on_the_cpu() {
    let Some(wgpu) = devices::wgpu() else { return };
    let (found, found_losses) = trained(wgpu);
    let (expected, expected_losses) = trained(devices::flex());
    println!("{found} {found_losses:?}, on the CPU {expected} {expected_losses:?}");
    assert!((found_losses[0] - expected_losses[0]).abs() < 1e-4);
    assert!(expected > 0.9, "{expected}");
    assert!(
        (found - expected).abs() < 0.02,
        "{found}, on the CPU {expected}"
    );
}
