mod damage;
mod files;
#[cfg(feature = "download")]
mod finding;
mod loading;
mod pickle_limits;
mod torch;

use burn::tensor::TensorData;

use super::{FloatType, Format, StateDict};

const FORMATS: [Format; 3] = [Format::PyTorch, Format::SafeTensors, Format::Burnpack];
const FLOAT_TYPES: [FloatType; 3] = [FloatType::F32, FloatType::F16, FloatType::BF16];

/// Returns tensors of several ranks and types, with values that every floating-point type
/// represents exactly.
fn sample() -> StateDict {
    let float = |shape: &[usize]| {
        let len = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..len).map(|i| i as f32 / 4.0 - 2.0).collect();
        TensorData::new(values, shape.to_vec())
    };
    [
        ("conv.weight".to_owned(), float(&[2, 3, 2, 1])),
        ("fc.bias".to_owned(), float(&[5])),
        ("scale".to_owned(), float(&[])),
        (
            "steps".to_owned(),
            TensorData::new(vec![-1_i64, i64::MAX], [2]),
        ),
    ]
    .into_iter()
    .collect()
}
