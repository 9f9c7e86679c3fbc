//! Descriptions of published weights: address, hash, accuracy, preprocessing.

use std::fs::File;
use std::path::Path;

use crate::preprocessing::Preprocessing;
use crate::sha256;

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

    /// Returns the licence of the weights, as an SPDX identifier.
    pub const fn licence(self) -> &'static str {
        match self {
            Self::Torchvision => "BSD-3-Clause",
            Self::Timm => "Apache-2.0",
        }
    }
}

impl Checkpoint {
    /// Returns the one of `checkpoints` whose file name, without extension, is a prefix of the name
    /// of `file`: `resnet50-11ad3fa6.pth` and its conversion `resnet50-11ad3fa6-f16.safetensors` are
    /// the same weights.
    pub fn of_file<'a>(checkpoints: &'a [Self], file: &Path) -> Option<&'a Self> {
        let name = file.file_name()?.to_str()?;
        checkpoints.iter().find(|checkpoint| {
            let published = checkpoint.cache_name();
            let stem = published.rsplit_once('.').map_or("", |(stem, _)| stem);
            !stem.is_empty() && name.starts_with(stem)
        })
    }

    /// Returns the one of `checkpoints` that the file at `path` is: by its name as
    /// [`of_file`](Self::of_file), or else by the SHA-256 of its content. A renamed published file is
    /// recognized, and a file that cannot be read is none of them.
    pub fn identify<'a>(checkpoints: &'a [Self], path: &Path) -> Option<&'a Self> {
        Self::of_file(checkpoints, path).or_else(|| {
            let hashes = |checkpoint: &&Self| !checkpoint.sha256.is_empty();
            checkpoints.iter().find(hashes)?;
            let digest = File::open(path).and_then(sha256::of_reader).ok()?;
            let mut known = checkpoints.iter().filter(hashes);
            known.find(|checkpoint| digest.starts_with(checkpoint.sha256))
        })
    }

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
    use super::*;

    #[test]
    fn a_converted_file_is_the_checkpoint_that_its_name_starts_with() {
        let checkpoint = |url| Checkpoint {
            tag: "V1",
            source: Source::Torchvision,
            url,
            sha256: "",
            parameters: 0,
            top1: 0.0,
            top5: 0.0,
            preprocessing: Preprocessing::IMAGENET,
        };
        let known = [
            checkpoint("https://files.example/resnet50-11ad3fa6.pth"),
            checkpoint("https://files.example/resnet50-0676ba61.pth"),
        ];
        for (file, index) in [
            ("resnet50-11ad3fa6.pth", Some(0)),
            ("folder/resnet50-0676ba61-f16.safetensors", Some(1)),
            ("mine.safetensors", None),
        ] {
            let found = Checkpoint::of_file(&known, Path::new(file));
            assert_eq!(found, index.map(|index: usize| &known[index]), "{file}");
        }
    }

    #[test]
    fn files_called_model_are_cached_under_their_repository() {
        let hub = "https://hub.example/timm/mobilenetv1_100.ra4/resolve/main/model.safetensors";
        assert_eq!(cache_name(hub), "mobilenetv1_100.ra4.safetensors");
        let plain = "https://files.example/models/resnet18-f37072fd.pth?download=1";
        assert_eq!(cache_name(plain), "resnet18-f37072fd.pth");
    }
}
