//! Damaged files are read or cause an error, never a panic.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::torch::TorchFile;
use super::{FORMATS, sample};
use crate::weights::{FloatType, StateDict, WeightsError};

/// Opens a file of these bytes from the disk and from memory, and reads all values.
fn read(folder: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    let path = folder.join("weights");
    fs::write(&path, bytes).expect("written");
    let read_all = |weights: StateDict| weights.iter().try_for_each(|(_, t)| t.data().map(drop));
    let from_disk = StateDict::open(&path).and_then(read_all);
    let from_memory = StateDict::from_bytes(bytes).and_then(read_all);
    assert_eq!(from_disk.is_ok(), from_memory.is_ok());
    from_disk
}

/// Returns a valid file of every format and container.
fn valid_files() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let mut files: Vec<_> = FORMATS
        .iter()
        .map(|&format| {
            sample()
                .save(&path, format, FloatType::F32)
                .expect("written");
            fs::read(&path).expect("read")
        })
        .collect();
    let checkpoint = TorchFile {
        wrapper: Some("state_dict"),
    };
    files.extend([checkpoint.zip(), checkpoint.legacy()]);
    files
}

#[test]
fn a_file_truncated_at_any_length_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for (index, file) in valid_files().iter().enumerate() {
        read(folder.path(), file).expect("valid");
        for len in 0..file.len() {
            let truncated = read(folder.path(), &file[..len]);
            assert!(
                truncated.is_err(),
                "file {index}, {len} of {} bytes",
                file.len()
            );
        }
    }
}

#[test]
fn a_header_longer_than_the_file_is_an_error_without_an_allocation() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut safetensors = u64::MAX.to_le_bytes().to_vec();
    safetensors.extend(b"{}");
    let mut below_limit = 99_999_999_u64.to_le_bytes().to_vec();
    below_limit.extend(b"{}");
    let burnpack = b"NRUB\x01\x00\xff\xff\xff\x05".to_vec();
    for file in [safetensors, below_limit, burnpack] {
        assert!(read(folder.path(), &file).is_err());
    }
}

/// A change of a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip { at: prop::sample::Index, bit: u8 },
    Set { at: prop::sample::Index, byte: u8 },
    Remove { at: prop::sample::Index },
    Repeat { at: prop::sample::Index, len: usize },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        (at(), prop_oneof![any::<u8>(), Just(0), Just(0xff)])
            .prop_map(|(at, byte)| Damage::Set { at, byte }),
        at().prop_map(|at| Damage::Remove { at }),
        (at(), 1..64_usize).prop_map(|(at, len)| Damage::Repeat { at, len }),
    ]
}

/// Returns the file after all changes.
fn damaged(file: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut file = file.to_vec();
    for damage in damages {
        match damage {
            Damage::Flip { at, bit } => {
                let at = at.index(file.len());
                file[at] ^= 1 << bit;
            }
            Damage::Set { at, byte } => {
                let at = at.index(file.len());
                file[at] = *byte;
            }
            Damage::Remove { at } => {
                file.remove(at.index(file.len()));
            }
            Damage::Repeat { at, len } => {
                let at = at.index(file.len());
                let repeated = file[at..file.len().min(at + len)].to_vec();
                file.splice(at..at, repeated);
            }
        }
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_file_never_panics(damages in prop::collection::vec(damage(), 1..6)) {
        let folder = tempfile::tempdir()?;
        for file in valid_files() {
            let _ = read(folder.path(), &damaged(&file, &damages));
        }
    }

    #[test]
    fn random_bytes_never_panic(
        start in prop::sample::select(vec![
            &b"PK\x03\x04"[..], b"\x80\x02", b"NRUB\x01\x00", b"\x20\0\0\0\0\0\0\0{", b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let folder = tempfile::tempdir()?;
        let _ = read(folder.path(), &[start, &rest].concat());
    }
}
