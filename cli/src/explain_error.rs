//! Errors of explanations.

use std::path::PathBuf;

/// Reasons why an image cannot be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The network has no class activation maps.
    #[error(
        "{model} has no class activation maps, which need global mean pooling before the last layer; use --method grad-cam or occlusion"
    )]
    NoGlobalMean {
        /// Name of the network.
        model: &'static str,
    },
    /// The program computes no gradients.
    #[error(
        "{method} needs gradients, and this program was built without the feature train; use --method {}", .others.join(" or ")
    )]
    NoGradients {
        /// Name of the method.
        method: &'static str,
        /// Methods that work.
        others: &'static [&'static str],
    },
    /// A compiled plan has no weights.
    #[error(
        "{} is a compiled plan, which computes only class scores; use a weight file, or --method occlusion", path.display()
    )]
    Plan {
        /// Path of the plan.
        path: PathBuf,
    },
    /// The pictures need the compiled engine.
    #[error("--explain needs the compiled engine; remove --engine eager and --device")]
    Engine,
    /// No class, or more than one, has the given label.
    #[error(
        "{found} classes have the label {requested:?}, expected one; give the number of the class"
    )]
    Label {
        /// The given label.
        requested: String,
        /// Number of classes with the label.
        found: usize,
    },
    /// The file of the picture has another extension.
    #[error("the picture {} must be a PNG file, with the extension .png", path.display())]
    NotPng {
        /// Path of the picture.
        path: PathBuf,
    },
}
