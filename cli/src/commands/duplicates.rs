//! `receptive duplicates`: groups of near-duplicates in a set of vectors.

use std::io::Write;
use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;
use receptive_layers::vectors;

use crate::args::{DuplicatesArgs, GroupFormat};
use crate::device;
use crate::error::{CliError, print_note};
use crate::groups::{self, Group, Member};
use crate::progress::share_bar;
use crate::rows::paths_file;
use crate::same_file::is_same_file;
use crate::vector_file::ImageVectors;

/// Finds the groups of near-duplicates and prints or writes them.
///
/// # Errors
///
/// [`CliError`] when the vectors cannot be read or the groups cannot be written.
pub fn run(args: &DuplicatesArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let format = format(args)?;
    let inputs = [args.vectors.clone(), paths_file(&args.vectors)];
    if let Some(path) = &args.output
        && inputs.iter().any(|input| is_same_file(input, path))
    {
        return Err(CliError::OutputIsInput { path: path.clone() });
    }
    let images = ImageVectors::open(&args.vectors)?;
    images.print_left_out(&args.vectors);
    let bar = share_bar(images.paths.len() > 10_000);
    let device = device::cpu()?;
    let pairs = images
        .vectors
        .similar_pairs(args.threshold, &device, |share| {
            bar.set_position((share * 1000.0) as u64)
        })
        .map_err(CliError::Compute)?;
    bar.finish_and_clear();
    let member = |first: usize, index: usize| {
        let set = &images.vectors;
        Member {
            path: &images.paths[index],
            similarity: vectors::cosine(set.vector(first), set.vector(index)),
        }
    };
    let groups: Vec<Group> = vectors::groups(images.paths.len(), &pairs)
        .iter()
        .map(|group| Group {
            images: group.iter().map(|&index| member(group[0], index)).collect(),
        })
        .collect();
    print_note(&format!(
        "near-duplicates: {} of {} images, in groups: {}",
        groups.iter().map(|group| group.images.len()).sum::<usize>(),
        images.paths.len(),
        groups.len()
    ));
    match &args.output {
        None => groups::write(&groups, format, args.threshold, out)?,
        Some(path) => {
            let failed = |source| CliError::Rows {
                path: path.clone(),
                source,
            };
            let mut content = Vec::new();
            groups::write(&groups, format, args.threshold, &mut content)?;
            AtomicFile::write(path, &content).map_err(failed)?;
        }
    }
    Ok(())
}

/// Returns the given format, or else that of the extension of the file.
fn format(args: &DuplicatesArgs) -> Result<GroupFormat, CliError> {
    let extension = |path: &Path| path.extension().map(|name| name.to_ascii_lowercase());
    let Some(path) = args.output.as_ref().filter(|_| args.format.is_none()) else {
        return Ok(args.format.unwrap_or(GroupFormat::Text));
    };
    match extension(path).as_ref().and_then(|name| name.to_str()) {
        Some("txt") => Ok(GroupFormat::Text),
        Some("json") => Ok(GroupFormat::Json),
        Some("csv") => Ok(GroupFormat::Csv),
        Some("html" | "htm") => Ok(GroupFormat::Html),
        _ => Err(CliError::GroupFormat { path: path.clone() }),
    }
}
