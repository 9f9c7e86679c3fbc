//! Micro-kernels: the innermost code, compiled once per instruction set. Micro-kernels operate on
//! addresses and strides, and do not depend on layouts or threads.

pub(crate) mod accumulate;
pub(crate) mod activation;
pub(crate) mod adaptive_mean;
pub(crate) mod binary;
pub(crate) mod blocking;
pub(crate) mod contract;
pub(crate) mod depthwise;
pub(crate) mod fully_connected;
pub(crate) mod function;
pub(crate) mod gradient;
pub(crate) mod kernels;
pub(crate) mod lrn;
pub(crate) mod peak;
pub(crate) mod pool;
pub(crate) mod prefetch;
pub(crate) mod radial_basis;
pub(crate) mod reorder;
pub(crate) mod resample;
pub(crate) mod simd;
pub(crate) mod tile;
pub(crate) mod winograd;
