//! HTTP download of a published file.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::ResponseExt;
use ureq::http::Uri;

use super::find_error::FindError;
use crate::atomic_file::AtomicFile;
use crate::sha256::hex;

/// Timeout of the connection and of each read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Length of the read buffer in bytes; `progress` is called once for each read.
const CHUNK: usize = 64 * 1024;

/// Largest file that is downloaded, in bytes: 1 GiB, almost twice the largest published weights.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// Downloads `url` to `path`, which appears once the whole file has arrived and its hash is
/// correct.
///
/// The address and every address that the server redirects to must be https; plain http is accepted
/// from this machine only. The file may have up to 1 GiB. The SHA-256 of the file must start with the hexadecimal digits `sha256`; an empty string
/// disables the check. `progress` is called with the number of bytes received, and with the length
/// of the file if the server sent it.
///
/// # Errors
///
/// [`FindError`] if the server does not answer, closes the connection early or sends a file with
/// another hash or of more than 1 GiB, or if `path` cannot be written. `path` is then unchanged.
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
    let unavailable = |reason: String| FindError::Unavailable {
        url: url.to_owned(),
        cached: path.to_owned(),
        reason,
    };
    let too_large = || FindError::TooLarge {
        url: url.to_owned(),
        limit: MAX_BYTES,
    };
    let address: Uri = url
        .parse()
        .map_err(|_| unavailable("the address is invalid".to_owned()))?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(TIMEOUT))
        .timeout_per_read(Some(TIMEOUT))
        .https_only(!is_local(&address))
        .user_agent(concat!("receptive/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut response = agent.get(url).call().map_err(|error| {
        unavailable(match error {
            ureq::Error::RequireHttpsOnly(address) => not_https(&address),
            error => error.to_string(),
        })
    })?;
    let last = response.get_uri();
    if last.scheme_str() != Some("https") && !is_local(last) {
        return Err(unavailable(not_https(last)));
    }
    let expected = response.body().content_length();
    if expected.is_some_and(|expected| expected > MAX_BYTES) {
        return Err(too_large());
    }

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
        received += len as u64;
        if received > MAX_BYTES {
            return Err(too_large());
        }
        file.write_all(&chunk[..len]).map_err(failed)?;
        hasher.update(&chunk[..len]);
        progress(received, expected);
    }
    if expected.is_some_and(|expected| expected != received) {
        let reason = "the server closed the connection".to_owned();
        return Err(interrupted(received, reason));
    }

    let found = hex(&hasher.finalize());
    if !found.starts_with(&sha256.to_ascii_lowercase()) {
        return Err(FindError::Hash {
            url: url.to_owned(),
            expected: sha256.to_owned(),
            found,
        });
    }
    file.commit().map_err(failed)
}

/// Whether the server is on this machine.
fn is_local(address: &Uri) -> bool {
    matches!(address.host(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

fn not_https(address: &dyn std::fmt::Display) -> String {
    format!("the address {address} is not https")
}
