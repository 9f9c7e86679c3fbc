//! A log of the layers that ran as fused operations, for tests.
//!
//! A layer that calls Burn's own `forward` computes the same result as the functions of this
//! module, several times slower on a CPU, and records the same graph. Tests therefore compare the
//! graph with this log.

use std::cell::RefCell;

use burn::module::ParamId;

use super::activation::Activation;

/// A layer that ran as a fused operation.
#[derive(Debug, Clone, PartialEq)]
pub enum FusedCall {
    /// A convolution, with the norm and the activation that follow it.
    Conv {
        /// The convolution's weight.
        weight: ParamId,
        /// The scale (gamma) of the norm, if any.
        norm: Option<ParamId>,
        /// The activation.
        activation: Activation,
    },
    /// A fully connected layer.
    Linear {
        /// The layer's weight.
        weight: ParamId,
    },
    /// A max pool.
    MaxPool {
        /// Shape of the pool's input.
        input: [usize; 4],
    },
    /// A mean pool.
    MeanPool {
        /// Shape of the pool's input.
        input: [usize; 4],
    },
    /// A sum and its ReLU.
    AddRelu {
        /// Shape of both terms and of the result.
        shape: [usize; 4],
    },
}

thread_local! {
    /// The log of this thread, while [`record_fused_calls`] runs.
    static LOG: RefCell<Option<Vec<FusedCall>>> = const { RefCell::new(None) };
}

/// Runs `forward` and returns its result, and the layers that ran as fused operations on this
/// thread, in order.
///
/// Calls do not nest: the log of an inner call is not part of the outer call's.
pub fn record_fused_calls<R>(forward: impl FnOnce() -> R) -> (R, Vec<FusedCall>) {
    let outer = LOG.replace(Some(Vec::new()));
    let result = forward();
    let calls = LOG.replace(outer);
    (result, calls.unwrap_or_default())
}

/// Appends a call to the log, if this thread keeps one.
pub(super) fn record(call: impl FnOnce() -> FusedCall) {
    LOG.with_borrow_mut(|log| {
        if let Some(log) = log {
            log.push(call());
        }
    });
}
