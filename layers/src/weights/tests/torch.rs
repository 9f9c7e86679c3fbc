//! Checkpoints as PyTorch's pickler writes them: both containers, with memoized strings and further
//! entries of a training script.

use std::io::{Cursor, Write};

use burn::tensor::TensorData;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Two tensors; with a wrapper key, beside an epoch number and a tensor of the optimizer.
pub struct TorchFile {
    pub wrapper: Option<&'static str>,
}

const WEIGHT: [f32; 6] = [1.0, -2.0, 3.5, 0.25, 0.0, -0.5];
const BIAS: [f32; 2] = [0.5, -1.5];

impl TorchFile {
    /// Returns the tensors that a reader returns.
    pub fn tensors() -> Vec<(String, TensorData)> {
        vec![
            ("bn.bias".to_owned(), TensorData::new(BIAS.to_vec(), [2])),
            (
                "fc.weight".to_owned(),
                TensorData::new(WEIGHT.to_vec(), [2, 3]),
            ),
        ]
    }

    /// Returns a file of `torch.save` of PyTorch 1.6 or later.
    pub fn zip(&self) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let mut entry = |name: &str, bytes: &[u8]| {
            let options = SimpleFileOptions::default();
            archive
                .start_file(format!("checkpoint/{name}"), options)
                .expect("started");
            archive.write_all(bytes).expect("written");
        };
        entry("data.pkl", &self.pickle(false));
        for (key, values) in self.storages() {
            entry(&format!("data/{key}"), &little_endian(values));
        }
        entry("version", b"3\n");
        archive.finish().expect("finished").into_inner()
    }

    /// Returns a file of `torch.save` before PyTorch 1.6: several pickles, then the number of
    /// elements and the elements of each storage.
    pub fn legacy(&self) -> Vec<u8> {
        let mut out = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.".to_vec();
        out.extend(b"\x80\x02M\xe9\x03.");
        out.extend(b"\x80\x02}q\x00(X\x10\0\0\0protocol_versionq\x01M\xe9\x03");
        out.extend(b"X\x0d\0\0\0little_endianq\x02\x88");
        out.extend(b"X\x0a\0\0\0type_sizesq\x03}q\x04(X\x05\0\0\0shortq\x05K\x02u");
        out.extend(b"u.");
        out.extend(self.pickle(true));
        out.extend(b"\x80\x02]q\x00(");
        for (key, _) in self.storages() {
            string(&mut out, key);
        }
        out.extend(b"e.");
        for (_, values) in self.storages() {
            out.extend((values.len() as i64).to_le_bytes());
            out.extend(little_endian(values));
        }
        out
    }

    /// Returns the storages; only a checkpoint with a wrapper key has the optimizer's storage.
    fn storages(&self) -> &'static [(&'static str, &'static [f32])] {
        if self.wrapper.is_some() {
            &STORAGES
        } else {
            &STORAGES[..2]
        }
    }

    fn pickle(&self, legacy: bool) -> Vec<u8> {
        let mut out = b"\x80\x02".to_vec();
        match self.wrapper {
            None => state(&mut out, legacy),
            Some(key) => {
                out.extend(b"}(");
                string(&mut out, "epoch");
                out.extend(b"K\x07");
                string(&mut out, key);
                state(&mut out, legacy);
                string(&mut out, "optimizer");
                out.extend(b"}");
                string(&mut out, "momentum");
                tensor(&mut out, "2", &[1], 0, legacy);
                out.extend(b"su");
            }
        }
        out.push(b'.');
        out
    }
}

/// The storages by key; the bias is the second half of storage 1.
static STORAGES: [(&str, &[f32]); 3] = [
    ("0", &WEIGHT),
    ("1", &[9.0, 9.0, BIAS[0], BIAS[1]]),
    ("2", &[0.9]),
];

fn state(out: &mut Vec<u8>, legacy: bool) {
    out.extend(b"ccollections\nOrderedDict\nq\x00)Rq\x01(");
    string(out, "fc.weight");
    tensor(out, "0", &[2, 3], 0, legacy);
    string(out, "bn.bias");
    tensor(out, "1", &[2], 2, legacy);
    out.push(b'u');
}

fn tensor(out: &mut Vec<u8>, key: &str, shape: &[u8], offset: u8, legacy: bool) {
    let numel = STORAGES
        .iter()
        .find(|(name, _)| *name == key)
        .map_or(0, |(_, values)| values.len() as u8);
    out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    string(out, "storage");
    out.extend(b"ctorch\nFloatStorage\n");
    string(out, key);
    string(out, "cpu");
    out.extend([b'K', numel]);
    if legacy {
        out.push(b'N');
    }
    out.extend([b't', b'Q', b'K', offset, b'(']);
    out.extend(shape.iter().flat_map(|&extent| [b'K', extent]));
    out.extend(b"t(");
    let strides: &[u8] = if shape.len() == 2 { &[3, 1] } else { &[1] };
    out.extend(strides.iter().flat_map(|&stride| [b'K', stride]));
    out.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
