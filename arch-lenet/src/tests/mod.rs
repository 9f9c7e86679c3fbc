mod float64;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use receptive_layers::network::{InputSpec, UnknownStage};
use receptive_layers::weights;

use super::*;

fn device() -> Device {
    Device::flex()
}

/// Returns the names and shapes of the tensors in a weight file of `network`, sorted by name.
fn tensors<N: Network>(network: &N) -> Vec<(String, Vec<usize>)> {
    weights::shapes(network).into_iter().collect()
}

/// Returns random images in the value range of the paper's digits.
fn digits(batch: usize) -> Tensor<4> {
    Tensor::random(
        [batch, 1, 32, 32],
        Distribution::Uniform(-0.1, 1.175),
        &device(),
    )
}

fn shapes(maps: Vec<Tensor<4>>) -> Vec<[usize; 4]> {
    maps.iter().map(Tensor::dims).collect()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

const STAGE_SHAPES: [[usize; 4]; 5] = [
    [2, 6, 28, 28],
    [2, 6, 14, 14],
    [2, 16, 10, 10],
    [2, 16, 5, 5],
    [2, 120, 1, 1],
];

#[test]
fn lenet5_1998_has_the_parameters_of_the_paper_in_every_layer() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    assert_eq!(net.c1.num_params(), 156);
    assert_eq!(net.s2.num_params(), 12);
    assert_eq!(net.c3.num_params(), 1_516);
    assert_eq!(net.s4.num_params(), 32);
    assert_eq!(net.c5.num_params(), 48_120);
    assert_eq!(net.f6.num_params(), 10_164);
    assert_eq!(net.output.num_params(), 0);
    assert_eq!(net.num_params(), 60_000);
    assert_eq!(net.num_trainable_params(), 60_000);
}

#[test]
fn lenet5_has_the_tensors_of_the_reference() {
    let net = LeNet5Config::lenet5().init(&device());
    let mut expected = Vec::new();
    for (name, weight) in [
        ("c1", vec![6, 1, 5, 5]),
        ("c3", vec![16, 6, 5, 5]),
        ("c5", vec![120, 16, 5, 5]),
        ("f6", vec![84, 120]),
        ("output", vec![10, 84]),
    ] {
        expected.push((format!("{name}.bias"), vec![weight[0]]));
        expected.push((format!("{name}.weight"), weight));
    }
    assert_eq!(tensors(&net), expected);
    assert_eq!(net.num_trainable_params(), 61_706);
}

#[test]
fn outputs_have_the_shapes_of_figure_2() {
    let printed = LeNet5OriginalConfig::lenet5_1998().init(&device());
    assert_eq!(printed.forward(digits(3)).dims(), [3, 10]);
    assert_eq!(shapes(printed.features(digits(2))), STAGE_SHAPES);

    let taught = LeNet5Config::lenet5().init(&device());
    assert_eq!(taught.forward(digits(3)).dims(), [3, 10]);
    assert_eq!(shapes(taught.features(digits(2))), STAGE_SHAPES);
}

#[test]
fn the_penalty_of_a_code_is_four_per_pixel_that_differs() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    for class in 0..10 {
        let vector = Tensor::<1>::from_floats(code(class).as_slice(), &device()).unsqueeze();
        let penalties = values(net.output.forward(vector));
        for (other, penalty) in penalties.into_iter().enumerate() {
            let differing = code(class)
                .iter()
                .zip(code(other))
                .filter(|(a, b)| **a != *b)
                .count();
            assert_eq!(penalty, 4.0 * differing as f32);
        }
    }
}

#[test]
fn scores_are_negated_squared_distances_of_f6() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    let scores = values(net.forward(digits(2)));
    assert!(scores.iter().all(|score| *score < 0.0));
    // Each of the 84 values of F6 is within ±1.7159, each value of a code is -1 or 1.
    let farthest = 84.0 * (1.7159_f32 + 1.0).powi(2);
    assert!(scores.iter().all(|score| *score > -farthest));
}

#[test]
fn scores_equal_the_papers_equations_in_float64() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    let images = digits(2);
    let scores = values(net.forward(images.clone()));
    let pixels = values(images);
    for (image, found) in pixels.chunks(32 * 32).zip(scores.chunks(10)) {
        for (penalty, score) in float64::penalties(&net, image).into_iter().zip(found) {
            let error = (f64::from(*score) + penalty).abs();
            assert!(error < 1e-5 * penalty, "{score} for {penalty}");
        }
    }
}

#[test]
fn each_map_of_c3_depends_only_on_its_connected_maps() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    let base = Tensor::<4>::zeros([1, 6, 14, 14], &device());
    let before = values(net.c3.forward(base.clone()));
    for input in 0..6 {
        let changed = base.clone().slice_assign(
            [0..1, input..input + 1, 0..14, 0..14],
            Tensor::ones([1, 1, 14, 14], &device()),
        );
        let after = values(net.c3.forward(changed));
        for (output, seen) in C3_CONNECTIONS.iter().enumerate() {
            let map = output * 100..(output + 1) * 100;
            assert_eq!(
                before[map.clone()] != after[map],
                seen.contains(&input),
                "map {output} of C3, map {input} of S2"
            );
        }
    }
}

#[test]
fn table_i_reads_every_map_of_s2_ten_times() {
    let sizes: Vec<_> = C3_CONNECTIONS.iter().map(|seen| seen.len()).collect();
    assert_eq!(sizes, [3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6]);
    for input in 0..6 {
        let uses = C3_CONNECTIONS.iter().filter(|seen| seen.contains(&input));
        assert_eq!(uses.count(), 10);
    }
}

#[test]
fn subsampling_scales_and_shifts_the_mean() {
    let mut layer = Subsampling::init(2, &device());
    layer.coefficient = layer
        .coefficient
        .map(|_| Tensor::from_floats([2.0, -1.0], &device()));
    layer.bias = layer
        .bias
        .map(|_| Tensor::from_floats([0.5, 0.0], &device()));
    let x = Tensor::from_floats(
        [[[[1.0, 2.0], [3.0, 6.0]], [[4.0, 0.0], [0.0, 0.0]]]],
        &device(),
    );
    assert_eq!(values(layer.forward(x)), [6.5, -1.0]);
}

#[test]
fn weights_start_within_the_range_of_appendix_a() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    let largest = |values: Vec<f32>| values.into_iter().fold(0.0, |m: f32, x| m.max(x.abs()));
    for (bound, found) in [
        (2.4 / 25.0, largest(values(net.c1.weight.val()))),
        (2.4 / 400.0, largest(values(net.c5.weight.val()))),
        (2.4 / 120.0, largest(values(net.f6.weight.val()))),
        (2.4 / 75.0, largest(values(net.c3.maps[0].weight.val()))),
        (2.4 / 150.0, largest(values(net.c3.maps[15].weight.val()))),
    ] {
        assert!(
            found <= bound && found > bound / 2.0,
            "{found} within {bound}"
        );
    }
}

#[test]
fn with_classes_replaces_only_the_head() {
    let printed = LeNet5OriginalConfig::lenet5_1998().init(&device());
    let before = values(printed.f6.weight.val());
    let printed = printed.with_classes(13).unwrap();
    assert_eq!(values(printed.f6.weight.val()), before);
    assert_eq!(printed.forward(digits(1)).dims(), [1, 13]);
    assert_eq!(printed.num_trainable_params(), 60_000);

    let taught = LeNet5Config::lenet5().init(&device());
    let before = values(taught.c1.weight.val());
    let taught = taught.with_classes(3).unwrap();
    assert_eq!(values(taught.c1.weight.val()), before);
    assert_eq!(taught.forward(digits(1)).dims(), [1, 3]);
    assert_eq!(taught.num_trainable_params(), 61_706 - 85 * 7);
}

#[test]
fn centres_are_not_recorded_and_move_with_the_module() {
    let net = LeNet5OriginalConfig::lenet5_1998().init(&device());
    let images = digits(2);
    let expected = values(net.forward(images.clone()));
    let record = net.clone().into_record();
    let loaded = LeNet5OriginalConfig::lenet5_1998()
        .init(&device())
        .load_record(record);
    #[allow(deprecated)]
    let other = Device::ndarray();
    let moved = loaded.to_device(&other);
    assert_eq!(moved.devices(), std::slice::from_ref(&other));
    let images = Tensor::<4>::from_data(images.into_data(), &other);
    for (a, b) in values(moved.forward(images)).iter().zip(expected) {
        assert!((a - b).abs() < 1e-3 * b.abs(), "{a} {b}");
    }
    assert!(
        tensors(&net)
            .iter()
            .all(|(name, _)| !name.contains("output"))
    );
}

#[test]
fn configurations_round_trip_and_zero_classes_is_an_error() {
    let config = LeNet5Config::lenet5().with_classes(7);
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<LeNet5Config>(&json).unwrap(), config);
    let error = config.with_classes(0).validate().unwrap_err();
    assert_eq!(
        error.to_string(),
        "classes is 0, expected from 1 to 1,000,000"
    );

    let config = LeNet5OriginalConfig::lenet5_1998();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<LeNet5OriginalConfig>(&json).unwrap(),
        config
    );
    let error = config.with_classes(0).validate().unwrap_err();
    assert_eq!(error.field, "classes");
}

#[test]
fn variants_have_names_and_inputs() {
    let [printed] = &LeNet5OriginalConfig::variants()[..] else {
        panic!("one variant");
    };
    let [taught] = &LeNet5Config::variants()[..] else {
        panic!("one variant");
    };
    assert_eq!([printed.name, taught.name], ["lenet5-1998", "lenet5"]);
    let input: InputSpec = printed.config.input();
    assert_eq!(input, taught.config.input());
    assert_eq!(input.shape(), [1, 1, 32, 32]);
    assert!(input.check([1, 1, 28, 28]).is_err());
}

#[test]
fn freezing_an_unknown_stage_lists_the_known_stages() {
    let error = LeNet5Config::lenet5().init(&device()).freeze_through("c2");
    let UnknownStage { known, .. } = error.unwrap_err();
    assert_eq!(known, ["c1", "s2", "c3", "s4", "c5"]);
}

#[test]
fn only_the_stages_after_the_frozen_stages_have_gradients() {
    let device = device().autodiff();
    let net = LeNet5OriginalConfig::lenet5_1998()
        .init(&device)
        .freeze_through("c3")
        .unwrap();
    let images = Tensor::from_data(digits(2).into_data(), &device);
    let gradients = net.forward(images).sum().backward();
    assert!(net.c1.weight.val().grad(&gradients).is_none());
    assert!(net.s2.coefficient.val().grad(&gradients).is_none());
    assert!(
        net.c3.maps[15]
            .bias
            .as_ref()
            .unwrap()
            .val()
            .grad(&gradients)
            .is_none()
    );
    assert!(net.s4.coefficient.val().grad(&gradients).is_some());
    assert!(net.c5.weight.val().grad(&gradients).is_some());
    assert!(
        net.f6
            .bias
            .as_ref()
            .unwrap()
            .val()
            .grad(&gradients)
            .is_some()
    );
}
