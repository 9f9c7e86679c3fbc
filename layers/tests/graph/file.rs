//! Tests of the file format of compiled networks: intact, foreign and corrupt files.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use receptive_layers::compile::{CompileError, Compiled, FileError, Isa, Options};
use receptive_layers::graph::Graph;
use receptive_layers::metadata::Metadata;

use crate::networks::Residual;

fn metadata() -> Metadata {
    Metadata {
        network: Some("residual".to_owned()),
        labels: Some(vec!["left".to_owned(), "right".to_owned()]),
        ..Metadata::default()
    }
}

fn compiled(isa: Isa) -> Compiled {
    let graph = Graph::trace(Residual::init, [2, 3, 16, 16], Residual::forward).unwrap();
    let options = Options {
        isa: Some(isa),
        ..Options::default()
    };
    Compiled::random(graph, 0, &options)
        .unwrap()
        .with_metadata(metadata())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Writes `bytes` to a file in `folder` and returns its path.
fn file(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("network");
    fs::write(&path, bytes).expect("a file");
    path
}

/// Returns the bytes of a saved network.
fn saved(folder: &Path) -> Vec<u8> {
    let path = folder.join("network");
    compiled(Isa::Scalar).save(&path).unwrap();
    fs::read(path).expect("a file")
}

/// Returns the error of loading the file at `path`.
fn error(path: &Path) -> FileError {
    match Compiled::load(path, None) {
        Err(CompileError::File(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("an invalid file was loaded"),
    }
}

#[test]
fn a_saved_network_loads_and_runs_identically() {
    let folder = folder();
    let path = folder.path().join("network");
    let images: Vec<f32> = (0..2 * 3 * 16 * 16).map(|i| (i % 7) as f32 - 3.0).collect();
    for isa in Isa::available() {
        let mut compiled = compiled(isa);
        compiled.save(&path).unwrap();
        assert!(Compiled::is_file(&path));
        let expected = compiled.run(&images).unwrap();
        for threads in 1..4 {
            let mut loaded = Compiled::load(&path, Some(threads)).unwrap();
            assert_eq!(loaded.threads(), threads);
            assert_eq!(*loaded.metadata(), metadata());
            assert_eq!(loaded.steps(), compiled.steps());
            assert_eq!(loaded.input(), [3, 16, 16]);
            assert_eq!(loaded.outputs(), [[5, 1, 1]]);
            assert_eq!(loaded.run(&images).unwrap(), expected);
            assert_eq!(loaded.clone().run(&images).unwrap(), expected);
        }
        // A small network runs on one thread by default.
        assert_eq!(Compiled::load(&path, None).unwrap().threads(), 1);
    }
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 1, "no scratch file is left");
}

#[test]
fn missing_and_foreign_files_are_errors() {
    let folder = folder();
    let missing = folder.path().join("missing");
    assert!(matches!(error(&missing), FileError::Io { .. }));
    assert!(!Compiled::is_file(&missing));
    for other in [&b""[..], b"PK\x03\x04", b"{\"a\": 1}, and so on"] {
        let path = file(folder.path(), other);
        assert!(matches!(error(&path), FileError::NotCompiled { .. }));
        assert!(!Compiled::is_file(&path));
    }
    let mut bytes = saved(folder.path());
    bytes[8] = 99;
    let path = file(folder.path(), &bytes);
    assert!(matches!(
        error(&path),
        FileError::Version {
            found: 99,
            expected: 9,
            ..
        }
    ));
}

#[test]
fn an_unsupported_instruction_set_is_an_error() {
    let folder = folder();
    let bytes = saved(folder.path());
    let Some(missing) = Isa::ALL.into_iter().find(|isa| !isa.is_available()) else {
        return;
    };
    let from = b"\"isa\":\"scalar\"";
    let to = format!("\"isa\":\"{missing}\"");
    let offset = (bytes.windows(from.len()))
        .position(|window| window == from)
        .expect("the instruction set");
    let len = u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
    let mut header = bytes[16..16 + len].to_vec();
    header.splice(offset - 16..offset - 16 + from.len(), to.bytes());
    // Spaces pad the header to its length.
    header.resize(len, b' ');
    let mut forged = bytes.clone();
    forged[16..16 + len].copy_from_slice(&header);
    let path = file(folder.path(), &forged);
    let error = error(&path);
    assert!(
        matches!(error, FileError::Isa { .. } | FileError::Checksum { .. }),
        "{error}"
    );
}

#[test]
fn truncated_and_overlong_files_are_errors() {
    let folder = folder();
    let bytes = saved(folder.path());
    let header = 16 + u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
    assert_eq!(header % 64, 0, "weights are aligned");
    let ends = [
        1,
        7,
        8,
        12,
        15,
        16,
        17,
        header - 1,
        header,
        header + 1,
        header + 64,
        bytes.len() - 33,
        bytes.len() - 32,
        bytes.len() - 1,
    ];
    for end in ends {
        let path = file(folder.path(), &bytes[..end]);
        let error = error(&path);
        assert!(
            matches!(error, FileError::Length { found, .. } if found == end as u64),
            "{end} bytes: {error}"
        );
    }
    let mut longer = bytes;
    longer.push(0);
    let path = file(folder.path(), &longer);
    assert!(matches!(error(&path), FileError::Length { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_changed_byte_is_an_error(index in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let folder = folder();
        let mut bytes = saved(folder.path());
        let index = index.index(bytes.len());
        bytes[index] ^= flip;
        let path = file(folder.path(), &bytes);
        error(&path);
    }
}
