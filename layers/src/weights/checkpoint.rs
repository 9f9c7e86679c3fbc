//! Descriptions of published weights: address, hash, accuracy, preprocessing.

use crate::preprocessing::Preprocessing;

/// A published set of weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checkpoint {
    /// The publisher's tag, such as `IMAGENET1K_V2`.
    pub tag: &'static str,
    /// The publisher.
    pub source: Source,
    /// Address of the file.
    pub url: &'static str,
    /// SHA-256 of the file in hexadecimal: all 64 digits, or the first digits if the publisher
    /// gives only those; empty if the publisher gives none.
    pub sha256: &'static str,
    /// Number of trainable parameters without the auxiliary heads.
    pub parameters: u64,
    /// ImageNet-1k top-1 accuracy in per cent.
    pub top1: f32,
    /// ImageNet-1k top-5 accuracy in per cent.
    pub top5: f32,
    /// Preprocessing of the images for which the accuracies were measured.
    pub preprocessing: Preprocessing,
}

/// Publisher of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// PyTorch's torchvision, BSD-3-Clause.
    Torchvision,
    /// PyTorch Image Models, Apache-2.0.
    Timm,
}

impl Source {
    /// Returns the publisher's short name, such as `torchvision`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
        }
    }
}

impl Checkpoint {
    /// Returns the name of the file in the cache: the last segment of the URL, or the repository's
    /// name with the URL's extension if the file is called `model`, as on Hugging Face.
    pub fn cache_name(&self) -> String {
        cache_name(self.url)
    }
}

fn cache_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or(path);
    let repository = path
        .split_once("/resolve/")
        .and_then(|(before, _)| before.rsplit('/').next());
    match (file.split_once('.'), repository) {
        (Some(("model", extension)), Some(repository)) => format!("{repository}.{extension}"),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::cache_name;

    #[test]
    fn files_called_model_are_cached_under_their_repository() {
        let hub = "https://hub.example/timm/mobilenetv1_100.ra4/resolve/main/model.safetensors";
        assert_eq!(cache_name(hub), "mobilenetv1_100.ra4.safetensors");
        let plain = "https://files.example/models/resnet18-f37072fd.pth?download=1";
        assert_eq!(cache_name(plain), "resnet18-f37072fd.pth");
    }
}
