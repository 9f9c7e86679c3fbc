//! Finding the file of a published checkpoint: a given file, the cache, or a download.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::checkpoint::Checkpoint;
use super::find_error::{CACHE_VARIABLE, FindError};
use super::verified::verify;

/// Options of [`find`].
#[derive(Default)]
pub struct FindOptions<'a> {
    /// A weight file to use instead of the published one.
    pub file: Option<&'a Path>,
    /// The folder of downloaded files; [`cache_folder`] by default.
    pub cache: Option<&'a Path>,
    /// Whether to forbid downloads.
    pub offline: bool,
    /// Callback during a download: bytes received, and the length of the file if the server sent
    /// it.
    pub progress: Option<&'a mut dyn FnMut(u64, Option<u64>)>,
}

/// Returns the folder of downloaded weights: `RECEPTIVE_CACHE`, or `receptive` in the user's cache
/// folder (`~/.cache` on Linux).
///
/// # Errors
///
/// [`FindError::NoCacheFolder`] if neither is defined.
pub fn cache_folder() -> Result<PathBuf, FindError> {
    if let Some(folder) = std::env::var_os(CACHE_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| FindError::NoCacheFolder)?;
    Ok(strategy.cache_dir().join("receptive"))
}

/// Returns the path of the checkpoint's file.
///
/// The first of these is returned: the file in `options`, the file in the cache, a file downloaded
/// into the cache. A download is checked against [`Checkpoint::sha256`] before it appears in the
/// cache. A file that is already in the cache is checked when it is first used, and again whenever
/// its length or its time of modification has changed.
///
/// # Errors
///
/// [`FindError`] if the given file does not exist, if the file in the cache is damaged, or if it is
/// not in the cache and cannot be downloaded.
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
        verify(&cached, checkpoint.sha256)?;
        return Ok(cached);
    }
    if options.offline {
        return Err(FindError::Unavailable {
            url: checkpoint.url.to_owned(),
            cached,
            reason: "downloads are disabled".to_owned(),
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
