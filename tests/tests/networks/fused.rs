//! Every network runs its layers through the fused operations of [`receptive_layers::block`].

use libtest_mimic::Trial;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_tests::fused::unfused;
use receptive_tests::networks::{self, Visit};

use crate::cases;

/// The layers of a variant, of its inference and of its training, that bypass the fused operations.
struct Unfused;

impl Visit for Unfused {
    type Output = Vec<String>;

    fn visit<C: NetworkConfig>(self, config: C) -> Vec<String> {
        let mut found = unfused(
            |device| config.init(device),
            config.input().shape(),
            Network::forward,
        );
        let training = config.with_auxiliary(true);
        found.extend(unfused(
            |device| training.init(device),
            training.input().shape(),
            |network, images| network.forward_train(images),
        ));
        found
    }
}

/// Checks that no layer of the network bypasses the fused operations, neither in inference nor in
/// training.
fn assert_runs_fused_layers(name: &str) {
    let bypassing = networks::visit(name, Unfused);
    assert!(
        bypassing.is_empty(),
        "these layers bypass the fused operations of receptive_layers::block:\n{}",
        bypassing.join("\n")
    );
}

pub fn trials() -> Vec<Trial> {
    cases("fused", networks::names(), assert_runs_fused_layers)
}
