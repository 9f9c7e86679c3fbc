//! Mutations of the files in `fuzz/corpus`: the readers of untrusted files never panic.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use receptive_tests::untrusted::{READERS, Reader};

/// Number of mutated files of each kind. The variable `RECEPTIVE_MUTATIONS` has another number, for
/// campaigns of hours.
const MUTATIONS: u32 = 1500;

/// One change of a file.
#[derive(Debug, Clone)]
enum Mutation {
    /// Flips a bit.
    Flip(prop::sample::Index, u8),
    /// Replaces bytes by those of an extreme number.
    Number(prop::sample::Index, u64, usize),
    /// Cuts the file.
    Cut(prop::sample::Index),
    /// Removes bytes.
    Remove(prop::sample::Index, usize),
    /// Repeats bytes.
    Repeat(prop::sample::Index, usize),
    /// Replaces a decimal digit.
    Digit(prop::sample::Index, u8),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let number = prop_oneof![
        Just(0),
        Just(u64::MAX),
        Just(1 << 31),
        Just(1 << 32),
        Just(u64::MAX / 2),
        any::<u64>(),
    ];
    prop_oneof![
        (any::<prop::sample::Index>(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (any::<prop::sample::Index>(), number, 1..9_usize)
            .prop_map(|(at, number, len)| Mutation::Number(at, number, len)),
        any::<prop::sample::Index>().prop_map(Mutation::Cut),
        (any::<prop::sample::Index>(), 1..64_usize).prop_map(|(at, len)| Mutation::Remove(at, len)),
        (any::<prop::sample::Index>(), 1..64_usize).prop_map(|(at, len)| Mutation::Repeat(at, len)),
        (any::<prop::sample::Index>(), b'0'..=b'9').prop_map(|(at, to)| Mutation::Digit(at, to)),
    ]
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let range = |at: &prop::sample::Index, len: usize| {
            let start = at.index(bytes.len());
            start..(start + len).min(bytes.len())
        };
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Number(at, number, len) => {
                let range = range(at, *len);
                let number = number.to_le_bytes();
                let len = range.len();
                bytes[range].copy_from_slice(&number[..len]);
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Remove(at, len) => {
                let range = range(at, *len);
                bytes.drain(range);
            }
            Self::Repeat(at, len) => {
                let range = range(at, *len);
                let (start, copy) = (range.start, bytes[range].to_vec());
                bytes.splice(start..start, copy);
            }
            Self::Digit(at, to) => {
                let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
                if digits > 0 {
                    let wanted = at.index(digits);
                    let mut digits = bytes.iter_mut().filter(|byte| byte.is_ascii_digit());
                    if let Some(digit) = digits.nth(wanted) {
                        *digit = *to;
                    }
                }
            }
        }
    }
}

/// Returns the files of the corpus of a reader, sorted by name.
fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder:?} has no files");
    files
}

fn assert_mutations_are_read(Reader { name, read }: &Reader) {
    let files: Vec<Vec<u8>> = (corpus(name).iter())
        .map(|path| fs::read(path).unwrap())
        .collect();
    for bytes in &files {
        read(bytes);
    }
    let campaign = std::env::var("RECEPTIVE_MUTATIONS").ok();
    let cases = campaign
        .as_ref()
        .map_or(MUTATIONS, |cases| cases.parse().expect("a number"));
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match campaign {
        Some(_) => TestRunner::new(config),
        None => {
            let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, random)
        }
    };
    let mutations = prop::collection::vec(mutation(), 1..6);
    let strategy = (0..files.len(), mutations);
    runner
        .run(&strategy, |(file, mutations)| {
            let mut bytes = files[file].clone();
            for mutation in &mutations {
                mutation.apply(&mut bytes);
            }
            read(&bytes);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn mutated_files_are_read_or_refused() {
    for reader in &READERS {
        assert_mutations_are_read(reader);
    }
}
