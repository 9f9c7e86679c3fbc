//! Range checks of hyperparameters.

/// A field of a configuration is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct InvalidConfig {
    /// The field's name.
    pub field: &'static str,
    /// The field's value.
    pub found: String,
    /// The valid values, in words.
    pub expected: &'static str,
}

impl InvalidConfig {
    /// Returns an error that names `field` and its value `found`, unless the field is `valid`.
    ///
    /// # Errors
    ///
    /// When `valid` is false.
    pub fn unless(
        valid: bool,
        field: &'static str,
        found: impl ToString,
        expected: &'static str,
    ) -> Result<(), Self> {
        if valid {
            return Ok(());
        }
        Err(Self {
            field,
            found: found.to_string(),
            expected,
        })
    }

    /// Returns an error that names `field`, unless `probability` is at least 0 and below 1.
    ///
    /// # Errors
    ///
    /// When `probability` is out of that range.
    pub fn unless_probability(field: &'static str, probability: f64) -> Result<(), Self> {
        let valid = (0.0..1.0).contains(&probability);
        Self::unless(valid, field, probability, "at least 0 and below 1")
    }

    /// Returns an error unless `classes`, the number of classes of a head, is from 1 to 1,000,000.
    ///
    /// # Errors
    ///
    /// When `classes` is out of that range.
    pub fn unless_classes(classes: usize) -> Result<(), Self> {
        let valid = (1..=1_000_000).contains(&classes);
        Self::unless(valid, "classes", classes, "from 1 to 1,000,000")
    }
}
