//! The images that a command processes: files, folders, patterns, lists of paths and archives.

mod input;
mod list;
#[cfg(feature = "parquet")]
mod parquet;
mod tar;

use std::path::{Path, PathBuf};

use glob::MatchOptions;
use receptive_layers::image::{self, ImageError, LeftOut};

use crate::args::InputArgs;
use crate::error::{CliError, one_line};
use crate::same_file::is_same_file;

use input::Unread;
pub use input::{Content, Input};
use list::STANDARD_INPUT;

/// Extensions of archives of images.
const TAR: [&str; 3] = [".tar", ".tar.gz", ".tgz"];

/// Extension of Parquet files.
const PARQUET: &str = ".parquet";

/// A file that contains one or more images.
enum Source {
    /// A folder in a list or of a pattern that cannot be listed, and the reason.
    Failed(PathBuf, String),
    Image(PathBuf),
    Tar(PathBuf),
    #[cfg(feature = "parquet")]
    Parquet(PathBuf),
}

impl Source {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Image(path) | Self::Tar(path) => Some(path),
            #[cfg(feature = "parquet")]
            Self::Parquet(path) => Some(path),
            Self::Failed(..) => None,
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
    /// File of paths.
    list: Option<PathBuf>,
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
            list: args.files_from.clone(),
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
            self.add_found(path);
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
            match path {
                Ok(path) => self.add_found(path),
                Err(error) => {
                    let path = error.path().to_owned();
                    self.sources
                        .push(Source::Failed(path, error.error().to_string()));
                }
            }
        }
        if self.sources.len() == before {
            return Err(unusable("no file matches".to_owned()));
        }
        Ok(())
    }

    /// Adds a path of a list or of a pattern. Pipes and devices are left out, and a folder that cannot be listed
    /// or contains no image is an error of its own, not of all images.
    fn add_found(&mut self, path: PathBuf) {
        let is_special = |file: std::fs::Metadata| !file.is_file() && !file.is_dir();
        if path.metadata().is_ok_and(is_special) {
            self.left_out.special += 1;
        } else if let Err(error) = self.add(&path) {
            self.sources.push(Source::Failed(path, one_line(&error)));
        }
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
            Source::Image(_) | Source::Failed(..) => Ok(1),
            Source::Tar(path) => tar::count(path),
            #[cfg(feature = "parquet")]
            Source::Parquet(path) => parquet::count(path),
        };
        self.sources.iter().try_fold(0_u64, |total, source| {
            Ok(total.saturating_add(count(source)?))
        })
    }

    /// Whether the file at `path` is one of the images, archives or lists.
    pub fn contain(&self, path: &Path) -> bool {
        let mut paths = self.sources.iter().filter_map(Source::path);
        path.is_file()
            && (paths.any(|source| is_same_file(source, path))
                || self
                    .list
                    .as_ref()
                    .is_some_and(|list| is_same_file(list, path)))
    }

    /// Returns the number of images, if it is known without reading archives.
    pub fn known_count(&self) -> Option<u64> {
        if let Some((start, end)) = self.range {
            return Some(end - start);
        }
        let is_image = |source: &Source| matches!(source, Source::Image(_) | Source::Failed(..));
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
                Source::Failed(path, reason) => {
                    unread.next();
                    let reason = ImageError::Read(std::io::Error::other(reason));
                    Box::new(std::iter::once(Input {
                        path: path.display().to_string(),
                        content: Content::Failed(reason),
                    }))
                }
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
