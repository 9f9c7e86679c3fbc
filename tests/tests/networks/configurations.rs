//! An unknown field of a configuration is an error that lists the valid ones.

use libtest_mimic::Trial;
use receptive_layers::network::NetworkConfig;
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

pub fn trials() -> Vec<Trial> {
    cases("configurations::unknown_field", networks::names(), |name| {
        networks::visit(name, UnknownField);
    })
}
