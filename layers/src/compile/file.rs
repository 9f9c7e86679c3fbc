//! A compiled network in a file.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the magic number |
//! | 4 | the version |
//! | 4 | the header's length |
//! | | the header: name, program and costs as JSON, and spaces up to a multiple of 64 bytes |
//! | | the packed weights, in words of 32 bits |
//! | 32 | the SHA-256 of all before |
//!
//! Numbers are little-endian.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use receptive_kernels::cpu::Buffer;
use receptive_kernels::plan::{Plan, Program};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::compiled::Compiled;
use super::error::{CompileError, FileError};
use super::lower::StepCost;
use super::threads;
use crate::atomic_file::AtomicFile;

const MAGIC: &[u8; 8] = b"\x89receptv";
const VERSION: u32 = 8;
/// Magic number, version, length.
const PREFIX: usize = 16;
const DIGEST: usize = 32;
/// Where the weights begin is a multiple of this.
const ALIGNMENT: usize = 64;
/// Bytes that are read or written at once.
const CHUNK: usize = 1 << 20;

#[derive(Serialize)]
struct HeaderRef<'a> {
    name: &'a str,
    program: &'a Program,
    steps: &'a [StepCost],
}

#[derive(Deserialize)]
struct Header {
    name: String,
    program: Program,
    steps: Vec<StepCost>,
}

impl Compiled {
    /// Whether the file at `path` begins as those that [`save`](Self::save) writes.
    pub fn is_file(path: impl AsRef<Path>) -> bool {
        let mut magic = [0; MAGIC.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
        read.is_ok() && magic == *MAGIC
    }

    /// Writes it to `path`: whole, or not at all.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CompileError> {
        let path = path.as_ref();
        Ok(self.write(path).map_err(|source| io_error(path, source))?)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut header = serde_json::to_vec(&HeaderRef {
            name: &self.name,
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

    /// Reads what [`save`](Self::save) wrote, for as many threads as
    /// [`Options::threads`](super::Options::threads) says.
    ///
    /// # Errors
    ///
    /// [`FileError`] when there is no such file, it is another file or of another version, it is damaged, or
    /// this machine lacks the instruction set that it is packed for.
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
            Err(error) => return Err(reader.damaged(found, header_len, &error)?.into()),
        };
        let Header {
            name,
            program,
            steps,
        } = header;
        let expected = (program.weights as u64)
            .saturating_mul(4)
            .saturating_add((PREFIX + header_len + DIGEST) as u64);
        if found != expected {
            return Err(reader.length(found, expected).into());
        }
        if !program.isa.is_available() {
            return Err(FileError::Isa {
                path: path.to_owned(),
                isa: program.isa,
            }
            .into());
        }
        let mut weights = Buffer::zeroed(program.weights);
        for chunk in weights.chunks_mut(CHUNK / 4) {
            reader.read(bytemuck::cast_slice_mut(chunk))?;
            if cfg!(target_endian = "big") {
                for x in chunk {
                    *x = f32::from_bits(x.to_bits().swap_bytes());
                }
            }
        }
        reader.check()?;
        if steps.len() != program.steps.len() {
            return Err(FileError::Header {
                path: path.to_owned(),
                reason: format!(
                    "the costs of {} steps, expected {}",
                    steps.len(),
                    program.steps.len()
                ),
            }
            .into());
        }
        let all: u64 = steps.iter().map(|step| step.multiply_adds).sum();
        let image = all / program.images.max(1) as u64;
        let threads = threads::threads(threads, image);
        Ok(Self {
            plan: Plan::new(program, weights, threads)?,
            name,
            steps,
        })
    }
}

struct Reader<'a> {
    path: &'a Path,
    file: File,
    /// Of all that was read.
    digest: Sha256,
}

impl Reader<'_> {
    /// The header's length, of a file of `found` bytes.
    fn prefix(&mut self, found: u64) -> Result<usize, FileError> {
        let mut prefix = [0; PREFIX];
        let there = usize::try_from(found).map_or(PREFIX, |found| found.min(PREFIX));
        self.read(&mut prefix[..there])?;
        let magic = there.min(MAGIC.len());
        if there == 0 || prefix[..magic] != MAGIC[..magic] {
            return Err(FileError::NotCompiled {
                path: self.path.to_owned(),
            });
        }
        if there < PREFIX {
            return Err(self.length(found, (PREFIX + DIGEST) as u64));
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
            return Err(self.length(found, least));
        }
        usize::try_from(len).map_err(|_| self.length(found, least))
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        let read = self.file.read_exact(bytes);
        read.map_err(|source| io_error(self.path, source))?;
        self.digest.update(bytes);
        Ok(())
    }

    /// Compares the digest at the end.
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

    /// What is wrong with a file whose header cannot be parsed: its bytes, or what was written.
    fn damaged(
        &mut self,
        found: u64,
        header_len: usize,
        error: &serde_json::Error,
    ) -> Result<FileError, FileError> {
        let mut left = found - (PREFIX + header_len + DIGEST) as u64;
        let mut bytes = vec![0; CHUNK];
        while left > 0 {
            let some = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            self.read(&mut bytes[..some])?;
            left -= some as u64;
        }
        self.check()?;
        Ok(FileError::Header {
            path: self.path.to_owned(),
            reason: error.to_string(),
        })
    }

    fn length(&self, found: u64, expected: u64) -> FileError {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
