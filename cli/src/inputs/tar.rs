//! Images in tar archives, such as the shards of a WebDataset.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use flate2::bufread::MultiGzDecoder;
use receptive_layers::image::{self, ImageError};
use tar::{Archive, Entry, EntryType};

use super::input::{Content, Input, Unread};
use crate::error::CliError;

/// Images that are read ahead of the decoders.
const READ_AHEAD: usize = 4;

/// Size of the largest image in an archive, in bytes. Several images are in memory at a time.
const MAX_ENTRY: u64 = 64 << 20;

/// Bytes that are read from an archive at once.
const BUFFER: usize = 1 << 18;

/// Returns the images in the archive at `path`, in the order of the archive: its regular files with the
/// extension of an image whose names do not start with a dot. If the archive cannot be read, the last
/// image is the error.
pub fn images(path: PathBuf, unread: Unread) -> impl Iterator<Item = Input> + Send {
    let (sender, images) = sync_channel(READ_AHEAD);
    thread::spawn(move || {
        let archive = path.display().to_string();
        let read = || open(&path).and_then(|file| send(file, &archive, &unread, &sender));
        let result = catch_unwind(AssertUnwindSafe(read));
        let result = result.unwrap_or_else(|_| Err(io::Error::other("the archive is damaged")));
        if let Err(error) = result {
            unread.next();
            // An error means that nobody waits for the images.
            let _ = sender.send(Input {
                path: archive,
                content: Content::Failed(ImageError::Read(error)),
            });
        }
    });
    images.into_iter()
}

/// Counts the images in the archive at `path`.
///
/// # Errors
///
/// [`CliError::Archive`] if the archive cannot be read.
pub fn count(path: &Path) -> Result<u64, CliError> {
    let count = || {
        let mut count = 0;
        for entry in Archive::new(open(path)?).entries()? {
            count += u64::from(image_name(&entry?).is_some());
        }
        // An archive without images is an error, which is a row.
        Ok(count.max(1))
    };
    count().map_err(|source: io::Error| CliError::Archive {
        path: path.to_owned(),
        source,
    })
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    Ok(match file.fill_buf()?.starts_with(b"\x1f\x8b") {
        true => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
        false => Box::new(file),
    })
}

/// Sends the images in `file` until nobody waits for them.
fn send(
    file: Box<dyn Read>,
    archive: &str,
    unread: &Unread,
    images: &SyncSender<Input>,
) -> io::Result<()> {
    let (mut is_empty, mut is_first) = (true, true);
    let mut archive_file = Archive::new(file);
    for entry in archive_file.entries()? {
        let mut entry = match entry {
            // The library's reason contains bytes of the file.
            Err(_) if is_first => return Err(io::Error::other("the file is not a tar archive")),
            entry => entry?,
        };
        is_first = false;
        let Some(name) = image_name(&entry) else {
            continue;
        };
        is_empty = false;
        let content = if unread.next() {
            Content::Skipped
        } else if entry.size() > MAX_ENTRY {
            Content::Failed(ImageError::Read(io::Error::other(
                "the file is larger than the limit of 64 MiB for images in archives",
            )))
        } else {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if (bytes.len() as u64) < entry.size() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Content::Bytes(bytes)
        };
        let path = format!("{archive}/{name}");
        if images.send(Input { path, content }).is_err() {
            return Ok(());
        }
    }
    // The checksum of a compressed file is at its end.
    io::copy(&mut archive_file.into_inner(), &mut io::sink())?;
    if is_empty {
        return Err(io::Error::other("the archive contains no image"));
    }
    Ok(())
}

/// Returns the path of an image in its archive, or `None` for other entries.
fn image_name<R: Read>(entry: &Entry<'_, R>) -> Option<String> {
    let kind = entry.header().entry_type();
    if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
        return None;
    }
    let path = entry.path().ok()?;
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    if path.file_name().is_none_or(is_hidden) || !image::has_image_extension(&path) {
        return None;
    }
    let name = path.to_string_lossy();
    Some(name.strip_prefix("./").unwrap_or(&name).to_owned())
}
