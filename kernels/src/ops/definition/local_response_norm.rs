//! Local response normalization and its gradient by Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar, Slice, TensorMetadata};

/// See [`local_response_norm`](crate::ops::local_response_norm()).
pub(in crate::ops) fn forward<B: Backend>(
    x: FloatTensor<B>,
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
) -> FloatTensor<B> {
    let scale = B::float_powf_scalar(
        denominator::<B>(x.clone(), size, alpha, k),
        Scalar::from(-beta),
    );
    B::float_mul(x, scale)
}

/// Returns the gradient of `x`, where `gradient` is the gradient `g` of the output.
///
/// With `d_i = k + alpha * sum_j x_j^2`, output `i` depends on `x_i` directly and on every `x_j` of
/// its window through `d_i`. The window is symmetric: `j` is in the window of `i` if and only if `i`
/// is in the window of `j`. The sum over the outputs that depend on `x_j` is therefore a window sum:
/// `g_j * d_j^-beta - 2 * alpha * beta * x_j * sum_i (g_i * x_i * d_i^(-beta - 1))`.
#[cfg(feature = "autodiff")]
pub(in crate::ops) fn backward<B: Backend>(
    x: FloatTensor<B>,
    gradient: FloatTensor<B>,
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
) -> FloatTensor<B> {
    let denominator = denominator::<B>(x.clone(), size, alpha, k);
    let scale = B::float_powf_scalar(denominator.clone(), Scalar::from(-beta));
    let direct = B::float_mul(gradient, scale);
    let through_window = window_sum::<B>(
        B::float_div(B::float_mul(direct.clone(), x.clone()), denominator),
        size,
    );
    B::float_sub(
        direct,
        B::float_mul_scalar(
            B::float_mul(x, through_window),
            Scalar::from(2.0 * alpha * beta),
        ),
    )
}

/// Returns `k + alpha * sum_j x_j^2`.
fn denominator<B: Backend>(x: FloatTensor<B>, size: usize, alpha: f64, k: f64) -> FloatTensor<B> {
    let sum = window_sum::<B>(B::float_mul(x.clone(), x), size);
    B::float_add_scalar(
        B::float_mul_scalar(sum, Scalar::from(alpha)),
        Scalar::from(k),
    )
}

/// Returns the sum over the `size` channels around each channel, where channels beyond the ends are 0:
/// the sum of `size` slices of the padded tensor, each shifted by one channel.
fn window_sum<B: Backend>(x: FloatTensor<B>, size: usize) -> FloatTensor<B> {
    let mut padding = x.shape();
    let channels = padding[1];
    // A window that extends past both ends from every channel sums all channels.
    let reach = (size / 2).min(channels.saturating_sub(1));
    if reach == 0 {
        return x;
    }
    padding[1] = reach;
    let zeros = B::float_zeros(padding, &x.device(), x.dtype().into());
    let padded = B::float_cat(vec![zeros.clone(), x, zeros], 1);
    let shifted = |offset: usize| {
        let from = offset as isize;
        let to = (offset + channels) as isize;
        let slices = [Slice::full(), Slice::new(from, Some(to), 1)];
        B::float_slice(padded.clone(), &slices)
    };
    (1..=2 * reach).fold(shifted(0), |sum, offset| B::float_add(sum, shifted(offset)))
}
