//! Memory limits of the pickles in a PyTorch checkpoint, checked before the checkpoint is read.
//!
//! A pickle can fetch one long name from its memo a million times, so that a file of 500 bytes takes
//! gigabytes. The scan runs the pickle's opcodes on the sizes of values instead of on values. It
//! stops without an error at an opcode that it cannot run, because the reader stops there as well
//! and says why.

mod scan;
mod stop;
mod value;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use crate::weights::error::WeightsError;
use crate::weights::format::Format;
use scan::{MAX_PICKLE, array, scan};
use stop::Stop;
use value::{Kind, Small};

/// Most pickles of a legacy file: magic number, protocol, system, checkpoint, keys of the storages.
const LEGACY_PICKLES: usize = 5;

/// Entries of a tar archive that are read.
const TAR_ENTRIES: [&str; 4] = ["sys_info", "pickle", "tensors", "storages"];

/// Checks the pickles in the checkpoint at `path`.
///
/// # Errors
///
/// [`WeightsError::Corrupt`] when a pickle takes more memory than the limits; errors name `name`.
pub(super) fn check(path: &Path, name: &Path) -> Result<(), WeightsError> {
    match scan_file(path) {
        Err(Stop::Limit(reason)) => Err(WeightsError::corrupt(name, Format::PyTorch, reason)),
        Ok(()) | Err(Stop::Unreadable) => Ok(()),
    }
}

fn scan_file(path: &Path) -> Result<(), Stop> {
    let mut start = Vec::new();
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    (&file)
        .take(Format::DETECTION_LEN as u64)
        .read_to_end(&mut start)?;
    if start.starts_with(b"PK") {
        scan_zip(path)
    } else if Format::is_tar(&start) {
        scan_tar(path, len)
    } else {
        let mut reader = BufReader::new(File::open(path)?);
        (0..LEGACY_PICKLES).try_for_each(|_| scan(&mut reader).map(drop))
    }
}

/// Scans every pickle of a zip archive; the reader reads one of them.
fn scan_zip(path: &Path) -> Result<(), Stop> {
    let mut archive =
        ZipArchive::new(BufReader::new(File::open(path)?)).map_err(|_| Stop::Unreadable)?;
    for index in 0..archive.len() {
        // The reader may never read an entry that cannot be opened.
        let Ok(entry) = archive.by_index(index) else {
            continue;
        };
        if entry.name().is_ok_and(|name| name.ends_with(".pkl")) {
            let pickle = scan(&mut BufReader::new(entry.take(MAX_PICKLE)));
            within_limits(pickle.map(drop))?;
        }
    }
    Ok(())
}

/// Returns only the error of a limit: the scan goes on with the next entry of an archive.
fn within_limits(scanned: Result<(), Stop>) -> Result<(), Stop> {
    match scanned {
        Err(Stop::Unreadable) => Ok(()),
        scanned => scanned,
    }
}

/// Scans the entries of a tar archive of `len` bytes.
fn scan_tar(path: &Path, len: u64) -> Result<(), Stop> {
    let mut archive = tar::Archive::new(BufReader::new(File::open(path)?));
    for entry in archive.entries()? {
        let entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let name = name.trim_start_matches("./");
        if !TAR_ENTRIES.contains(&name) {
            continue;
        }
        // A sparse entry is longer than its archive.
        if entry.size() > len {
            return Err(Stop::Limit(format!(
                "its entry {name} has {} bytes in a file of {len} bytes",
                entry.size()
            )));
        }
        let mut reader = BufReader::new(entry);
        within_limits(match name {
            "tensors" => scan_table(&mut reader, |reader, _| {
                let rank = u64::from(u32::from_le_bytes(array(reader)?));
                Ok(4 + 8 * (2 * rank + 1))
            }),
            "storages" => scan_table(&mut reader, |reader, fields| {
                let Small::Class(size) = fields[2] else {
                    return Err(unknown_table());
                };
                let elements = u64::from_le_bytes(array(reader)?);
                Ok(elements.saturating_mul(u64::from(size)))
            })
            .and_then(|()| scan(&mut reader).map(drop)),
            _ => scan(&mut reader).map(drop),
        })?;
    }
    Ok(())
}

/// Scans a table of a tar archive: a count, and for each row a tuple of three fields and binary
/// data, whose remaining length `skip` returns.
fn scan_table<R: BufRead>(
    reader: &mut R,
    skip: impl Fn(&mut R, [Small; 3]) -> Result<u64, Stop>,
) -> Result<(), Stop> {
    let Kind::Small(Small::Int(count)) = scan(reader)?.kind else {
        return Err(unknown_table());
    };
    for _ in 0..count {
        let Kind::Three(fields) = scan(reader)?.kind else {
            return Err(unknown_table());
        };
        let length = skip(reader, fields)?;
        if io::copy(&mut reader.by_ref().take(length), &mut io::sink())? < length {
            return Err(Stop::Unreadable);
        }
    }
    Ok(())
}

/// The reader may understand a table that the scan does not, which is then refused.
fn unknown_table() -> Stop {
    Stop::Limit("a table of its tar archive is not one of PyTorch's".to_owned())
}
