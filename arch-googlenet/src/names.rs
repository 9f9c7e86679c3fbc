//! torchvision's names.

/// torchvision's layer for each of ours.
const LAYERS: [(&str, &str); 8] = [
    ("conv2_reduce", "conv2"),
    ("conv2", "conv3"),
    ("conv1x1", "branch1"),
    ("reduce3x3", "branch2.0"),
    ("conv3x3", "branch2.1"),
    ("reduce5x5", "branch3.0"),
    ("conv5x5", "branch3.1"),
    ("pool_proj", "branch4.1"),
];

/// The reference name of the parameter at `path`.
///
/// A unit with a batch norm has two layers, `conv` and `bn`, under its own name; those are
/// torchvision's edition, and take its names. The paper's units are bare convolutions, whose names
/// are the reference's already.
pub(crate) fn reference_name(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let [module @ .., unit, layer @ ("conv" | "bn"), tensor] = &parts[..] else {
        return path.to_owned();
    };
    let unit = LAYERS
        .iter()
        .find(|(ours, _)| ours == unit)
        .map_or(*unit, |(_, theirs)| theirs);
    [module, &[unit, layer, tensor]].concat().join(".")
}
