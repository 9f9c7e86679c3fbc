//! Checkpoints whose pickles would take gigabytes are errors, and large networks are read.

use std::fs;
use std::io::{Cursor, Write};

use burn::tensor::TensorData;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::torch::TorchFile;
use crate::weights::{FloatType, Format, StateDict, WeightsError};

/// Number of copies in a forged pickle, one for each two bytes.
const COPIES: usize = 300_000;

/// Returns an archive of `torch.save` with the pickle `pickle`.
fn zip(pickle: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("data.pkl", pickle), ("version", b"3\n")] {
        let options = SimpleFileOptions::default();
        let started = archive.start_file(format!("archive/{name}"), options);
        started.expect("started");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("finished").into_inner()
}

/// Returns a tar archive of PyTorch before 0.1.10 with these entries.
fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, *bytes)
            .expect("packed");
    }
    builder.into_inner().expect("packed")
}

/// Returns a pickle of a dictionary with a list in which `value`, which is in the memo under 0, is
/// copied often.
fn copies(value: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\0\0\0a(".to_vec();
    pickle.extend(value);
    pickle.extend(b"h\0".repeat(COPIES));
    pickle.extend(b"ls.");
    pickle
}

/// Returns the string opcode of `length` letters.
fn string(length: usize) -> Vec<u8> {
    let mut string = vec![b'X'];
    string.extend((length as u32).to_le_bytes());
    string.extend(b"a".repeat(length));
    string
}

/// Forged pickles by the kind of name that they copy.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let long = "a".repeat(5_000);
    let class = format!("c{long}\n{long}\nq\0").into_bytes();
    let key = [&b"}"[..], &string(5_000), b"Nsq\0"].concat();
    let storage = [
        &b"((X\x07\0\0\0storagectorch\nFloatStorage\n"[..],
        &string(5_000),
        b"X\x03\0\0\0cpuK\x01tQq\0t",
    ]
    .concat();
    // An object of a class, whose copy in the memo gets the keys of its state.
    let built = [&b"cmodule\nClass\n)\x81q\0}"[..], &string(5_000), b"Nsb"].concat();
    let reduced = format!("c{long}\n{long}\n)Rq\0").into_bytes();
    let unicode = format!("V{long}\nq\0").into_bytes();
    let mut duplicates = b"\x80\x02}X\x01\0\0\0a(".to_vec();
    duplicates.extend(format!("c{long}\n{long}\n").bytes());
    duplicates.extend(b"2".repeat(COPIES));
    duplicates.extend(b"ls.");
    let mut values = b"\x80\x02}X\x01\0\0\0a(".to_vec();
    values.extend(b"N".repeat(5_000_000));
    values.extend(b"ls.");
    // A thousand tensors, each below a hundred long keys.
    let mut names = b"\x80\x02".to_vec();
    for _ in 0..100 {
        names.push(b'}');
        names.extend(string(5_000));
    }
    names.extend(b"}(");
    for index in 0..1000 {
        names.extend(format!("X\x04\0\0\0{index:04}").bytes());
        names.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage");
        names.extend(b"ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0)");
        names.extend(b")\x89}tR");
    }
    names.push(b'u');
    names.extend(b"s".repeat(100));
    names.push(b'.');
    vec![
        ("class", copies(&class)),
        ("key", copies(&key)),
        ("storage", copies(&storage)),
        ("built", copies(&built)),
        ("reduced", copies(&reduced)),
        ("unicode", copies(&unicode)),
        ("duplicates", duplicates),
        ("values", values),
        ("names", names),
    ]
}

#[test]
fn pickles_that_multiply_names_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    let magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    let system = b"\x80\x02}X\x0d\0\0\0little_endian\x88s.";
    let empty = b"\x80\x02K\0.";
    for (name, pickle) in bombs() {
        let legacy = [&magic[..], system, &pickle].concat();
        let old = tar(&[
            ("sys_info", system),
            ("pickle", &pickle),
            ("tensors", empty),
            ("storages", b"\x80\x02K\0.\x80\x02]."),
        ]);
        // A bomb in place of a row of a table.
        let table = tar(&[
            ("pickle", b"?"),
            ("tensors", &[b"\x80\x02K\x01.", &pickle[..]].concat()),
        ]);
        for bytes in [zip(&pickle), legacy, pickle.clone(), old, table] {
            fs::write(&path, &bytes).expect("written");
            let error = StateDict::open(&path).expect_err(name);
            assert!(
                matches!(error, WeightsError::Corrupt { .. }),
                "{name}: {error}"
            );
            let message = error.to_string();
            let limit = ["128 MiB", "4000000 values"]
                .iter()
                .any(|limit| message.contains(limit));
            assert!(limit, "{name}: {message}");
            let from_memory = StateDict::from_bytes(bytes).expect_err(name).to_string();
            assert!(
                from_memory.starts_with("the file in memory"),
                "{from_memory}"
            );
        }
    }
}

#[test]
fn a_sparse_entry_of_a_tar_archive_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    let mut bytes = tar(&[("storages", b"\x80\x02K\0.")]);
    // The type of a sparse file in GNU's format, with a length of 8 GiB and one chunk at the end.
    let mut header = tar::Header::new_gnu();
    header.set_path("storages").expect("a path");
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(0);
    let gnu = header.as_gnu_mut().expect("a header of GNU");
    gnu.realsize = *b"100000000000";
    gnu.sparse[0].offset = *b"100000000000";
    gnu.sparse[0].numbytes = *b"00000000000\0";
    gnu.magic = *b"ustar ";
    header.set_cksum();
    bytes[..512].copy_from_slice(header.as_bytes());
    fs::write(&path, &bytes).expect("written");
    let error = StateDict::open(&path)
        .expect_err("longer than the archive")
        .to_string();
    assert!(error.contains("8589934592 bytes in a file of"), "{error}");
}

#[test]
fn a_network_of_thousands_of_tensors_is_within_the_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    let weights: StateDict = (0..5_000)
        .map(|index| {
            let name = format!("backbone.stages.{index}.blocks.0.attention.projection.weight");
            (name, TensorData::new(vec![index as f32], [1]))
        })
        .collect();
    weights
        .save(&path, Format::PyTorch, FloatType::F32)
        .expect("written");
    assert_eq!(StateDict::open(&path).expect("opened").len(), 5_000);
    for wrapper in [None, Some("state_dict")] {
        let checkpoint = TorchFile { wrapper };
        for bytes in [checkpoint.zip(), checkpoint.legacy()] {
            StateDict::from_bytes(bytes).expect("opened");
        }
    }
}
