mod errors;
mod lenet5;
mod random;
mod single_layer;

use std::io::Read;

use burn::tensor::TensorData;
use flate2::read::GzDecoder;
use receptive_layers::graph::{Graph, Origin, ValueData};

use crate::chain::LayerInfo;
use crate::explain::{Explanation, Unit};
use crate::explorer::Explorer;

/// The LeNet-5 weights of the page.
const WEIGHTS: &[u8] = include_bytes!("../../../../cli/assets/lenet5.safetensors");

/// Returns the 1,500 validation digits: the ink of each pixel from 0 to 1, row by row, and the
/// label.
fn digits() -> Vec<(Vec<f32>, usize)> {
    let decompress = |packed: &[u8]| {
        let mut bytes = Vec::new();
        GzDecoder::new(packed)
            .read_to_end(&mut bytes)
            .expect("a gzip file");
        bytes
    };
    let images = decompress(include_bytes!(
        "../../../../cli/assets/mnist/t10k-images-idx3-ubyte.gz"
    ));
    let labels = decompress(include_bytes!(
        "../../../../cli/assets/mnist/t10k-labels-idx1-ubyte.gz"
    ));
    let ink = |image: &[u8]| image.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    images[16..]
        .chunks_exact(28 * 28)
        .zip(&labels[8..])
        .map(|(image, &label)| (ink(image), label.into()))
        .collect()
}

/// Replaces the parameters of `graph` by pseudorandom numbers from `-max` to `max`.
fn with_random_weights(mut graph: Graph, seed: u64, max: f32) -> Graph {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        max * ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0)
    };
    for value in &mut graph.values {
        if matches!(value.origin, Origin::Parameter { .. }) {
            let elements: Vec<f32> = (0..value.len()).map(|_| next()).collect();
            value.data = Some(ValueData::Elements(TensorData::new(
                elements,
                value.shape.clone(),
            )));
        }
    }
    graph
}

/// Returns the unit at `index`, modulo the number of units, in a layer's `[channels, height,
/// width]`.
fn unit(info: &LayerInfo, index: usize) -> Unit {
    let [_, height, width] = info.shape;
    let index = index % info.len();
    Unit {
        layer: info.index,
        channel: index / (height * width),
        row: index / width % height,
        column: index % width,
    }
}

/// Computes the value of a unit from its explanation.
fn explained_value(explanation: &Explanation) -> f64 {
    let sum = explanation.sum;
    match explanation.activation.as_deref() {
        None => sum,
        Some("relu") => sum.max(0.0),
        Some("relu6") => sum.clamp(0.0, 6.0),
        Some("tanh") => sum.tanh(),
        Some("sigmoid") => 1.0 / (1.0 + (-sum).exp()),
        Some(other) => panic!("{other} is not an activation"),
    }
}

/// Asserts that the explanation of a unit gives the value that the plan computed.
fn assert_explained(explorer: &Explorer, unit: Unit) {
    let explanation = explorer.explain(unit).expect("a unit");
    let info = &explorer.chain.layers[unit.layer].info;
    let [_, height, width] = info.shape;
    let index = (unit.channel * height + unit.row) * width + unit.column;
    let value = explorer.values(unit.layer).expect("a layer")[index];
    assert_eq!(explanation.value.to_bits(), value.to_bits());
    let error = (explained_value(&explanation) - f64::from(value)).abs();
    assert!(error < 1e-4, "{}: {explanation:?}", info.name);
    for term in &explanation.terms {
        assert_eq!(term.patch.len(), term.rows * term.columns);
        let products = match &term.kernel {
            Some(kernel) => {
                assert_eq!(kernel.len(), term.patch.len());
                let products = term.patch.iter().zip(kernel);
                products.map(|(&x, &w)| f64::from(x) * f64::from(w)).sum()
            }
            None => f64::from(term.patch.iter().copied().fold(f32::MIN, f32::max)),
        };
        assert!((products - term.sum).abs() < 1e-9);
    }
}

/// Returns, for each unit of a layer, whether the value changes when the ink of `pixel` changes.
fn changed_units(
    explorer: &mut Explorer,
    layer: usize,
    drawing: &[f32],
    pixel: usize,
) -> Vec<bool> {
    let mut other = drawing.to_vec();
    other[pixel] = if other[pixel] < 0.5 { 1.0 } else { 0.0 };
    explorer.run(&other).expect("a drawing");
    let after = explorer.values(layer).expect("a layer").to_vec();
    explorer.run(drawing).expect("a drawing");
    let before = explorer.values(layer).expect("a layer");
    before.iter().zip(after).map(|(&a, b)| a != b).collect()
}

/// Returns whether the receptive field of a unit contains a pixel.
fn receptive_field_contains(explanation: &Explanation, size: usize, pixel: usize) -> bool {
    let field = explanation.receptive_field;
    let within =
        |at: usize, start: i64, len: usize| (start..start + len as i64).contains(&(at as i64));
    within(pixel / size, field.top, field.height) && within(pixel % size, field.left, field.width)
}
