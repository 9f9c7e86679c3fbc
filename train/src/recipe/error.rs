//! Errors of recipes.

use std::path::PathBuf;

use receptive_layers::network::InvalidConfig;

/// A recipe cannot be read or is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("cannot read the recipe {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The text is not TOML, or it is not a recipe.
    #[error("{origin}: {reason}")]
    Parse {
        /// Name of the recipe in messages.
        origin: String,
        /// The value found and the value expected.
        reason: String,
    },
    /// An override is not `field=value`, or its field cannot be set.
    #[error("--set {text}: {reason}")]
    Override {
        /// The override.
        text: String,
        /// Description of the problem.
        reason: String,
    },
    /// A field is out of its range.
    #[error("the recipe's {section}: {source}")]
    Invalid {
        /// Section of the recipe that contains the field.
        section: String,
        /// The field and its range.
        source: InvalidConfig,
    },
}
