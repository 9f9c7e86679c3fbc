//! Readers of untrusted files: each reads arbitrary bytes as one kind of file, and returns. A panic is
//! a fault; an error of the reader is not.
//!
//! The fuzz targets in `fuzz/` and the mutation tests in `tests/tests/suite/untrusted.rs` call them.

use std::fs;
use std::path::{Path, PathBuf};

use receptive::args::InputArgs;
use receptive::inputs::Inputs;
use receptive::npy::InputArray;
use receptive::vector_file::ImageVectors;
use receptive_layers::compile::{Compiled, Options};
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::StateDict;
use receptive_layers::{image, labels};
use receptive_onnx::{BatchSize, ReadOptions, WriteOptions};
use receptive_train::data::{DataSplits, Dataset, IdxFiles};
use receptive_train::recipe::Recipe;
use receptive_train::run::State;
use sha2::{Digest, Sha256};

/// A reader of a kind of file.
pub struct Reader {
    /// Name of the kind, which is also that of the fuzz target and of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Reads a file with this content.
    pub read: fn(&[u8]),
}

/// Every reader of untrusted files.
pub const READERS: [Reader; 12] = [
    Reader {
        name: "weights",
        read: weights,
    },
    Reader {
        name: "image",
        read: image,
    },
    Reader {
        name: "plan",
        read: plan,
    },
    Reader {
        name: "npy",
        read: npy,
    },
    Reader {
        name: "recipe",
        read: recipe,
    },
    Reader {
        name: "idx",
        read: idx,
    },
    Reader {
        name: "cifar",
        read: cifar,
    },
    Reader {
        name: "state",
        read: state,
    },
    Reader {
        name: "labels",
        read: labels,
    },
    Reader {
        name: "archive",
        read: archive,
    },
    Reader {
        name: "vectors",
        read: vectors,
    },
    Reader {
        name: "onnx",
        read: onnx,
    },
];

/// Largest number of values that a reader computes with. Larger ones are valid, and only take time.
const MAX_VALUES: usize = 1 << 22;

/// Largest number of values in the tensors of a graph that a reader compiles.
const MAX_GRAPH_VALUES: usize = 1_000_000;

/// Largest number of multiply-adds of a network that a reader runs.
const MAX_PRODUCTS: u64 = 1 << 28;

/// Opens a weight file of any format and reads all values.
pub fn weights(bytes: &[u8]) {
    with_file(bytes, "weights", |path| {
        if let Ok(weights) = StateDict::open(path) {
            for (_, tensor) in weights.iter() {
                let _ = tensor.data();
            }
        }
    });
}

/// Decodes an image and prepares it for a network.
pub fn image(bytes: &[u8]) {
    if let Ok(photo) = image::decode(bytes) {
        let planes = image::preprocess(&photo, &Preprocessing::IMAGENET);
        assert_eq!(planes.len(), 3 * 224 * 224);
    }
    let _ = image::decode_reduced(bytes, 56);
}

/// Loads a plan with a correct checksum, and runs it.
pub fn plan(bytes: &[u8]) {
    const DIGEST: usize = 32;
    let mut bytes = bytes.to_owned();
    if let Some(content) = bytes.len().checked_sub(DIGEST) {
        let digest = Sha256::digest(&bytes[..content]);
        bytes[content..].copy_from_slice(&digest);
    }
    with_file(&bytes, "plan", |path| {
        let Ok(mut plan) = Compiled::load(path, Some(1)) else {
            return;
        };
        let image: usize = plan.input().iter().product();
        if image <= MAX_VALUES && plan.map_bytes() / 4 <= MAX_VALUES {
            let _ = plan.run(&vec![0.5; image]);
        }
    });
}

/// Reads a NumPy array of images.
pub fn npy(bytes: &[u8]) {
    with_file(bytes, "images.npy", |path| {
        if let Ok(array) = InputArray::open(path) {
            let _ = array.read();
        }
    });
}

/// Parses a recipe, and its preprocessing.
pub fn recipe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(recipe) = Recipe::parse(&text, "recipe.toml", &[]) {
        let _ = recipe.preprocessing(3, 224);
        assert!(recipe.text().is_ok());
    }
}

/// Reads MNIST's four files. The first byte is the length of the labels' file, which follows.
pub fn idx(bytes: &[u8]) {
    let (len, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (labels, images) = rest.split_at(usize::from(*len).min(rest.len()));
    let files = IdxFiles {
        train: [images, labels],
        validation: [images, labels],
    };
    if let Ok(data) = DataSplits::from_idx(Path::new("digits"), &files) {
        read_all(&*data.train);
    }
}

/// Reads a file of CIFAR-10.
pub fn cifar(bytes: &[u8]) {
    with_file(bytes, "test_batch.bin", |path| {
        let folder = path.parent().expect("a folder");
        if let Ok(data) = DataSplits::open_for_evaluation(folder) {
            read_all(&*data.images);
        }
    });
}

/// Reads the images in a tar archive; after a first byte that is odd, in a compressed one.
pub fn archive(bytes: &[u8]) {
    let (kind, content) = bytes.split_first().unwrap_or((&0, &[]));
    let name = ["images.tar", "images.tgz"][usize::from(kind % 2)];
    with_file(content, name, |path| {
        let inputs = Inputs::open(&InputArgs {
            images: vec![path.to_owned()],
            files_from: None,
            shard: None,
            scale_on_decode: false,
            image_column: "image".to_owned(),
        });
        for input in inputs.expect("an archive").into_iter(0) {
            let _ = input.decode(None);
        }
    });
}

/// Reads a file of vectors, whose format the first byte chooses.
pub fn vectors(bytes: &[u8]) {
    let (kind, content) = bytes.split_first().unwrap_or((&0, &[]));
    let name = ["vectors.npy", "vectors.jsonl", "vectors.csv"][usize::from(kind % 3)];
    with_file(content, name, |path| {
        let paths = path.with_extension("paths.csv");
        fs::write(&paths, "path,error\na,\nb,\n").expect("written");
        if let Ok(images) = ImageVectors::open(path) {
            assert_eq!(images.paths.len(), images.vectors.len());
        }
    });
}

/// Reads an ONNX file. Compiles and runs a small network, and writes it as a file that is read again.
pub fn onnx(bytes: &[u8]) {
    let Ok(model) = receptive_onnx::read_bytes(bytes, &ReadOptions::default()) else {
        return;
    };
    let graph = model.graph;
    let elements = graph.values.iter().map(|value| value.len());
    if elements.fold(0, usize::saturating_add) > MAX_GRAPH_VALUES {
        return;
    }
    let options = WriteOptions {
        batch: match graph.any_batch {
            true => BatchSize::Dynamic,
            false => BatchSize::Recorded,
        },
        ..WriteOptions::default()
    };
    if let Ok(file) = receptive_onnx::write(&graph, &options) {
        let again = receptive_onnx::read_bytes(&file, &ReadOptions::default());
        again.expect("a file that this program wrote");
    }
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    if let Ok(mut plan) = Compiled::from_graph(graph, &options) {
        let products = plan.steps().iter().map(|step| step.multiply_adds);
        let image: usize = plan.input().iter().product();
        if products.fold(0, u64::saturating_add) <= MAX_PRODUCTS {
            let _ = plan.run(&vec![0.5; image * plan.batch()]);
        }
    }
}

fn read_all(dataset: &dyn Dataset) {
    for index in 0..dataset.len() {
        let _ = (dataset.label(index), dataset.image(index));
    }
}

/// Parses the state of a training run.
pub fn state(bytes: &[u8]) {
    let _ = serde_json::from_slice::<State>(bytes);
}

/// Parses a list of labels.
pub fn labels(bytes: &[u8]) {
    let _ = labels::parse(&String::from_utf8_lossy(bytes));
}

/// Calls `read` with the path of a file with this name and content, in a folder of its own.
fn with_file(bytes: &[u8], name: &str, read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, bytes).expect("space on the disk");
    read(&path);
}
