//! NumPy array files: reads inputs of networks, writes their outputs.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use npyz::{NpyFile, NpyHeader, Order, WriterBuilder};
use receptive_kernels::allocator::try_allocate;
use receptive_layers::atomic_file::AtomicFile;
use receptive_layers::bounded_file;

/// Reasons why an array file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The file cannot be read, or is not an `.npy` file.
    #[error("cannot read the array {}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system or the decoder.
        source: io::Error,
    },
    /// The numbers in the file are neither float32 nor float64.
    #[error(
        "the array {} has elements of type {found}, expected float32 ('<f4') or float64 ('<f8')",
        path.display()
    )]
    Type {
        /// Path of the file.
        path: PathBuf,
        /// NumPy's name of the element type.
        found: String,
    },
    /// The array does not have four dimensions.
    #[error("the array {} has shape {found:?}, expected [batch, channels, height, width]", path.display())]
    Rank {
        /// Path of the file.
        path: PathBuf,
        /// Shape of the array.
        found: Vec<u64>,
    },
    /// The file is shorter than its header says.
    #[error("the array {} is truncated: it has {found} bytes of elements, expected {expected} by its header", path.display())]
    Short {
        /// Path of the file.
        path: PathBuf,
        /// Number of bytes after the header.
        found: u64,
        /// Number of bytes of an array with the shape and element type in the header.
        expected: u128,
    },
    /// The file cannot be written.
    #[error("cannot write the array {}: {source}", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

/// An open `.npy` file of a float32 or float64 array.
pub struct InputArray {
    path: PathBuf,
    file: NpyFile<BufReader<File>>,
    /// Shape of the array.
    pub shape: Vec<usize>,
}

impl InputArray {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    ///
    /// [`NpyError`] when the file is not such an array, or is shorter than its header says.
    pub fn open(path: &Path) -> Result<Self, NpyError> {
        let path = path.to_owned();
        let read = |source| NpyError::Read {
            path: path.clone(),
            source,
        };
        let opened = bounded_file::check_regular(&path).and_then(|()| File::open(&path));
        let opened = opened.map_err(read)?;
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
        let expected = file
            .shape()
            .iter()
            .fold(width, |product, &n| product.saturating_mul(n.into()));
        if u128::from(values) < expected {
            return Err(NpyError::Short {
                path,
                found: values,
                expected,
            });
        }
        let shape: Result<Vec<usize>, _> = file.shape().iter().map(|&n| n.try_into()).collect();
        let too_large = |error| NpyError::Read {
            path: path.clone(),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        };
        let shape = shape.map_err(too_large)?;
        Ok(Self { path, file, shape })
    }

    /// Returns the shape of an array of images, `[batch, channels, height, width]`.
    ///
    /// # Errors
    ///
    /// [`NpyError::Rank`] when the array does not have four dimensions.
    pub fn image_shape(&self) -> Result<[usize; 4], NpyError> {
        let shape = self.shape.as_slice().try_into();
        shape.map_err(|_| NpyError::Rank {
            path: self.path.clone(),
            found: self.file.shape().to_vec(),
        })
    }

    /// Reads the elements in row-major order, as float32.
    ///
    /// # Errors
    ///
    /// [`NpyError::Read`] when the file is truncated or cannot be read.
    pub fn read(self) -> Result<Vec<f32>, NpyError> {
        let Self { path, file, shape } = self;
        let order = file.order();
        let count = match shape.contains(&0) {
            true => 0,
            false => shape.iter().product(),
        };
        let values = match file.try_data::<f32>() {
            Ok(values) => collect(values, count),
            Err(file) => file
                .data::<f64>()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
                .and_then(|values| collect(values.map(|value| value.map(|v| v as f32)), count)),
        }
        .map_err(|source| NpyError::Read { path, source })?;
        Ok(match order {
            Order::C => values,
            Order::Fortran => to_row_major(&values, &shape),
        })
    }
}

/// Collects `count` values, whose memory is allocated first.
fn collect(values: impl Iterator<Item = io::Result<f32>>, count: usize) -> io::Result<Vec<f32>> {
    let mut collected = Vec::new();
    try_allocate(|| collected.try_reserve_exact(count))?;
    for value in values.take(count) {
        collected.push(value?);
    }
    Ok(collected)
}

/// Reorders the elements of a column-major array (Fortran order) to row-major order.
fn to_row_major(values: &[f32], shape: &[usize]) -> Vec<f32> {
    if values.is_empty() {
        return Vec::new();
    }
    let shape: Vec<usize> = shape.iter().copied().filter(|&length| length > 1).collect();
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &length in &shape {
        strides.push(stride);
        stride *= length;
    }
    let mut row_major = Vec::with_capacity(values.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..values.len() {
        let offset: usize = index
            .iter()
            .zip(&strides)
            .map(|(i, stride)| i * stride)
            .sum();
        row_major.push(values[offset]);
        for (i, &length) in index.iter_mut().zip(&shape).rev() {
            *i += 1;
            if *i < length {
                break;
            }
            *i = 0;
        }
    }
    row_major
}

/// An `.npy` file that is written under a temporary name and renamed when complete.
pub struct ArrayFile {
    path: PathBuf,
    file: AtomicFile,
}

impl ArrayFile {
    /// Creates the temporary file in the folder of `path`.
    ///
    /// # Errors
    ///
    /// [`NpyError::Write`] when the folder does not exist or cannot be written.
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

    /// Writes `values` as a float32 array of this shape and renames the file to its final path.
    ///
    /// # Errors
    ///
    /// [`NpyError::Write`] when the disk is full or the path is a folder.
    pub fn write(mut self, values: &[f32], shape: &[usize]) -> Result<(), NpyError> {
        self.fill(values, shape)
            .and_then(|()| self.file.commit())
            .map_err(|source| NpyError::Write {
                path: self.path,
                source,
            })
    }

    fn fill(&mut self, values: &[f32], shape: &[usize]) -> io::Result<()> {
        let mut buffer = BufWriter::new(self.file.file_mut());
        let mut array = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape.iter().map(|&n| n as u64).collect::<Vec<_>>())
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
        let array = InputArray::open(file.path()).expect("readable");
        let images = array.read().expect("readable");
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
        let images = InputArray::open(file.path())
            .and_then(|array| array.read())
            .expect("readable");
        assert_eq!(images, [0.5, -3.25]);
    }

    #[test]
    fn errors_name_the_file_and_what_was_expected() {
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
            (npy(&header("<f4", "(1, 1, 2, 2)"), &floats(3)), "truncated"),
            (
                npy(&header("<f4", "(4294967296, 4, 1, 1)"), &floats(3)),
                "truncated",
            ),
        ] {
            let file = temporary(&bytes);
            let array = InputArray::open(file.path());
            let error = array.and_then(|array| array.image_shape()).err();
            let error = error.expect("an error");
            let text = error.to_string();
            assert!(text.contains(part), "{text}");
            assert!(text.contains(&file.path().display().to_string()), "{text}");
        }
    }

    #[test]
    fn written_logits_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("logits.npy");
        ArrayFile::create(&path)
            .and_then(|file| file.write(&[1.0, 2.0, -0.5, 4.0, 5.0, 6.5], &[2, 3]))
            .expect("written");
        let file = NpyFile::new(File::open(&path).expect("there")).expect("an array");
        assert_eq!(file.shape(), [2, 3]);
        assert_eq!(
            file.into_vec::<f32>().expect("floats"),
            [1.0, 2.0, -0.5, 4.0, 5.0, 6.5]
        );
    }
}
