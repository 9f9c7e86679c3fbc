//! Elements of tensors in other files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use prost::bytes::Bytes;
use receptive_layers::bounded_file::check_regular;

use super::elements;
use crate::proto::TensorProto;

/// The folder with the files of elements.
pub struct ExternalData {
    /// Folder of the model's file, and of the file that a link to it names; none for a model without a file.
    folders: Vec<PathBuf>,
    files: HashMap<PathBuf, OpenFile>,
}

struct OpenFile {
    file: File,
    length: u64,
    /// Bytes that can still be read: damaged files could state the same bytes as those of many tensors.
    budget: u64,
}

impl ExternalData {
    /// The files beside the model's file `path`, or none.
    pub fn new(path: Option<&Path>) -> Self {
        let folder = |path: &Path| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            folder.unwrap_or(Path::new(".")).canonicalize().ok()
        };
        let target = path.and_then(|path| path.canonicalize().ok());
        let folders = [path.and_then(folder), target.as_deref().and_then(folder)];
        Self {
            folders: folders.into_iter().flatten().collect(),
            files: HashMap::new(),
        }
    }

    /// Reads the elements of `tensor`.
    ///
    /// # Errors
    ///
    /// A text with the reason.
    pub fn read(&mut self, tensor: &TensorProto) -> Result<Bytes, String> {
        let entry = |key: &str| {
            let entry = tensor.external_data.iter().find(|entry| entry.key == key);
            entry.map(|entry| entry.value.as_str())
        };
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => match text.parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{key} is \"{text}\", expected a number")),
            },
        };
        let location = entry("location").ok_or("the location is missing")?;
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        let fault = |fault: elements::TensorFault| format!("it has {fault}");
        let (_, count) = elements::shape(tensor).map_err(fault)?;
        let data_type = elements::data_type(tensor.data_type).map_err(fault)?;
        let expected = (count * elements::size(data_type).map_err(fault)?) as u64;
        if length.is_some_and(|length| length != expected) {
            return Err(format!(
                "length is {}, expected {expected} bytes for {count} elements",
                length.unwrap_or(0)
            ));
        }
        let file = self.open(location)?;
        if offset
            .checked_add(expected)
            .is_none_or(|end| end > file.length)
        {
            return Err(format!(
                "{location} has {} bytes, expected {expected} bytes at {offset}",
                file.length
            ));
        }
        let Some(budget) = file.budget.checked_sub(expected) else {
            return Err(format!(
                "the bytes of {location} are those of several tensors"
            ));
        };
        file.budget = budget;
        let mut bytes = vec![0; expected as usize];
        let read = file.file.seek(SeekFrom::Start(offset));
        let read = read.and_then(|_| file.file.read_exact(&mut bytes));
        read.map_err(|error| format!("{location}: {error}"))?;
        Ok(bytes.into())
    }

    /// Opens the file `location`, relative to the model's folder.
    fn open(&mut self, location: &str) -> Result<&mut OpenFile, String> {
        let path = self.locate(location)?;
        match self.files.entry(path) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let failed = |error: std::io::Error| format!("{location}: {error}");
                let path = entry.key();
                check_regular(path).map_err(failed)?;
                let file = File::open(path).map_err(failed)?;
                let length = file.metadata().map_err(failed)?.len();
                Ok(entry.insert(OpenFile {
                    file,
                    length,
                    budget: length.saturating_mul(2),
                }))
            }
        }
    }

    /// Returns the path of the file `location` without links.
    fn locate(&self, location: &str) -> Result<PathBuf, String> {
        let Some(folder) = self.folders.first() else {
            return Err(format!("{location}: the model is not read from a file"));
        };
        let is_inside = Path::new(location)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !is_inside {
            return Err(format!(
                "the location is \"{location}\", expected a path inside the model's folder"
            ));
        }
        let path = folder.join(location).canonicalize();
        let path = path.map_err(|error| format!("{location}: {error}"))?;
        match self.folders.iter().any(|folder| path.starts_with(folder)) {
            true => Ok(path),
            false => Err(format!(
                "{location} is a link to a file outside of the model's folder"
            )),
        }
    }
}
