//! Explanations against pytorch-grad-cam, captum and PyTorch, on the weights of the references, and with random
//! weights (Adebayo et al.: Sanity checks for saliency maps, 2018).

use std::num::NonZero;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Tensor, TensorData};
use libtest_mimic::Trial;
use receptive_layers::classifier::Classifier;
use receptive_layers::compile::{Options, Precision, compile_outputs};
use receptive_layers::explain::{ClassWeights, Heatmap, InputGradients, Occlusion};
use receptive_layers::graph::LOGITS;
use receptive_layers::image;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_tests::networks::{self, Visit};
use receptive_tests::reference::{Explanation, Reference, relative_difference};
use receptive_tests::{devices, formula};

use crate::gradients::Convert;
use crate::{case, cases};

/// Images between baseline and image of the references' integrated gradients.
const STEPS: usize = 12;

/// Rows and columns of the references' occlusions.
const PLACES: usize = 7;

/// Networks with global mean pooling before their last layer.
const WITH_CLASS_WEIGHTS: [&str; 5] = [
    "googlenet",
    "mobilenet-v2",
    "resnet18",
    "resnet20-cifar",
    "tiny",
];

/// Networks in which a few ReLUs have the other sign in float32, which changes the gradients of pixels by up to 1 %,
/// PyTorch's too. They are compared in float64.
const IN_FLOAT64: [&str; 3] = ["googlenet", "mobilenet-v2", "resnet18"];

struct MatchesPytorch<'a>(&'a str);

impl Visit for MatchesPytorch<'_> {
    type Output = ();

    fn visit<C: NetworkConfig<Network: 'static>>(self, config: C) {
        let Self(name) = self;
        let (reference, expected) = (Reference::read(name), Explanation::read(name));
        let device = devices::flex();
        let network = config.with_auxiliary(false).init(&device);
        let network = weights::load(network, &reference.weights(), Heads::Load).expect("weights");
        let pixels = formula::images(&reference.salt, expected.input);
        let [_, channels, size, _] = expected.input;
        let (shape, class) = ([channels, size, size], expected.class);

        let stage = C::Network::STAGES[C::Network::LAST_MAPS].name;
        let options = Options {
            precision: Precision::Exact,
            ..Options::default()
        };
        let outputs = [LOGITS, stage];
        let plan = compile_outputs(&network, expected.input, &outputs, &options).expect("a plan");
        let maps_shape = plan.outputs()[1];
        let [_, rows, columns] = maps_shape;
        let preprocessing = Preprocessing::IMAGENET.with_crop(size);
        let classifier = Classifier::from_plan(plan, preprocessing, Vec::new()).expect("one");
        let found = classifier.run(&pixels).expect("outputs");
        let (scores, maps) = (&found[LOGITS], &found[stage]);
        let best = classifier.classification(scores).expect("finite").top(1)[0].index;
        assert_eq!(best, class);

        let gradients = InputGradients::new(&network, &device);
        let grad_cam = gradients.grad_cam(maps, maps_shape, class).expect("a map");
        if let Some(expected) = &expected.grad_cam {
            assert_close("Grad-CAM", grad_cam.values(), expected, 1.0);
        }
        if let Some(expected) = &expected.grad_cam_scaled {
            // The library normalizes the map before and after the resize.
            let scaled = grad_cam.clone().normalized().resized(size, size);
            let scaled = stored(&scaled.normalized());
            assert_close("scaled Grad-CAM", &scaled, expected, 1.0);
        }

        let class_weights = ClassWeights::of(&network, maps_shape, &device).expect("no error");
        assert_eq!(
            class_weights.is_some(),
            WITH_CLASS_WEIGHTS.contains(&name),
            "{name}"
        );
        if let Some(weights) = class_weights {
            assert_eq!(weights.classes(), scores.len());
            // Grad-CAM averages the gradient over the places, whose mean is the score.
            let map = weights.map(maps, [rows, columns], class).positive();
            let places = (rows * columns) as f32;
            let scaled: Vec<f32> = map.values().iter().map(|value| value / places).collect();
            let expected = [grad_cam.values().iter().copied().map(f64::from).collect()];
            assert_close("class activation map", &scaled, &expected, 1.0);
        }

        let dtype = match IN_FLOAT64.contains(&name) {
            true => DType::F64,
            false => DType::F32,
        };
        let gradients = InputGradients::new(&network.map(&mut Convert(dtype)), &device);
        let integrated = gradients.integrated_gradients(&pixels, shape, class, STEPS);
        let integrated = stored(&integrated.expect("a map"));
        assert_close(
            "integrated gradients",
            &integrated,
            &expected.integrated_gradients,
            1.0,
        );

        let workers = NonZero::new(2).expect("two");
        let occlusion = Occlusion::new(PLACES, size);
        let occlusion = occlusion.map(&classifier, &pixels, class, workers);
        let occlusion = occlusion.expect("a map");
        // The values are differences of scores, which the error is relative to.
        let largest =
            |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |a: f64, b| a.max(b.abs()));
        let score = largest(&mut scores.iter().copied().map(f64::from));
        let value = largest(&mut expected.occlusion.iter().flatten().copied());
        assert_close(
            "occlusion",
            occlusion.values(),
            &expected.occlusion,
            score / value,
        );
    }
}

/// Returns the values that the references have: 16 rows and columns.
fn stored(map: &Heatmap) -> Vec<f32> {
    let stride = map.height() / 16;
    let rows = map.values().chunks(map.width()).step_by(stride);
    rows.flat_map(|row| row.iter().step_by(stride))
        .copied()
        .collect()
}

/// Checks that the values differ by less than 1e-4 of the largest one, times `scale` if that is more.
fn assert_close(what: &str, found: &[f32], expected: &[Vec<f64>], scale: f64) {
    let found: Vec<f64> = found.iter().copied().map(f64::from).collect();
    let difference = relative_difference(&found, &expected.concat());
    assert!(
        difference < 1e-4 * scale.max(1.0),
        "{what}: {difference:.1e}"
    );
}

/// The maps of a trained network are not those of the same network with random weights.
fn random_weights_change_the_maps() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let trained = StateDict::open(root.join("cli/assets/mobilenet_v2-f16.safetensors"));
    let trained = trained.expect("weights");
    let (mut maps, mut gradients) = (0.0, 0.0);
    let photos = ["chelsea.png", "coffee.png", "rocket.jpg"];
    for photo in photos {
        let photo = image::open(root.join("assets/photos").join(photo)).expect("a photo");
        let pixels = image::preprocess(&photo, &Preprocessing::IMAGENET);
        let pixels = &pixels;
        let maps_of = |weights, class| {
            let maps = Maps {
                weights,
                pixels,
                class,
            };
            networks::visit("mobilenet-v2", maps)
        };
        let trained = maps_of(Some(&trained), None);
        let random = maps_of(None, Some(trained.2));
        maps += correlation(&trained.0, &random.0).abs();
        gradients += correlation(&trained.1, &random.1).abs();
    }
    let count = photos.len() as f64;
    assert!(maps / count < 0.5, "{}", maps / count);
    assert!(gradients / count < 0.5, "{}", gradients / count);
}

/// The class activation map of a class of MobileNetV2, its integrated gradients at 14x14 places, and the class.
struct Maps<'a> {
    weights: Option<&'a StateDict>,
    pixels: &'a [f32],
    /// Class to explain; `None` for the best one.
    class: Option<usize>,
}

impl Visit for Maps<'_> {
    type Output = (Heatmap, Heatmap, usize);

    fn visit<C: NetworkConfig<Network: 'static>>(self, config: C) -> Self::Output {
        let device = devices::flex();
        device.seed(1);
        let mut network = config.init(&device);
        if let Some(weights) = self.weights {
            network = weights::load(network, weights, Heads::Load).expect("weights");
        }
        let shape = [3, 224, 224];
        let data = TensorData::new(self.pixels.to_vec(), [1, 3, 224, 224]);
        let images = Tensor::from_data(data, &device);
        let last = network.features(images).swap_remove(C::Network::LAST_MAPS);
        let [_, channels, height, width] = last.dims();
        let values: Vec<f32> = last.clone().into_data().iter().collect();
        let scores: Vec<f32> = network
            .classify(network.embed_maps(last))
            .into_data()
            .iter()
            .collect();
        let class = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let class = self.class.or(class).expect("a class");
        let weights = ClassWeights::of(&network, [channels, height, width], &device);
        let weights = weights.expect("no error").expect("a global mean");
        let map = weights.map(&values, [height, width], class);
        let gradients = InputGradients::new(&network, &device);
        let gradients = gradients.integrated_gradients(self.pixels, shape, class, 2);
        (map, reduced(&gradients.expect("a map"), 14), class)
    }
}

/// Returns the sums of the absolute values in `places * places` equal cells.
fn reduced(map: &Heatmap, places: usize) -> Heatmap {
    let cell = map.height() / places;
    let mut sums = vec![0.0; places * places];
    for (index, value) in map.values().iter().enumerate() {
        let (row, column) = (index / map.width() / cell, index % map.width() / cell);
        sums[row * places + column] += value.abs();
    }
    Heatmap::new(places, places, sums)
}

/// Returns Spearman's rank correlation.
fn correlation(a: &Heatmap, b: &Heatmap) -> f64 {
    let ranks = |map: &Heatmap| {
        let mut order: Vec<usize> = (0..map.values().len()).collect();
        order.sort_by(|&a, &b| map.values()[a].total_cmp(&map.values()[b]));
        let mut ranks = vec![0.0; order.len()];
        for (rank, index) in order.into_iter().enumerate() {
            ranks[index] = rank as f64;
        }
        ranks
    };
    let (a, b) = (ranks(a), ranks(b));
    let count = a.len() as f64;
    let squares: f64 = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum();
    1.0 - 6.0 * squares / (count * (count * count - 1.0))
}

pub fn trials() -> Vec<Trial> {
    let mut trials = cases("explanations::pytorch", Explanation::names(), |name| {
        networks::visit(name, MatchesPytorch(name));
    });
    trials.push(case(
        "explanations::random_weights_change_the_maps",
        random_weights_change_the_maps,
    ));
    trials
}
