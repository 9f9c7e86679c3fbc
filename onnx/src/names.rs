//! Unique names.

use std::collections::HashMap;

/// Names that are taken, each with the number of the next name that starts with it.
#[derive(Default)]
pub struct Names(HashMap<String, usize>);

impl Names {
    /// Returns `name`, with a number if it is taken.
    pub fn unique(&mut self, name: &str) -> String {
        let Some(&first) = self.0.get(name) else {
            self.0.insert(name.to_owned(), 1);
            return name.to_owned();
        };
        let mut number = first;
        let unique = loop {
            let unique = format!("{name}_{number}");
            number += 1;
            if !self.0.contains_key(&unique) {
                break unique;
            }
        };
        self.0.insert(name.to_owned(), number);
        self.0.insert(unique.clone(), 1);
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
