//! Class labels, and from logits to the top of a ranking.
//!
//! ```
//! use receptive_layers::labels::{IMAGENET_1K, top_k};
//! use receptive_layers::softmax;
//!
//! let mut logits = [0.0; 1000];
//! logits[967] = 10.0;
//! let (class, probability) = top_k(&softmax(&logits), 1)[0];
//! assert_eq!(IMAGENET_1K.lines().nth(class), Some("espresso"));
//! assert!((probability - 0.9566).abs() < 1e-4);
//! ```

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The names of the 1,000 classes of ImageNet (ILSVRC 2012), one a line, in class order.
pub const IMAGENET_1K: &str = include_str!("imagenet-1k.txt");

/// The classes of CIFAR-10 in their order.
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

/// Why a list of labels was not read.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file could not be read as UTF-8 text.
    #[error("cannot read the labels in {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The text has no line.
    #[error("there are no labels; expected one a line")]
    Empty,
    /// A line within the text is blank, so that the labels after it would belong to other classes.
    #[error("line {line} of the labels is blank; expected one label a line")]
    Blank {
        /// Counted from 1.
        line: usize,
    },
    /// What is wrong with the text of a file.
    #[error("{}: {reason}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: Box<LabelsError>,
    },
}

/// The labels in the UTF-8 file at `path`, as [`parse`] reads them.
///
/// # Errors
///
/// [`LabelsError`], with the file's name.
pub fn open(path: impl AsRef<Path>) -> Result<Vec<String>, LabelsError> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).map_err(|reason| LabelsError::Read {
        path: path.to_owned(),
        reason,
    })?;
    parse(&text).map_err(|reason| LabelsError::InFile {
        path: path.to_owned(),
        reason: Box::new(reason),
    })
}

/// The labels in `text`, one a line, the first for class 0.
///
/// Space around a label, a byte order mark and blank lines at the end are ignored.
///
/// # Errors
///
/// [`LabelsError::Empty`] and [`LabelsError::Blank`].
pub fn parse(text: &str) -> Result<Vec<String>, LabelsError> {
    let text = text.trim_start_matches('\u{feff}').trim_end();
    if text.is_empty() {
        return Err(LabelsError::Empty);
    }
    text.lines()
        .enumerate()
        .map(|(index, label)| match label.trim() {
            "" => Err(LabelsError::Blank { line: index + 1 }),
            label => Ok(label.to_owned()),
        })
        .collect()
}

/// The `k` most probable classes with their probabilities, the best first.
///
/// Equal ones keep the order of their indices, NaN comes last, and a `k` beyond the number of
/// classes gives all of them.
pub fn top_k(probabilities: &[f32], k: usize) -> Vec<(usize, f32)> {
    let mut ranking: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
    ranking.sort_by(|(_, a), (_, b)| a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(a)));
    ranking.truncate(k);
    ranking
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn imagenet_has_a_thousand_classes() {
        let labels = parse(IMAGENET_1K).unwrap();
        assert_eq!(labels.len(), 1000);
        assert_eq!(labels[0], "tench");
        assert_eq!(labels[285], "Egyptian cat");
        assert_eq!(labels[999], "toilet tissue");
    }

    #[test]
    fn lines_may_end_in_any_way() {
        let expected = ["a", "b c"];
        for text in [
            "a\nb c",
            "a\nb c\n",
            "\u{feff}a\r\nb c\r\n",
            " a\nb c \n\n\n",
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn missing_labels_are_named() {
        assert!(matches!(parse(" \r\n\n"), Err(LabelsError::Empty)));
        assert!(matches!(
            parse("a\n\nb\n"),
            Err(LabelsError::Blank { line: 2 })
        ));
        let missing = open("no/such/labels.txt").unwrap_err().to_string();
        assert!(missing.contains("no/such/labels.txt"), "{missing}");
    }

    #[test]
    fn equal_probabilities_keep_the_order_of_classes() {
        assert_eq!(
            top_k(&[0.25, 0.5, 0.25, 0.0], 3),
            [(1, 0.5), (0, 0.25), (2, 0.25)]
        );
        assert_eq!(top_k(&[0.0, -0.0, 1.0], 9).len(), 3);
        assert_eq!(top_k(&[f32::NAN, 0.1, 0.2], 2), [(2, 0.2), (1, 0.1)]);
    }

    proptest! {
        #[test]
        fn the_top_is_sorted_and_nothing_better_is_left_out(
            probabilities in proptest::collection::vec(
                prop_oneof![9 => any::<f32>(), 1 => Just(f32::NAN)],
                0..60,
            ),
            k in 0_usize..80,
        ) {
            let top = top_k(&probabilities, k);
            prop_assert_eq!(top.len(), k.min(probabilities.len()));
            for &(class, probability) in &top {
                prop_assert_eq!(probability.to_bits(), probabilities[class].to_bits());
            }
            for pair in top.windows(2) {
                let (better, worse) = (pair[0].1, pair[1].1);
                prop_assert!(worse.is_nan() || better >= worse);
            }
            if let Some(&(_, last)) = top.last() {
                for (class, &probability) in probabilities.iter().enumerate() {
                    let inside = top.iter().any(|&(index, _)| index == class);
                    prop_assert!(inside || last >= probability || probability.is_nan());
                }
            }
        }
    }
}
