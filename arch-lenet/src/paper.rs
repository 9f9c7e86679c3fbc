//! The paper of both networks.

use receptive_layers::network::{Paper, Stage};

/// LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, 1998.
pub(crate) const PAPER: Paper = Paper {
    authors: "LeCun et al.",
    title: "Gradient-Based Learning Applied to Document Recognition",
    year: 1998,
};

/// The layers of the paper's figure 2 up to C5, the stages of both networks.
pub(crate) const STAGES: [Stage; 5] = [
    Stage::new("c1", &["c1"]),
    Stage::new("s2", &["s2"]),
    Stage::new("c3", &["c3"]),
    Stage::new("s4", &["s4"]),
    Stage::new("c5", &["c5"]),
];
