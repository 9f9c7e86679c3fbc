//! Files of class labels.

use std::io;
use std::path::{Path, PathBuf};

use crate::bounded_file;

/// Largest file of labels, in bytes: 16 MiB.
const MAX_BYTES: u64 = 16 << 20;

/// A list of labels could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// The file could not be read as UTF-8 text.
    #[error("cannot read the labels in {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        reason: io::Error,
    },
    /// The text is empty.
    #[error("there are no labels; expected one per line")]
    Empty,
    /// A line before the last label is blank, which would shift the labels after it by a class.
    #[error("line {line} of the labels is blank; expected one label per line")]
    Blank {
        /// The line's number, from 1.
        line: usize,
    },
    /// The text of a file is not a list of labels.
    #[error("{}: {reason}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The error in the file's text.
        reason: Box<LabelsError>,
    },
}

/// Reads the labels in the UTF-8 file at `path` of at most 16 MiB, in the format of [`parse`].
///
/// # Errors
///
/// [`LabelsError::Read`] or [`LabelsError::InFile`], which name the file.
pub fn open(path: impl AsRef<Path>) -> Result<Vec<String>, LabelsError> {
    let path = path.as_ref();
    let text = bounded_file::read_text(path, MAX_BYTES).map_err(|reason| LabelsError::Read {
        path: path.to_owned(),
        reason,
    })?;
    parse(&text).map_err(|reason| LabelsError::InFile {
        path: path.to_owned(),
        reason: Box::new(reason),
    })
}

/// Parses the labels in `text`, one per line, the first for class 0.
///
/// Whitespace around a label, a byte order mark and blank lines at the end are ignored.
///
/// # Errors
///
/// [`LabelsError::Empty`] when there is no label, [`LabelsError::Blank`] when a line between two
/// labels is blank.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_line_ending_is_accepted() {
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
    fn errors_name_the_line_or_the_file() {
        assert!(matches!(parse(" \r\n\n"), Err(LabelsError::Empty)));
        assert!(matches!(
            parse("a\n\nb\n"),
            Err(LabelsError::Blank { line: 2 })
        ));
        let missing = open("no/such/labels.txt").unwrap_err().to_string();
        assert!(missing.contains("no/such/labels.txt"), "{missing}");
        #[cfg(unix)]
        assert!(matches!(
            open("/dev/zero"),
            Err(LabelsError::Read { reason, .. }) if reason.kind() == io::ErrorKind::FileTooLarge
        ));
    }
}
