//! NumPy arrays: a batch of images in, logits out.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use npyz::{NpyFile, NpyHeader, Order, WriterBuilder};
use receptive_layers::atomic_file::AtomicFile;

/// An array cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NpyError {
    /// The file cannot be read, or is no `.npy` file.
    #[error("cannot read the array {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        source: io::Error,
    },
    /// The file holds something else than floating-point numbers.
    #[error(
        "the array {} holds numbers of type {found}, expected float32 ('<f4') or float64 ('<f8')",
        path.display()
    )]
    Type {
        /// The file.
        path: PathBuf,
        /// NumPy's name of the type found.
        found: String,
    },
    /// The array has another rank than a batch of images.
    #[error("the array {} has shape {found:?}, expected [batch, channels, height, width]", path.display())]
    Rank {
        /// The file.
        path: PathBuf,
        /// The array's shape.
        found: Vec<u64>,
    },
    /// The file ends before the array does.
    #[error("the array {} is cut short: {found} bytes of the {expected} that its header promises", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// Bytes after the header.
        found: u64,
        /// Bytes that its shape and type need.
        expected: u128,
    },
    /// The file cannot be written.
    #[error("cannot write the array {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// An opened `.npy` file of floating-point numbers with four dimensions.
pub struct ImageBatch {
    path: PathBuf,
    file: NpyFile<BufReader<File>>,
    /// `[batch, channels, height, width]`.
    pub shape: [usize; 4],
}

impl ImageBatch {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    ///
    /// [`NpyError`] when it is no such array or shorter than its header says.
    pub fn open(path: &Path) -> Result<Self, NpyError> {
        let path = path.to_owned();
        let read = |source| NpyError::Read {
            path: path.clone(),
            source,
        };
        let opened = File::open(&path).map_err(read)?;
        let bytes = opened.metadata().map_err(read)?.len();
        let mut reader = BufReader::new(opened);
        let header = NpyHeader::from_reader(&mut reader).map_err(read)?;
        let values = bytes.saturating_sub(reader.stream_position().map_err(read)?);
        let file = NpyFile::with_header(header, reader);

        let descr = file.dtype().descr();
        let width: u128 = match descr.trim_matches('\'') {
            "<f4" | ">f4" => 4,
            "<f8" | ">f8" => 8,
            _ => return Err(NpyError::Type { path, found: descr }),
        };
        let shape: Option<[usize; 4]> = file
            .shape()
            .iter()
            .map(|&n| usize::try_from(n).ok())
            .collect::<Option<Vec<_>>>()
            .and_then(|shape| shape.try_into().ok());
        let Some(shape) = shape else {
            let found = file.shape().to_vec();
            return Err(NpyError::Rank { path, found });
        };
        let expected = shape
            .iter()
            .fold(width, |product, &n| product.saturating_mul(n as u128));
        if u128::from(values) < expected {
            return Err(NpyError::Short {
                path,
                found: values,
                expected,
            });
        }
        Ok(Self { path, file, shape })
    }

    /// The images, `[batch, channels, height, width]`, as 32-bit numbers.
    ///
    /// # Errors
    ///
    /// [`NpyError::Read`] when the file ends early or cannot be read.
    pub fn read(self) -> Result<Vec<f32>, NpyError> {
        let Self { path, file, shape } = self;
        let order = file.order();
        let values = match file.try_data::<f32>() {
            Ok(values) => values.collect::<io::Result<Vec<f32>>>(),
            Err(file) => file
                .data::<f64>()
                .map_err(|refused| io::Error::new(io::ErrorKind::InvalidData, refused))
                .and_then(|values| values.map(|value| value.map(|v| v as f32)).collect()),
        }
        .map_err(|source| NpyError::Read { path, source })?;
        Ok(match order {
            Order::C => values,
            Order::Fortran => reversed(&values, shape),
        })
    }
}

/// The elements in row-major order, of an array whose first axis runs fastest.
fn reversed(values: &[f32], [batch, channels, height, width]: [usize; 4]) -> Vec<f32> {
    let mut rows = Vec::with_capacity(values.len());
    for n in 0..batch {
        for c in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    rows.push(values[n + batch * (c + channels * (y + height * x))]);
                }
            }
        }
    }
    rows
}

/// A `.npy` file in the making: it appears whole, under its name, or not at all.
pub struct LogitsFile {
    path: PathBuf,
    file: AtomicFile,
}

impl LogitsFile {
    /// Starts a file in the folder of `path`.
    ///
    /// # Errors
    ///
    /// [`NpyError::Write`] when the folder is missing or cannot be written.
    pub fn create(path: &Path) -> Result<Self, NpyError> {
        let file = AtomicFile::create(path).map_err(|source| NpyError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes `values` as a float32 array of this shape and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`NpyError::Write`] when the disk is full or the name belongs to a folder.
    pub fn write(mut self, values: &[f32], shape: [usize; 2]) -> Result<(), NpyError> {
        self.fill(values, shape)
            .and_then(|()| self.file.commit())
            .map_err(|source| NpyError::Write {
                path: self.path,
                source,
            })
    }

    fn fill(&mut self, values: &[f32], shape: [usize; 2]) -> io::Result<()> {
        let mut buffer = BufWriter::new(self.file.file_mut());
        let mut array = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape.map(|n| n as u64))
            .writer(&mut buffer)
            .begin_nd()?;
        array.extend(values.iter().copied())?;
        array.finish()?;
        buffer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("written");
        file
    }

    fn npy(header: &str, values: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let header = format!("{header}\n");
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values);
        bytes
    }

    fn floats(count: usize) -> Vec<u8> {
        (0..count).flat_map(|n| (n as f32).to_le_bytes()).collect()
    }

    #[test]
    fn fortran_order_is_the_transpose_of_c_order() {
        let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1, 2, 2), }";
        let file = temporary(&npy(header, &floats(8)));
        let batch = ImageBatch::open(file.path()).expect("readable");
        let images = batch.read().expect("readable");
        // NumPy: np.arange(8).reshape((2, 1, 2, 2), order="F").ravel()
        let expected = [0., 4., 2., 6., 1., 5., 3., 7.];
        assert_eq!(images, expected);
    }

    #[test]
    fn float64_becomes_float32() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 2), }";
        let values: Vec<u8> = [0.5_f64, -3.25]
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        let file = temporary(&npy(header, &values));
        let images = ImageBatch::open(file.path())
            .and_then(|batch| batch.read())
            .expect("readable");
        assert_eq!(images, [0.5, -3.25]);
    }

    #[test]
    fn refusals_name_the_file_and_what_was_expected() {
        let header = |descr: &str, shape: &str| {
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
        };
        for (bytes, part) in [
            (b"not an array".to_vec(), "cannot read"),
            (Vec::new(), "cannot read"),
            (npy(&header("|u1", "(1, 1, 2, 2)"), &[0; 4]), "float32"),
            (
                npy(&header("<f4", "(2, 2)"), &floats(4)),
                "[batch, channels",
            ),
            (npy(&header("<f4", "(1, 1, 2, 2)"), &floats(3)), "cut short"),
            (
                npy(&header("<f4", "(4294967296, 4, 1, 1)"), &floats(3)),
                "cut short",
            ),
        ] {
            let file = temporary(&bytes);
            let error = ImageBatch::open(file.path()).err().expect("refused");
            let text = error.to_string();
            assert!(text.contains(part), "{text}");
            assert!(text.contains(&file.path().display().to_string()), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("logits.npy");
        LogitsFile::create(&path)
            .and_then(|file| file.write(&[1.0, 2.0, -0.5, 4.0, 5.0, 6.5], [2, 3]))
            .expect("written");
        let file = NpyFile::new(File::open(&path).expect("there")).expect("an array");
        assert_eq!(file.shape(), [2, 3]);
        assert_eq!(
            file.into_vec::<f32>().expect("floats"),
            [1.0, 2.0, -0.5, 4.0, 5.0, 6.5]
        );
    }
}
