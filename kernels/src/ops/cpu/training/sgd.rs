//! In-place step of stochastic gradient descent.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::f32_slice;
use crate::cpu::gradient::{self, SgdParams};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;
use crate::ops::cpu::program::isa;

/// Returns the updated weights and velocity. Each is updated in place if no other tensor shares its
/// memory, and copied otherwise.
pub(in crate::ops) fn sgd_step<B: HostBackend>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    velocity: FloatTensor<B>,
    params: SgdParams,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let gradient = B::into_contiguous(gradient);
    let make_unique = |x: FloatTensor<B>| -> FloatTensor<B> {
        let mut x = B::into_contiguous(x);
        if B::as_f32_slice_mut(&mut x).is_some() {
            return x;
        }
        B::from_vec(f32_slice::<B>(&x).to_vec(), x.shape())
    };
    let (mut weight, mut velocity) = (make_unique(weight), make_unique(velocity));
    let values = f32_slice::<B>(&gradient);
    gradient::sgd_step(
        isa().expect("checked by is_supported"),
        threads(values.len()),
        params,
        B::as_f32_slice_mut(&mut weight).expect("made unique"),
        values,
        B::as_f32_slice_mut(&mut velocity).expect("made unique"),
    );
    (weight, velocity)
}
