//! HTTP download of a published file.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::find_error::FindError;
use crate::atomic_file::AtomicFile;

/// Timeout of the connection and of each read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Length of the read buffer in bytes; `progress` is called once for each read.
const CHUNK: usize = 64 * 1024;

/// Downloads `url` to `path`, which appears once the whole file has arrived and its hash is
/// correct.
///
/// The SHA-256 of the file must start with the hexadecimal digits `sha256`; an empty string
/// disables the check. `progress` is called with the number of bytes received, and with the length
/// of the file if the server sent it.
///
/// # Errors
///
/// [`FindError`] if the server does not answer, closes the connection early or sends a file with
/// another hash, or if `path` cannot be written. `path` is then unchanged.
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
        .timeout_connect(Some(TIMEOUT))
        .timeout_per_read(Some(TIMEOUT))
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
    let mut file = AtomicFile::create(path).map_err(failed)?;
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
        file.write_all(&chunk[..len]).map_err(failed)?;
        hasher.update(&chunk[..len]);
        received += len as u64;
        progress(received, expected);
    }
    if expected.is_some_and(|expected| expected != received) {
        let reason = "the server closed the connection".to_owned();
        return Err(interrupted(received, reason));
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
    file.commit().map_err(failed)
}
