//! Unknown fields of configurations.

use receptive_layers::network::NetworkConfig;
use receptive_tests::variants::{self, Visit};
use serde_json::Value;

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

#[test]
fn an_unknown_field_is_an_error_that_lists_the_valid_ones() {
    for name in variants::names() {
        println!("{name}");
        variants::visit(name, UnknownField);
    }
}
