//! Network to network: fewer layers that compute the same.

mod activation;
mod affine;
mod gather;
mod order;
mod padding;
mod pick;
mod residual;
mod separable;
mod stack;
mod stride;

use super::net::Net;

pub(super) use activation::fuse_activations;
pub(super) use affine::{fold_affine, lower_affine};
pub(super) use gather::gather;
pub(super) use order::order;
pub(super) use padding::fold_padding;
pub(super) use pick::{compose_picks, lower_picks};
pub(super) use residual::fuse_residuals;
pub(super) use separable::fuse_separable;
pub(super) use stack::stack;
pub(super) use stride::gather_strided;

/// All passes, for blocks of `lanes` channels. Layers whose algorithm is asked for stay by themselves.
pub(super) fn run(net: &mut Net, lanes: usize, asked: impl Fn(&str) -> bool) {
    compose_picks(net);
    fold_padding(net);
    gather(net, lanes);
    stack(net);
    fold_affine(net);
    lower_affine(net);
    lower_picks(net, lanes);
    fuse_activations(net);
    fuse_residuals(net);
    fuse_separable(net, &asked);
    gather_strided(net, &asked);
    order(net);
}
