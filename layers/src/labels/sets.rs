//! The classes of the published networks: those of MNIST, CIFAR-10 and ImageNet, or a list.

/// The classes that a published network distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelSet {
    /// The classes have no names.
    None,
    /// The ten digits of MNIST.
    Mnist,
    /// The ten classes of CIFAR-10.
    Cifar10,
    /// The 1,000 classes of ImageNet (ILSVRC 2012).
    Imagenet1k,
    /// Classes with these names, in class order.
    Listed(&'static [&'static str]),
}

impl LabelSet {
    /// Returns the names of the classes, in class order; empty for [`LabelSet::None`].
    pub fn names(self) -> Vec<&'static str> {
        match self {
            Self::None => Vec::new(),
            Self::Mnist => MNIST.to_vec(),
            Self::Cifar10 => CIFAR_10.to_vec(),
            Self::Imagenet1k => IMAGENET_1K.lines().collect(),
            Self::Listed(names) => names.to_vec(),
        }
    }
}

/// The names of the ten classes of MNIST: the digits, in class order.
pub const MNIST: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The names of the 1,000 classes of ImageNet (ILSVRC 2012), one per line, in class order.
pub const IMAGENET_1K: &str = include_str!("imagenet-1k.txt");

/// The names of the ten classes of CIFAR-10, in class order.
pub const CIFAR_10: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::file::parse;

    #[test]
    fn imagenet_has_a_thousand_classes() {
        let labels = parse(IMAGENET_1K).unwrap();
        assert_eq!(labels.len(), 1000);
        assert_eq!(labels[0], "tench");
        assert_eq!(labels[285], "Egyptian cat");
        assert_eq!(labels[999], "toilet tissue");
    }

    #[test]
    fn label_sets_have_a_name_per_class() {
        for (set, classes) in [
            (LabelSet::None, 0),
            (LabelSet::Mnist, 10),
            (LabelSet::Cifar10, 10),
            (LabelSet::Imagenet1k, 1000),
            (LabelSet::Listed(&["cat", "dog"]), 2),
        ] {
            assert_eq!(set.names().len(), classes, "{set:?}");
        }
    }
}
