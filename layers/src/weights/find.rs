//! Where the file of a published checkpoint is: given, cached, or fetched.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::checkpoint::Checkpoint;

/// The environment variable that names the cache folder.
const CACHE_VARIABLE: &str = "RECEPTIVE_CACHE";

/// Where to look for a checkpoint, and what to say meanwhile.
#[derive(Default)]
pub struct FindOptions<'a> {
    /// A file to take as it is; nothing else is looked at.
    pub file: Option<&'a Path>,
    /// The folder of downloaded files; [`cache_folder`] otherwise.
    pub cache: Option<&'a Path>,
    /// Whether to do without the network.
    pub offline: bool,
    /// Called as a download goes on with the bytes so far, and in all if the server says.
    pub progress: Option<&'a mut dyn FnMut(u64, Option<u64>)>,
}

/// Why a checkpoint was not found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The file given is not there.
    #[error("there is no weight file {}", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The system has no place for caches.
    #[error("no cache folder: set {CACHE_VARIABLE}, or HOME")]
    NoCacheFolder,
    /// The cache could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The checkpoint is not in the cache and could not be fetched.
    #[error(
        "cannot download {url}: {reason}. Fetch it elsewhere and save it as {}, or give the path \
         of a weight file",
        cached.display()
    )]
    Unavailable {
        /// The address.
        url: String,
        /// Where the cache would have it.
        cached: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// The connection ended before the file did.
    #[error(
        "the download of {url} broke off after {received} bytes{}: {reason}",
        expected.map_or(String::new(), |expected| format!(" of {expected}"))
    )]
    Interrupted {
        /// The address.
        url: String,
        /// Bytes that arrived.
        received: u64,
        /// Bytes that the server announced.
        expected: Option<u64>,
        /// How it ended.
        reason: String,
    },
    /// The file is not the one that was published.
    #[error("{url} has the SHA-256 {found}, expected {expected}; the file was removed")]
    Hash {
        /// The address.
        url: String,
        /// The digits published, all or the first.
        expected: String,
        /// All digits of what arrived.
        found: String,
    },
}

/// The folder of downloaded weights: `RECEPTIVE_CACHE`, or `receptive` in the user's cache folder
/// (`~/.cache` on Linux).
///
/// # Errors
///
/// [`FindError::NoCacheFolder`] where the system says neither.
pub fn cache_folder() -> Result<PathBuf, FindError> {
    if let Some(folder) = std::env::var_os(CACHE_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| FindError::NoCacheFolder)?;
    Ok(strategy.cache_dir().join("receptive"))
}

/// The path of the checkpoint's file: the one given, the one in the cache, or the one that is
/// downloaded into it, in this order.
///
/// A download is checked against [`Checkpoint::sha256`] before it appears in the cache; a file
/// that is there is not checked again.
///
/// # Errors
///
/// [`FindError`] says what is in the way and, where another file would help, how to give one.
pub fn find(checkpoint: &Checkpoint, options: FindOptions<'_>) -> Result<PathBuf, FindError> {
    if let Some(file) = options.file {
        return if file.is_file() {
            Ok(file.to_owned())
        } else {
            Err(FindError::NoFile {
                path: file.to_owned(),
            })
        };
    }
    let folder = match options.cache {
        Some(folder) => folder.to_owned(),
        None => cache_folder()?,
    };
    let cached = folder.join(checkpoint.cache_name());
    if cached.is_file() {
        return Ok(cached);
    }
    if options.offline {
        return Err(FindError::Unavailable {
            url: checkpoint.url.to_owned(),
            cached,
            reason: "downloads are off".to_owned(),
        });
    }
    fetch(checkpoint, &cached, options.progress)?;
    Ok(cached)
}

#[cfg(feature = "download")]
fn fetch(
    checkpoint: &Checkpoint,
    cached: &Path,
    progress: Option<&mut dyn FnMut(u64, Option<u64>)>,
) -> Result<(), FindError> {
    let mut silent = |_: u64, _: Option<u64>| {};
    let progress = progress.unwrap_or(&mut silent);
    super::download::download(checkpoint.url, checkpoint.sha256, cached, progress)
}

#[cfg(not(feature = "download"))]
fn fetch(
    checkpoint: &Checkpoint,
    cached: &Path,
    _progress: Option<&mut dyn FnMut(u64, Option<u64>)>,
) -> Result<(), FindError> {
    Err(FindError::Unavailable {
        url: checkpoint.url.to_owned(),
        cached: cached.to_owned(),
        reason: "this program was built without the feature `download`".to_owned(),
    })
}
