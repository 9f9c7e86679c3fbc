//! Attributes of an operator.

use super::fault::{Result, invalid};
use super::tensor::widened;
use crate::proto::{AttributeProto, AttributeType, TensorProto};

/// The attributes of an operator.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(pub &'a [AttributeProto]);

impl<'a> Attributes<'a> {
    /// Returns the attribute `name`, if the operator has it.
    ///
    /// # Errors
    ///
    /// The attribute is not of type `expected`.
    fn get(&self, name: &str, expected: AttributeType) -> Result<Option<&'a AttributeProto>> {
        let Some(attribute) = self.0.iter().find(|attribute| attribute.name == name) else {
            return Ok(None);
        };
        if !attribute.ref_attr_name.is_empty() {
            return invalid(format!("the attribute {name} refers to a function"));
        }
        // Files of the first versions have no types.
        if attribute.r#type != AttributeType::Undefined as i32
            && attribute.r#type != expected as i32
        {
            let found = AttributeType::try_from(attribute.r#type);
            let found = found.map_or_else(|_| "unknown".to_owned(), |found| format!("{found:?}"));
            return invalid(format!(
                "the attribute {name} has type {found}, expected {expected:?}"
            ));
        }
        Ok(Some(attribute))
    }

    /// Returns whether the operator has the attribute `name`.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|attribute| attribute.name == name)
    }

    /// Returns the whole number `name`.
    pub fn integer(&self, name: &str, default: i64) -> Result<i64> {
        let found = self.get(name, AttributeType::Int)?;
        Ok(found.map_or(default, |attribute| attribute.i))
    }

    /// Returns whether the whole number `name` is not 0.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool> {
        Ok(self.integer(name, i64::from(default))? != 0)
    }

    /// Returns the number `name`.
    pub fn float(&self, name: &str, default: f32) -> Result<f64> {
        let found = self.get(name, AttributeType::Float)?;
        Ok(widened(found.map_or(default, |attribute| attribute.f)))
    }

    /// Returns the text `name`.
    pub fn text(&self, name: &str, default: &'static str) -> Result<&'a str> {
        match self.get(name, AttributeType::String)? {
            None => Ok(default),
            Some(attribute) => match std::str::from_utf8(&attribute.s) {
                Ok(text) => Ok(text),
                Err(_) => invalid(format!("the attribute {name} is not UTF-8")),
            },
        }
    }

    /// Returns the list of whole numbers `name`.
    pub fn integers(&self, name: &str) -> Result<Option<&'a [i64]>> {
        let found = self.get(name, AttributeType::Ints)?;
        Ok(found.map(|attribute| &attribute.ints[..]))
    }

    /// Returns the list of numbers `name`.
    pub fn floats(&self, name: &str) -> Result<Option<&'a [f32]>> {
        let found = self.get(name, AttributeType::Floats)?;
        Ok(found.map(|attribute| &attribute.floats[..]))
    }

    /// Returns the tensor `name`.
    pub fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>> {
        let found = self.get(name, AttributeType::Tensor)?;
        Ok(found.and_then(|attribute| attribute.t.as_deref()))
    }
}
