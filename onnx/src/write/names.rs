//! Unique names of values.

use std::collections::HashSet;

/// Names that are taken.
#[derive(Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// Returns `name`, with a number if it is taken.
    pub fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let mut number = 1;
        while !self.0.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_names_get_a_number() {
        let mut names = Names::default();
        let found = ["a", "a", "a_1", "a", ""].map(|name| names.unique(name));
        assert_eq!(found, ["a", "a_1", "a_1_1", "a_2", ""]);
    }
}
