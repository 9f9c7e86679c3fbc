//! File format of a compiled network.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic number |
//! | 4 | format version |
//! | 4 | length of the header, in bytes |
//! | | header as JSON: metadata, names of the outputs, program and costs; spaces up to the next multiple of 64 bytes |
//! | | packed weights, in 32-bit words |
//! | 32 | SHA-256 of all preceding bytes |
//!
//! Numbers are little-endian.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use receptive_kernels::cpu::Buffer;
use receptive_kernels::plan::{Plan, Program, ProgramError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::compiled::Compiled;
use super::error::{CompileError, FileError};
use super::lower::StepCost;
use super::threads;
use crate::atomic_file::AtomicFile;
use crate::bounded_file;
use crate::metadata::Metadata;
use crate::sha256::hex;

const MAGIC: &[u8; 8] = b"\x89receptv";
const VERSION: u32 = 10;
/// Bytes of the magic number, the version and the header's length.
const PREFIX: usize = 16;
/// Bytes of a SHA-256 digest.
const DIGEST: usize = 32;
/// Alignment of the weights in the file, in bytes.
const ALIGNMENT: usize = 64;
/// Largest header, in bytes: some fifty times that of ResNet-152.
const MAX_HEADER: usize = 16 << 20;
/// Most memory that a run of a plan from a file takes, in bytes, without the weights: 8 GiB.
const MAX_RUN_BYTES: u64 = 8 << 30;
/// Bytes per read or write of the weights.
const CHUNK: usize = 1 << 20;

#[derive(Serialize)]
struct HeaderRef<'a> {
    metadata: &'a Metadata,
    output_names: &'a [String],
    program: &'a Program,
    steps: &'a [StepCost],
}

#[derive(Deserialize)]
struct Header {
    metadata: Metadata,
    output_names: Vec<String>,
    program: Program,
    steps: Vec<StepCost>,
}

impl Compiled {
    /// Whether the file at `path` starts with the magic number that [`save`](Self::save) writes.
    pub fn is_file(path: impl AsRef<Path>) -> bool {
        let mut magic = [0; MAGIC.len()];
        let path = path.as_ref();
        let read = bounded_file::check_regular(path)
            .and_then(|()| File::open(path))
            .and_then(|mut file| file.read_exact(&mut magic));
        read.is_ok() && magic == *MAGIC
    }

    /// Writes the compiled network to `path` atomically: after an error, no partial file exists.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`] if the file cannot be written, [`CompileError::Program`] if a run of the
    /// batch takes more than 8 GiB, which [`load`](Self::load) refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CompileError> {
        let path = path.as_ref();
        let (bytes, limit) = (self.plan.run_bytes(), max_run_bytes());
        if bytes > limit {
            return Err(ProgramError::Limit { bytes, limit }.into());
        }
        Ok(self.write(path).map_err(|source| io_error(path, source))?)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut header = serde_json::to_vec(&HeaderRef {
            metadata: &self.metadata,
            output_names: &self.output_names,
            program: self.plan.program(),
            steps: &self.steps,
        })?;
        let end = (PREFIX + header.len()).next_multiple_of(ALIGNMENT);
        header.resize(end - PREFIX, b' ');
        let len = u32::try_from(header.len()).map_err(io::Error::other)?;

        let mut file = AtomicFile::create(path)?;
        let mut digest = Sha256::new();
        let mut put = |bytes: &[u8]| -> io::Result<()> {
            digest.update(bytes);
            file.write_all(bytes)
        };
        put(MAGIC)?;
        put(&VERSION.to_le_bytes())?;
        put(&len.to_le_bytes())?;
        put(&header)?;
        for chunk in self.plan.weights().chunks(CHUNK / 4) {
            if cfg!(target_endian = "little") {
                put(bytemuck::cast_slice(chunk))?;
            } else {
                let bytes: Vec<u8> = chunk.iter().flat_map(|x| x.to_le_bytes()).collect();
                put(&bytes)?;
            }
        }
        file.write_all(&digest.finalize())?;
        file.commit()
    }

    /// Reads a file that [`save`](Self::save) wrote. `threads` has the meaning of
    /// [`Options::threads`](super::Options::threads).
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be read, is not a compiled network, has another format
    /// version or is corrupt, or if the machine does not support its instruction set.
    /// [`CompileError::Program`] if its program is invalid, takes more than 8 GiB of memory without
    /// the weights, or asks for memory that it does not use.
    pub fn load(path: impl AsRef<Path>, threads: Option<usize>) -> Result<Self, CompileError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        let found = file
            .metadata()
            .map_err(|source| io_error(path, source))?
            .len();
        let mut reader = Reader {
            path,
            file,
            digest: Sha256::new(),
        };
        let header_len = reader.prefix(found)?;
        let mut bytes = vec![0; header_len];
        reader.read(&mut bytes)?;
        let header = match serde_json::from_slice::<Header>(&bytes) {
            Ok(header) => header,
            Err(error) => return Err(reader.header_error(found, header_len, &error)?.into()),
        };
        let Header {
            metadata,
            output_names,
            program,
            steps,
        } = header;
        let expected = (program.weights as u64)
            .saturating_mul(4)
            .saturating_add((PREFIX + header_len + DIGEST) as u64);
        if found != expected {
            return Err(reader.length_error(found, expected).into());
        }
        if !program.isa.is_available() {
            return Err(FileError::Isa {
                path: path.to_owned(),
                isa: program.isa,
            }
            .into());
        }
        let mut weights = Buffer::try_zeroed(program.weights).ok_or(ProgramError::Memory {
            elements: program.weights,
        })?;
        for chunk in weights.chunks_mut(CHUNK / 4) {
            reader.read(bytemuck::cast_slice_mut(chunk))?;
            if cfg!(target_endian = "big") {
                for x in chunk {
                    *x = f32::from_bits(x.to_bits().swap_bytes());
                }
            }
        }
        reader.check()?;
        if let Err(error) = metadata.validate() {
            return Err(FileError::Header {
                path: path.to_owned(),
                reason: error.to_string(),
            }
            .into());
        }
        if steps.len() != program.steps.len() {
            return Err(FileError::Header {
                path: path.to_owned(),
                reason: format!(
                    "costs of {} steps, expected {}",
                    steps.len(),
                    program.steps.len()
                ),
            }
            .into());
        }
        if output_names.len() != program.outputs.len() {
            return Err(FileError::Header {
                path: path.to_owned(),
                reason: format!(
                    "names of {} outputs, expected {}",
                    output_names.len(),
                    program.outputs.len()
                ),
            }
            .into());
        }
        let total = steps.iter().map(|step| step.multiply_adds);
        let total = total.fold(0, u64::saturating_add);
        let per_image = total / program.images.max(1) as u64;
        let threads = threads::threads(threads, per_image);
        Ok(Self {
            plan: Plan::untrusted(program, weights, threads, max_run_bytes())?,
            metadata,
            output_names: output_names.into(),
            steps,
        })
    }
}

fn max_run_bytes() -> usize {
    usize::try_from(MAX_RUN_BYTES).unwrap_or(usize::MAX)
}

/// Reads a file and computes the digest of its content.
struct Reader<'a> {
    path: &'a Path,
    file: File,
    /// Digest of all bytes read.
    digest: Sha256,
}

impl Reader<'_> {
    /// Reads and checks the prefix of a file of `found` bytes, and returns the length of the
    /// header.
    fn prefix(&mut self, found: u64) -> Result<usize, FileError> {
        let mut prefix = [0; PREFIX];
        let available = usize::try_from(found).map_or(PREFIX, |found| found.min(PREFIX));
        self.read(&mut prefix[..available])?;
        let magic = available.min(MAGIC.len());
        if available == 0 || prefix[..magic] != MAGIC[..magic] {
            return Err(FileError::NotCompiled {
                path: self.path.to_owned(),
            });
        }
        if available < PREFIX {
            return Err(self.length_error(found, (PREFIX + DIGEST) as u64));
        }
        let number = |at: usize| {
            let bytes = prefix[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes)
        };
        let (version, len) = (number(8), number(12));
        if version != VERSION {
            return Err(FileError::Version {
                path: self.path.to_owned(),
                found: version,
                expected: VERSION,
            });
        }
        let least = u64::from(len) + (PREFIX + DIGEST) as u64;
        if found < least {
            return Err(self.length_error(found, least));
        }
        match usize::try_from(len) {
            Ok(len) if len <= MAX_HEADER => Ok(len),
            _ => Err(FileError::Header {
                path: self.path.to_owned(),
                reason: format!(
                    "its length is {len} bytes, expected at most {} MiB",
                    MAX_HEADER >> 20
                ),
            }),
        }
    }

    /// Fills `bytes` from the file.
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        let read = self.file.read_exact(bytes);
        read.map_err(|source| io_error(self.path, source))?;
        self.digest.update(bytes);
        Ok(())
    }

    /// Compares the digest of the content with the digest at the end of the file.
    fn check(&mut self) -> Result<(), FileError> {
        let found = hex(&std::mem::take(&mut self.digest).finalize());
        let mut expected = [0; DIGEST];
        self.read(&mut expected)?;
        let expected = hex(&expected);
        if found == expected {
            return Ok(());
        }
        Err(FileError::Checksum {
            path: self.path.to_owned(),
            found,
            expected,
        })
    }

    /// Returns the error of a header that cannot be parsed: a wrong checksum of the file, or
    /// otherwise the parser's `error`.
    fn header_error(
        &mut self,
        found: u64,
        header_len: usize,
        error: &serde_json::Error,
    ) -> Result<FileError, FileError> {
        let mut remaining = found - (PREFIX + header_len + DIGEST) as u64;
        let mut bytes = vec![0; CHUNK];
        while remaining > 0 {
            let len = usize::try_from(remaining).map_or(CHUNK, |len| len.min(CHUNK));
            self.read(&mut bytes[..len])?;
            remaining -= len as u64;
        }
        self.check()?;
        Ok(FileError::Header {
            path: self.path.to_owned(),
            reason: error.to_string(),
        })
    }

    fn length_error(&self, found: u64, expected: u64) -> FileError {
        FileError::Length {
            path: self.path.to_owned(),
            found,
            expected,
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> FileError {
    FileError::Io {
        path: path.to_owned(),
        source,
    }
}
