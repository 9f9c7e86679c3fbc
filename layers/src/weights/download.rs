//! A published file over HTTP into the cache.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::atomic;
use super::find::FindError;

/// How long a server may keep silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes between two calls of the progress.
const CHUNK: usize = 64 * 1024;

/// Fetches `url` to `path`, which appears once every byte is there and hashes to `sha256`, as far
/// as its digits go; `progress` is called with the bytes so far, and in all if the server says.
///
/// # Errors
///
/// [`FindError`] when the server does not answer, breaks off or sends another file, or when `path`
/// cannot be written; nothing is there then.
pub fn download(
    url: &str,
    sha256: &str,
    path: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), FindError> {
    let failed = |source| FindError::Cache {
        path: path.to_owned(),
        source,
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .user_agent(concat!("receptive/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut response = agent
        .get(url)
        .call()
        .map_err(|error| FindError::Unavailable {
            url: url.to_owned(),
            cached: path.to_owned(),
            reason: error.to_string(),
        })?;
    let expected = response.body().content_length();

    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut scratch = atomic::scratch_beside(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut received = 0;
    let mut body = response.body_mut().as_reader();
    let mut chunk = vec![0; CHUNK];
    let interrupted = |received: u64, reason: String| FindError::Interrupted {
        url: url.to_owned(),
        received,
        expected,
        reason,
    };
    progress(received, expected);
    loop {
        let len = body
            .read(&mut chunk)
            .map_err(|error| interrupted(received, error.to_string()))?;
        if len == 0 {
            break;
        }
        scratch.write_all(&chunk[..len]).map_err(failed)?;
        hasher.update(&chunk[..len]);
        received += len as u64;
        progress(received, expected);
    }
    if expected.is_some_and(|expected| expected != received) {
        return Err(interrupted(received, "the server closed it".to_owned()));
    }

    let found: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if !found.starts_with(&sha256.to_ascii_lowercase()) {
        return Err(FindError::Hash {
            url: url.to_owned(),
            expected: sha256.to_owned(),
            found,
        });
    }
    atomic::publish(scratch, path).map_err(failed)
}
