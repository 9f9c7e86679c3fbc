//! Errors of `train --freeze all`.

use receptive_layers::logistic::LogisticError;

/// Reasons why the last layer alone cannot be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// An option of `train` that has no effect with `--freeze all`.
    #[error(
        "--freeze all fits the last layer to the embeddings of the images, and {option} has no effect; remove it, or freeze a stage"
    )]
    Option {
        /// Name of the option.
        option: &'static str,
    },
    /// Several ranks are to train the last layer.
    #[error("--freeze all runs in one process; start it without mpirun")]
    Ranks,
    /// The images have fewer than two classes.
    #[error("{model}: the images have {found} classes, expected at least 2")]
    FewClasses {
        /// Name of the network.
        model: &'static str,
        /// Number of classes.
        found: usize,
    },
    /// A class has no training image.
    #[error("the class {class:?} has no training image")]
    EmptyClass {
        /// Name of the class.
        class: String,
    },
    /// The last layer cannot be fitted.
    #[error("{model}: {source}")]
    Regression {
        /// Name of the network.
        model: &'static str,
        /// Error of the regression.
        source: LogisticError,
    },
}
