//! Published weights: where they are, how to know them, what they reach.

use crate::preprocessing::Preprocessing;

/// A published set of weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checkpoint {
    /// The publisher's tag, such as `IMAGENET1K_V2`.
    pub tag: &'static str,
    /// Where it is published.
    pub source: Source,
    /// The address of the file.
    pub url: &'static str,
    /// SHA-256 of the file in hexadecimal: all 64 digits, or the first digits where the publisher
    /// gives no more; empty where it gives none.
    pub sha256: &'static str,
    /// Trainable parameters, the auxiliary heads left out.
    pub parameters: u64,
    /// ImageNet-1k top-1 accuracy, per cent.
    pub top1: f32,
    /// ImageNet-1k top-5 accuracy, per cent.
    pub top5: f32,
    /// How images are prepared for it.
    pub preprocessing: Preprocessing,
}

/// Who published a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// PyTorch's torchvision, BSD-3-Clause.
    Torchvision,
    /// PyTorch Image Models, Apache-2.0.
    Timm,
}
