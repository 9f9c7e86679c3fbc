//! The papers that published the architectures.

use serde::Serialize;

/// Where an architecture was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// The authors.
    pub authors: &'static str,
    /// The title.
    pub title: &'static str,
    /// The year of publication.
    pub year: u16,
}

pub(super) const LENET: Paper = Paper {
    authors: "LeCun et al.",
    title: "Gradient-Based Learning Applied to Document Recognition",
    year: 1998,
};

pub(super) const ALEXNET: Paper = Paper {
    authors: "Krizhevsky et al.",
    title: "ImageNet Classification with Deep Convolutional Neural Networks",
    year: 2012,
};

pub(super) const ONE_WEIRD_TRICK: Paper = Paper {
    authors: "Krizhevsky",
    title: "One weird trick for parallelizing convolutional neural networks",
    year: 2014,
};

pub(super) const VGG: Paper = Paper {
    authors: "Simonyan and Zisserman",
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    year: 2014,
};

pub(super) const GOOGLENET: Paper = Paper {
    authors: "Szegedy et al.",
    title: "Going Deeper with Convolutions",
    year: 2014,
};

pub(super) const RESNET: Paper = Paper {
    authors: "He et al.",
    title: "Deep Residual Learning for Image Recognition",
    year: 2015,
};

pub(super) const MOBILENET_V1: Paper = Paper {
    authors: "Howard et al.",
    title: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    year: 2017,
};

pub(super) const MOBILENET_V2: Paper = Paper {
    authors: "Sandler et al.",
    title: "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    year: 2018,
};
