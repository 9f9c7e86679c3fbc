//! Weights that are embedded in the program.

/// A weight file in the program.
pub struct EmbeddedWeights {
    /// Name of the network.
    pub model: &'static str,
    /// Name of the file in the crate's `assets/`.
    pub file: &'static str,
    /// Name of the published file that `file` was converted from, if any.
    pub converted_from: Option<&'static str>,
    /// Content of the file.
    pub bytes: &'static [u8],
}

impl EmbeddedWeights {
    /// Name of the published file that the weights come from, or else of the embedded file.
    pub fn published_name(&self) -> &'static str {
        self.converted_from.unwrap_or(self.file)
    }
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
        converted_from: Some("mobilenet_v2-b0353104.pth"),
        bytes: asset!("mobilenet_v2-f16.safetensors"),
    },
    // Trained by `receptive train lenet5`.
    EmbeddedWeights {
        model: "lenet5",
        file: "lenet5.safetensors",
        converted_from: None,
        bytes: asset!("lenet5.safetensors"),
    },
];
