//! A step of stochastic gradient descent in place.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use crate::cpu::gradient::{SgdParams, sgd_step};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;
use crate::ops::cpu::program::isa;

/// A step of gradient descent, in place where nobody else has the weights and the velocity.
pub(in crate::ops) fn gradient_descent<B: Host>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    velocity: FloatTensor<B>,
    descent: SgdParams,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let gradient = B::contiguous(gradient);
    let own = |x: FloatTensor<B>| -> FloatTensor<B> {
        let mut x = B::contiguous(x);
        if B::floats_mut(&mut x).is_some() {
            return x;
        }
        let values = B::floats(&x).expect("checked before").to_vec();
        B::tensor(values, x.shape())
    };
    let (mut weight, mut velocity) = (own(weight), own(velocity));
    let values = B::floats(&gradient).expect("as the weights");
    sgd_step(
        isa().expect("checked before"),
        threads(values.len()),
        descent,
        B::floats_mut(&mut weight).expect("its own"),
        values,
        B::floats_mut(&mut velocity).expect("its own"),
    );
    (weight, velocity)
}
