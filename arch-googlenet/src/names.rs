//! The parameter names of torchvision.

/// Pairs of a field of this crate and the name of torchvision's module.
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

/// Returns the reference name of the parameter at `path`.
///
/// In torchvision's edition a unit has two layers, `conv` and `bn`, and the unit's name becomes
/// torchvision's. In the paper's edition a unit is a single convolution, and its path is the
/// reference name.
pub(crate) fn reference_name(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let [module @ .., unit, layer @ ("conv" | "bn"), tensor] = &parts[..] else {
        return path.to_owned();
    };
    let unit = LAYERS
        .iter()
        .find(|(field, _)| field == unit)
        .map_or(*unit, |(_, torchvision)| torchvision);
    [module, &[unit, layer, tensor]].concat().join(".")
}
