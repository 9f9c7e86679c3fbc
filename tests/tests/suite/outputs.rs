//! Errors of named outputs of compiled networks.

use receptive_layers::compile::{CompileError, Options, compile_outputs};
use receptive_layers::graph::GraphError;
use receptive_layers::network::NetworkConfig;
use receptive_tests::devices;

#[test]
fn an_unknown_output_is_an_error_that_names_the_outputs() {
    let config = receptive_lenet::LeNet5Config::lenet5();
    let network = config.init(&devices::flex());
    let error =
        compile_outputs(&network, [1, 1, 32, 32], &["c7"], &Options::default()).unwrap_err();
    assert!(
        matches!(error, CompileError::Graph(GraphError::UnknownOutput { .. })),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("\"c7\"") && message.contains("logits, embedding, c1"),
        "{message}"
    );
}
