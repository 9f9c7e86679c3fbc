//! Reasons why an operator cannot be read.

/// Reason why an operator cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// This crate has no translation. All such operators are reported together.
    Unsupported(String),
    /// The file is damaged, or not valid ONNX.
    Invalid(String),
}

/// Result of the translation of an operator, or of a part of one.
pub type Result<T> = std::result::Result<T, Fault>;

/// Returns an error for a valid operator without translation.
pub fn unsupported<T>(reason: impl Into<String>) -> Result<T> {
    Err(Fault::Unsupported(reason.into()))
}

/// Returns an error for an operator that is not valid.
pub fn invalid<T>(reason: impl Into<String>) -> Result<T> {
    Err(Fault::Invalid(reason.into()))
}
