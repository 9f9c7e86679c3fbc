//! Invalid configurations and inputs are errors that name the valid ones.

use libtest_mimic::Trial;
use receptive_layers::compile::{Compiled, Options};
use receptive_layers::graph::{Graph, LOGITS};
use receptive_layers::network::{Network, NetworkConfig, Sizes};
use receptive_tests::devices;
use receptive_tests::networks::{self, Visit};
use serde_json::Value;

use crate::cases;

/// Reads a configuration with one more field.
struct UnknownField;

impl Visit for UnknownField {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let Value::Object(mut fields) = serde_json::to_value(&config).unwrap() else {
            panic!("the configuration is not an object");
        };
        let known: Vec<String> = fields.keys().cloned().collect();
        serde_json::from_value::<C>(fields.clone().into()).expect("valid without the field");
        fields.insert("drop_out".to_owned(), 0.5.into());
        let message = match serde_json::from_value::<C>(fields.into()) {
            Ok(_) => panic!("accepted the unknown field"),
            Err(error) => error.to_string(),
        };
        assert!(message.contains("unknown field `drop_out`"), "{message}");
        for field in known {
            assert!(message.contains(&format!("`{field}`")), "{message}");
        }
    }
}

/// Gives a network no classes, and images that it does not accept.
struct OutOfRange;

impl Visit for OutOfRange {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let none = "classes is 0, expected from 1 to 1,000,000";
        let error = config.clone().with_classes(0).validate().unwrap_err();
        assert_eq!(error.to_string(), none);
        let network = config.init(&devices::flex());
        let error = network.clone().with_classes(0).unwrap_err();
        assert_eq!(error.to_string(), none);

        let [_, channels, height, width] = config.input().shape();
        let trace = |shape| Graph::trace_network(|device| config.init(device), shape, &[LOGITS]);
        let refused = |shape: [usize; 4]| match trace(shape) {
            Ok(_) => panic!("recorded {shape:?}"),
            Err(error) => error.to_string(),
        };
        let other = [1, 4 - channels, height, width];
        let message = refused(other);
        let start = format!("forward failed for an input of shape {other:?}: ");
        assert!(message.starts_with(&start), "{message}");
        let message = refused([1, channels, 0, width]);
        assert!(message.contains("is empty"), "{message}");
        if let Sizes::Published = config.input().accepts {
            refused([1, channels, height - 1, width]);
        }
        let graph = trace([1, channels, height, width]).unwrap();
        assert!(graph.any_batch, "images are combined");
        // Of images of few pixels, a small network makes an error or a plan.
        let is_small = network.num_trainable_params() < 1_000_000;
        for side in [1, 2, 7].into_iter().filter(|_| is_small) {
            if let Ok(graph) = trace([1, channels, side, side]) {
                let _ = Compiled::random(graph, 0, &Options::default());
            }
        }
    }
}

pub fn trials() -> Vec<Trial> {
    let mut trials = cases("configurations::unknown_field", networks::names(), |name| {
        networks::visit(name, UnknownField);
    });
    trials.extend(cases(
        "configurations::out_of_range",
        networks::names(),
        |name| {
            networks::visit(name, OutOfRange);
        },
    ));
    trials
}
