//! Options of the commands that run a network on many images.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::parse;

/// Images, and the part of them that is processed.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// Images, folders, archives (.tar, .tar.gz, .tgz, .parquet) or quoted patterns such as '*.jpg'; - is a list
    /// of paths on standard input
    #[arg(required_unless_present = "files_from", value_name = "IMAGE")]
    pub images: Vec<PathBuf>,

    /// File with a path on each line, or with paths that end with NUL bytes; - is standard input
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,

    /// Process only the K-th of N equal parts of the images, such as 1/4; the concatenated results of parts 1 to
    /// N are the results of all images
    #[arg(long, value_name = "K/N", value_parser = parse::shard)]
    pub shard: Option<Shard>,

    /// Decode large JPEG photos at 1/2, 1/4 or 1/8 of their size where that covers the resize: faster, and the
    /// results differ slightly
    #[arg(long)]
    pub scale_on_decode: bool,

    /// Column of images in Parquet files
    #[arg(long, value_name = "NAME", default_value = "image")]
    pub image_column: String,
}

/// One of several equal parts of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Number of the part, from 1 to `count`.
    pub number: u64,
    /// Number of parts.
    pub count: u64,
}

impl Shard {
    /// Returns the first element of this part of a list of `length` elements, and the first one after it.
    pub fn range(self, length: u64) -> (u64, u64) {
        let start =
            |part: u64| (u128::from(length) * u128::from(part) / u128::from(self.count)) as u64;
        (start(self.number - 1), start(self.number))
    }
}

/// The file of results.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// File of results, one row for each image; - is standard output [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Format of the results [default: from the extension of the file]
    #[arg(long, value_enum)]
    pub format: Option<RowFormat>,

    /// Continue an interrupted run of the same command that wrote to the same file
    #[arg(long, requires = "output")]
    pub resume: bool,
}

impl OutputArgs {
    /// Returns the file of results; `None` for standard output, which is also `-`.
    pub fn file(&self) -> Option<&Path> {
        self.output
            .as_deref()
            .filter(|path| path.as_os_str() != "-")
    }
}

/// Formats of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// A JSON object on each line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// Apache Parquet; needs the feature `parquet`
    Parquet,
    /// NumPy array of vectors, and a CSV file of their paths
    Npy,
}

impl RowFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Parquet, Self::Npy];

    /// Extension of files of this format.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Npy => "npy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_consecutive_and_complete() {
        for length in [0, 1, 7, 100, u64::MAX / 2] {
            for count in [1, 2, 3, 7, 200] {
                let parts = (1..=count).map(|number| Shard { number, count }.range(length));
                let mut end = 0;
                for (from, to) in parts {
                    assert_eq!(from, end);
                    assert!(to - from <= length / count + 1);
                    end = to;
                }
                assert_eq!(end, length);
            }
        }
    }
}
