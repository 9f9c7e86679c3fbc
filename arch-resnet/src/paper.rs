//! The paper of the residual networks.

use receptive_layers::network::Paper;

/// He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015.
pub(crate) const PAPER: Paper = Paper {
    authors: "He et al.",
    title: "Deep Residual Learning for Image Recognition",
    year: 2015,
};
