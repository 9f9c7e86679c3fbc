//! Comparison of files by identity.

use std::path::Path;

use crate::error::CliError;

/// Checks that `output` is none of the `inputs` of a command.
///
/// # Errors
///
/// [`CliError::OutputIsInput`].
pub fn check_output<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), CliError> {
    match inputs.into_iter().any(|input| is_same_file(input, output)) {
        true => Err(CliError::OutputIsInput {
            path: output.to_owned(),
        }),
        false => Ok(()),
    }
}

/// Whether both paths lead to the same existing file.
#[cfg(unix)]
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |path: &Path| std::fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((id(a), id(b)), (Ok(a), Ok(b)) if a == b)
}

/// Whether both paths lead to the same existing file.
#[cfg(not(unix))]
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
