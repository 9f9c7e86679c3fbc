//! The subset of MNIST that is embedded in the program.

use std::path::Path;

use receptive_train::data::{DataError, DataSplits, IdxFiles};

macro_rules! embedded {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/mnist/", $name))
    };
}

/// 7,500 training digits and 1,500 validation digits of MNIST, as gzipped IDX files.
const FILES: IdxFiles<'static> = IdxFiles {
    train: [
        embedded!("train-images-idx3-ubyte.gz"),
        embedded!("train-labels-idx1-ubyte.gz"),
    ],
    validation: [
        embedded!("t10k-images-idx3-ubyte.gz"),
        embedded!("t10k-labels-idx1-ubyte.gz"),
    ],
};

/// Decodes the embedded digits.
///
/// # Errors
///
/// [`DataError`] when the embedded files are damaged.
pub fn open() -> Result<DataSplits, DataError> {
    DataSplits::from_idx(Path::new("the embedded digits"), &FILES)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_subset_has_7500_training_and_1500_validation_digits() {
        let data = super::open().expect("sound");
        assert_eq!((data.train.len(), data.validation.len()), (7500, 1500));
        assert_eq!(data.classes.len(), 10);
        let labels: Vec<usize> = (0..1500).map(|i| data.validation.label(i)).collect();
        assert!((0..10).all(|digit| labels.iter().filter(|&&l| l == digit).count() > 100));
        let image = data.train.image(0).expect("an image");
        assert_eq!((image.width, image.height, image.channels), (28, 28, 1));
    }
}
