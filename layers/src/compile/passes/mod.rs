//! Rewrite passes over the layers of a network. Every pass preserves the outputs of the network.

mod activation;
mod affine;
mod fold_channel_gather;
mod merge_sibling_convs;
mod padding;
mod residual;
mod schedule_levels;
mod separable;
mod slice;
mod strided_pointwise;

use super::net::Net;

pub(super) use activation::fuse_activations;
pub(super) use affine::{fold_affine, lower_affine};
pub(super) use fold_channel_gather::fold_channel_gather;
pub(super) use merge_sibling_convs::merge_sibling_convs;
pub(super) use padding::fold_padding;
pub(super) use residual::fuse_residuals;
pub(super) use schedule_levels::schedule_levels;
pub(super) use separable::fuse_separable;
pub(super) use slice::{compose_slices, lower_slices};
pub(super) use strided_pointwise::split_strided_pointwise;

/// Runs all passes, for blocks of `lanes` channels. `is_pinned` returns by name which convolutions
/// have a requested algorithm and stay separate layers.
pub(super) fn run(net: &mut Net, lanes: usize, is_pinned: impl Fn(&str) -> bool) {
    compose_slices(net);
    fold_padding(net);
    fold_channel_gather(net, lanes);
    merge_sibling_convs(net);
    fold_affine(net);
    lower_affine(net);
    lower_slices(net, lanes);
    fuse_activations(net);
    fuse_residuals(net);
    fuse_separable(net, &is_pinned);
    split_strided_pointwise(net, &is_pinned);
    schedule_levels(net);
}
