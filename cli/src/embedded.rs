//! Weights that are embedded in the program.

/// A weight file in the program.
pub struct EmbeddedWeights {
    /// Name of the network.
    pub model: &'static str,
    /// Name of the file in the crate's `assets/`.
    pub file: &'static str,
    /// Author and name of the weights.
    pub source: &'static str,
    /// Licence of the weights, as an SPDX expression.
    pub licence: &'static str,
    /// Content of the file.
    pub bytes: &'static [u8],
}

macro_rules! asset {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/", $file))
    };
}

/// Every embedded weight file, at most one per network.
pub const EMBEDDED: [EmbeddedWeights; 2] = [
    // torchvision's `IMAGENET1K_V1` in half precision.
    EmbeddedWeights {
        model: "mobilenet-v2",
        file: "mobilenet_v2-f16.safetensors",
        source: "torchvision, IMAGENET1K_V1, in half precision",
        licence: "BSD-3-Clause",
        bytes: asset!("mobilenet_v2-f16.safetensors"),
    },
    // Trained by `receptive train lenet5`.
    EmbeddedWeights {
        model: "lenet5",
        file: "lenet5.safetensors",
        source: "receptive train lenet5",
        licence: "MIT OR Apache-2.0",
        bytes: asset!("lenet5.safetensors"),
    },
];
