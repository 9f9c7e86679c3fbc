//! Training tests of all architectures.

mod overfit;
