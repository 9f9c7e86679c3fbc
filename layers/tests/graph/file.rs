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
            expected: 10,
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

/// Returns the file with a changed program, and with the length, padding and digest that belong to it.
fn forged(bytes: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    use sha2::{Digest, Sha256};

    let end = 16 + u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
    let mut header = serde_json::from_slice(&bytes[16..end]).expect("JSON");
    change(&mut header);
    let mut header = serde_json::to_vec(&header).expect("JSON");
    header.resize((16 + header.len()).next_multiple_of(64) - 16, b' ');
    let mut forged = bytes[..12].to_vec();
    forged.extend((header.len() as u32).to_le_bytes());
    forged.extend(header);
    forged.extend(&bytes[end..bytes.len() - 32]);
    let digest = Sha256::digest(&forged);
    forged.extend(digest);
    forged
}

#[test]
fn a_forged_file_takes_no_more_memory_than_the_limit() {
    use serde_json::json;

    let folder = folder();
    let bytes = saved(folder.path());
    let load = |bytes: &[u8]| match Compiled::load(file(folder.path(), bytes), None) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert_eq!(load(&forged(&bytes, |_| ())), "");
    let huge = 1_u64 << 50;
    type Change = fn(&mut serde_json::Value, u64);
    let changes: [(Change, &str); 6] = [
        (
            |header, huge| header["program"]["arena"] = json!(huge),
            "its steps use",
        ),
        (
            |header, huge| {
                let outputs = header["program"]["outputs"]
                    .as_array_mut()
                    .expect("an array");
                outputs.push(json!([huge, 1, 1]));
                let names = header["output_names"].as_array_mut().expect("an array");
                names.push(json!("second"));
            },
            "the program has 2 outputs, and its steps write 1",
        ),
        (
            |header, huge| {
                header["program"]["arena"] = json!(huge);
                header["program"]["outputs"] = json!([]);
                header["output_names"] = json!([]);
            },
            "",
        ),
        (
            |header, huge| {
                header["program"]["arena"] = json!(huge);
                header["program"]["steps"] = json!([]);
                header["steps"] = json!([]);
            },
            "its steps write 0 of them",
        ),
        (
            // A second import to the end of a large arena.
            |header, huge| {
                let program = &mut header["program"];
                let end = program["arena"].clone();
                program["arena"] = json!(huge);
                let mut step = program["steps"][0].clone();
                step["step"]["import"]["y"]["offset"] = end;
                step["step"]["import"]["y"]["image"] = json!(huge / 4);
                let steps = program["steps"].as_array_mut().expect("an array");
                steps.insert(0, step);
                let costs = header["steps"].as_array_mut().expect("an array");
                costs.insert(0, costs[0].clone());
            },
            "nothing reads the map that step",
        ),
        (
            |header, _| header["steps"][1]["multiply_adds"] = json!(u64::MAX),
            "none",
        ),
    ];
    for (change, expected) in changes {
        let error = load(&forged(&bytes, |header| change(header, huge)));
        match expected {
            "none" => assert_eq!(error, ""),
            expected => assert!(!error.is_empty() && error.contains(expected), "{error}"),
        }
    }
    let mut long = bytes[..12].to_vec();
    long.extend(u32::MAX.to_le_bytes());
    let path = file(folder.path(), &long);
    let handle = fs::File::options().write(true).open(&path).expect("open");
    handle.set_len(1 << 33).expect("a sparse file");
    let error = Compiled::load(&path, None)
        .expect_err("a long header")
        .to_string();
    assert!(error.contains("expected at most 16 MiB"), "{error}");
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
