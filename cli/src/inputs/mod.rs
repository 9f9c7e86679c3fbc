//! The images that a command processes: files, folders, patterns, lists of paths and archives.

mod input;
mod list;
#[cfg(feature = "parquet")]
mod parquet;
mod tar;

use std::path::{Path, PathBuf};

use glob::MatchOptions;
use receptive_layers::image::{self, LeftOut};

use crate::args::InputArgs;
use crate::error::CliError;

use input::Unread;
pub use input::{Content, Input};
use list::STANDARD_INPUT;

/// Extensions of archives of images.
const TAR: [&str; 3] = [".tar", ".tar.gz", ".tgz"];

/// Extension of Parquet files.
const PARQUET: &str = ".parquet";

/// A file that contains one or more images.
enum Source {
    Image(PathBuf),
    Tar(PathBuf),
    #[cfg(feature = "parquet")]
    Parquet(PathBuf),
}

impl Source {
    fn path(&self) -> &Path {
        match self {
            Self::Image(path) | Self::Tar(path) => path,
            #[cfg(feature = "parquet")]
            Self::Parquet(path) => path,
        }
    }
}

/// The images that the arguments of a command name, in order.
pub struct Inputs {
    sources: Vec<Source>,
    /// Entries of folders that are no images, by kind.
    pub left_out: LeftOut,
    #[cfg_attr(
        not(feature = "parquet"),
        expect(dead_code, reason = "for Parquet files")
    )]
    image_column: String,
    range: Option<(u64, u64)>,
    /// Whether JPEG photos are decoded at a part of their size.
    pub scale_on_decode: bool,
}

impl Inputs {
    /// Lists the folders, patterns and lists of `args`. The images themselves are not opened.
    ///
    /// # Errors
    ///
    /// [`CliError`] when a folder or list cannot be read or names no image, a pattern matches no file,
    /// or an archive of which a part is requested cannot be read.
    pub fn open(args: &InputArgs) -> Result<Self, CliError> {
        let mut inputs = Self {
            sources: Vec::new(),
            left_out: LeftOut::default(),
            image_column: args.image_column.clone(),
            range: None,
            scale_on_decode: args.scale_on_decode,
        };
        for path in &args.images {
            if path.as_os_str() == STANDARD_INPUT {
                inputs.add_list(path)?;
            } else if let Some(pattern) = pattern(path) {
                inputs.add_pattern(pattern)?;
            } else {
                inputs.add(path)?;
            }
        }
        if let Some(list) = &args.files_from {
            inputs.add_list(list)?;
        }
        if let Some(shard) = args.shard {
            inputs.range = Some(shard.range(inputs.count()?));
        }
        Ok(inputs)
    }

    /// Adds the paths in a list.
    fn add_list(&mut self, list: &Path) -> Result<(), CliError> {
        for path in list::read(list)? {
            self.add(&path)?;
        }
        Ok(())
    }

    /// Adds the files that match a pattern, in alphabetical order.
    fn add_pattern(&mut self, pattern: &str) -> Result<(), CliError> {
        let unusable = |reason: String| CliError::Pattern {
            pattern: pattern.to_owned(),
            reason,
        };
        let options = MatchOptions {
            require_literal_leading_dot: true,
            ..MatchOptions::default()
        };
        let paths =
            glob::glob_with(pattern, options).map_err(|error| unusable(error.to_string()))?;
        let before = self.sources.len();
        for path in paths {
            self.add(&path.map_err(|error| unusable(error.to_string()))?)?;
        }
        if self.sources.len() == before {
            return Err(unusable("no file matches".to_owned()));
        }
        Ok(())
    }

    /// Adds an image, the images in a folder, or an archive.
    fn add(&mut self, path: &Path) -> Result<(), CliError> {
        let name = path.as_os_str().to_string_lossy().to_ascii_lowercase();
        if path.is_dir() {
            let listing = image::list(path)?;
            if listing.images.is_empty() {
                return Err(CliError::EmptyFolder {
                    path: path.to_owned(),
                    left_out: listing.left_out,
                    extensions: image::EXTENSIONS,
                });
            }
            self.sources
                .extend(listing.images.into_iter().map(Source::Image));
            self.left_out += listing.left_out;
        } else if TAR.iter().any(|extension| name.ends_with(extension)) {
            self.sources.push(Source::Tar(path.to_owned()));
        } else if name.ends_with(PARQUET) {
            #[cfg(feature = "parquet")]
            self.sources.push(Source::Parquet(path.to_owned()));
            #[cfg(not(feature = "parquet"))]
            return Err(CliError::WithoutParquet {
                path: path.to_owned(),
            });
        } else {
            self.sources.push(Source::Image(path.to_owned()));
        }
        Ok(())
    }

    /// Counts the images. Reads the headers of every archive.
    fn count(&self) -> Result<u64, CliError> {
        let count = |source: &Source| match source {
            Source::Image(_) => Ok(1),
            Source::Tar(path) => tar::count(path),
            #[cfg(feature = "parquet")]
            Source::Parquet(path) => parquet::count(path),
        };
        self.sources.iter().try_fold(0_u64, |total, source| {
            Ok(total.saturating_add(count(source)?))
        })
    }

    /// Whether the file at `path` is one of the images or archives.
    pub fn contain(&self, path: &Path) -> bool {
        let Ok(target) = path.canonicalize() else {
            return false;
        };
        self.sources.iter().any(|source| {
            let source = source.path();
            // Few files have the same name, so that few paths are resolved.
            source.file_name() == path.file_name()
                && source.canonicalize().is_ok_and(|source| source == target)
        })
    }

    /// Returns the number of images, if it is known without reading archives.
    pub fn known_count(&self) -> Option<u64> {
        if let Some((start, end)) = self.range {
            return Some(end - start);
        }
        let is_image = |source: &Source| matches!(source, Source::Image(_));
        (self.sources.iter().all(is_image)).then_some(self.sources.len() as u64)
    }

    /// Iterates over the images. The content of the first `skipped` images is not read, but the images
    /// are returned.
    pub fn into_iter(self, skipped: u64) -> impl Iterator<Item = Input> + Send {
        let (start, end) = self.range.unwrap_or((0, u64::MAX));
        let unread = Unread::new(start.saturating_add(skipped));
        #[cfg(feature = "parquet")]
        let column = self.image_column;
        let open = move |source| -> Box<dyn Iterator<Item = Input> + Send> {
            match source {
                Source::Image(path) => Box::new(std::iter::once(Input {
                    path: path.display().to_string(),
                    content: match unread.next() {
                        true => Content::Skipped,
                        false => Content::File(path),
                    },
                })),
                Source::Tar(path) => Box::new(tar::images(path, unread.clone())),
                #[cfg(feature = "parquet")]
                Source::Parquet(path) => {
                    Box::new(parquet::images(path, column.clone(), unread.clone()))
                }
            }
        };
        let images = self.sources.into_iter().flat_map(open);
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        images
            .skip(usize::try_from(start).unwrap_or(usize::MAX))
            .take(length)
    }
}

/// Returns the pattern that `path` is, if it names no file.
fn pattern(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    (text.contains(['*', '?', '[']) && path.symlink_metadata().is_err()).then_some(text)
}
