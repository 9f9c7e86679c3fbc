//! Writes the first files of the fuzz targets' corpus: a small valid file of each format.
//!
//! ```text
//! cargo run -p receptive-tests --example corpus
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, TensorData};
use receptive_layers::compile::{Isa, Options, compile};
use receptive_layers::image::RgbImage;
use receptive_layers::metadata::Metadata;
use receptive_layers::network::NetworkConfig;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{FloatType, Format, StateDict};
use receptive_lenet::LeNet5Config;
use receptive_tests::tiny::TinyConfig;
use receptive_train::data::{DataSplits, IdxFiles};
use receptive_train::recipe::FINETUNE;
use receptive_train::run::State;

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let path = |reader: &str, name: &str| {
        let folder = corpus.join(reader);
        fs::create_dir_all(&folder).map(|()| folder.join(name))
    };

    let metadata = Metadata {
        network: Some("tiny".to_owned()),
        labels: Some(vec!["cat".to_owned(), "dog".to_owned()]),
        preprocessing: Some(Preprocessing::CIFAR_10),
        ..Metadata::default()
    };
    let tensors = [("fc.weight", vec![2, 3]), ("fc.bias", vec![2])];
    let weights: StateDict = tensors
        .map(|(name, shape)| {
            let values: Vec<f32> = (0..shape.iter().product::<usize>())
                .map(|value| value as f32)
                .collect();
            (name.to_owned(), TensorData::new(values, shape))
        })
        .into_iter()
        .collect();
    let weights = weights.with_metadata(metadata.clone());
    for (name, format) in [
        ("a.safetensors", Format::SafeTensors),
        ("a.pth", Format::PyTorch),
        ("a.bpk", Format::Burnpack),
    ] {
        weights.save(path("weights", name)?, format, FloatType::F32)?;
    }

    let photo = RgbImage::from_fn(9, 7, |x, y| [(x * 28) as u8, (y * 36) as u8, 90].into());
    for name in ["a.png", "a.bmp", "a.webp"] {
        photo.save(path("image", name)?)?;
    }
    // The smallest GIF of one pixel, and files of libjpeg-turbo's programs.
    let gif =
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    fs::write(path("image", "a.gif")?, gif)?;
    let jpegs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../layers/tests/jpeg");
    for name in [
        "restart-420.jpg",
        "progressive-422.jpg",
        "apart-8x16.jpg",
        "ycck.jpg",
    ] {
        fs::copy(jpegs.join(name), path("image", name)?)?;
    }

    let network = TinyConfig::tiny().init(&Device::flex());
    // Every machine has the instruction set of the plan.
    let options = Options {
        isa: Some(Isa::Scalar),
        ..Options::default()
    };
    let plan = compile(&network, [1, 3, 32, 32], &options)?;
    plan.with_metadata(metadata).save(path("plan", "a.plan")?)?;

    let mut header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 2), }".to_vec();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend((header.len() as u16).to_le_bytes());
    array.extend(header);
    array.extend([0.0_f32, 1.0, -2.0, 0.5].map(f32::to_le_bytes).concat());
    fs::write(path("npy", "a.npy")?, array)?;

    fs::write(path("recipe", "finetune.toml")?, FINETUNE.text)?;
    let published = &LeNet5Config::variants()[0];
    fs::write(path("recipe", "lenet5.toml")?, published.recipe.text)?;

    let labels = [[0x801_u32, 2].map(u32::to_be_bytes).concat(), vec![3, 7]].concat();
    let images = [0x803_u32, 2, 28, 28].map(u32::to_be_bytes).concat();
    let images = [images, vec![9; 2 * 28 * 28]].concat();
    let digits = [vec![labels.len() as u8], labels.clone(), images.clone()].concat();
    fs::write(path("idx", "a.idx")?, digits)?;
    let files = IdxFiles {
        train: [&images, &labels],
        validation: [&images, &labels],
    };
    let data = DataSplits::from_idx(Path::new("digits"), &files)?;
    let state = serde_json::to_vec(&State::initial(&data)?)?;
    fs::write(path("state", "a.json")?, state)?;

    fs::write(
        path("cifar", "a.bin")?,
        [vec![5], vec![80; 3 * 32 * 32]].concat(),
    )?;
    fs::write(path("labels", "a.txt")?, "cat\ndog\n")?;
    Ok(())
}
