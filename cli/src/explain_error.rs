//! Errors of explanations.

use std::path::PathBuf;

/// Reasons why an image cannot be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The network has no class activation maps.
    #[error(
        "{model} has no class activation maps, which need global mean pooling before the last layer; use --method {OTHERS}"
    )]
    NoGlobalMean {
        /// Name of the network.
        model: &'static str,
    },
    /// The program computes no gradients.
    #[error(
        "{method} needs gradients, and this program was built without the feature train; `explain --method occlusion` needs none"
    )]
    NoGradients {
        /// Name of the method.
        method: &'static str,
    },
    /// A compiled plan has no weights.
    #[error(
        "{} is a compiled plan, which computes only class scores; use a weight file, or `explain --method occlusion`",
        path.display()
    )]
    Plan {
        /// Path of the plan.
        path: PathBuf,
    },
    /// The pictures need the compiled engine.
    #[error("--explain needs the compiled engine; remove --engine eager and --device")]
    Engine,
    /// The class is neither the number nor the label of a class.
    #[error(
        "no class has the label or the number {requested:?}; the numbers are 0 to {}",
        classes.saturating_sub(1)
    )]
    NoClass {
        /// The given class.
        requested: String,
        /// Number of classes.
        classes: usize,
    },
    /// Several classes have the given label.
    #[error("the classes {} have the label {requested:?}; give the number of one", listed(.found))]
    Label {
        /// The given label.
        requested: String,
        /// Numbers of the classes.
        found: Vec<usize>,
    },
    /// An option has no effect on the method.
    #[error("{option} is an option of --method {method}; remove it, or choose the method")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Name of the method.
        method: &'static str,
    },
    /// The map has more places than the image has pixels.
    #[error(
        "--places {places}, expected at most {size}, the height and width of the prepared image"
    )]
    Places {
        /// The given number.
        places: usize,
        /// Height and width of the image in pixels.
        size: usize,
    },
    /// The image is a folder.
    #[error(
        "{} is a folder, expected an image; `classify --explain DIR` explains every image of a folder",
        path.display()
    )]
    Folder {
        /// Path of the folder.
        path: PathBuf,
    },
    /// The folder of pictures is an input, or inside one.
    #[error(
        "the pictures in {} would be among the images of the next run; choose a folder outside {}",
        path.display(), input.display()
    )]
    InsideInput {
        /// Folder of the pictures.
        path: PathBuf,
        /// Folder of images.
        input: PathBuf,
    },
    /// The folder of pictures cannot be created.
    #[error("cannot create the folder {}: {source}", path.display())]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The picture and the map have the same path.
    #[error("{} is the picture and the map; choose two files", path.display())]
    SameOutput {
        /// The path.
        path: PathBuf,
    },
    /// The file of the picture has another extension.
    #[error("the picture {} must be a PNG file, with the extension .png", path.display())]
    NotPng {
        /// Path of the picture.
        path: PathBuf,
    },
}

/// Methods that work for networks without class activation maps.
const OTHERS: &str = if cfg!(feature = "train") {
    "grad-cam or occlusion"
} else {
    "occlusion"
};

fn listed(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    numbers.join(", ")
}
