//! Runs ONNX files: `run_onnx` reads the paths of folders from standard input, one in each line.
//!
//! A folder contains `model.onnx` and `input.npy`, an array of float32 in the input's shape. The program writes
//! `output_0.npy`, `output_1.npy`, … into the folder, and prints `ok` or `error: MESSAGE` in one line.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;

use receptive_layers::compile::{Compiled, Options};
use receptive_onnx::{ReadOptions, read};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for folder in io::stdin().lock().lines() {
        match run(Path::new(&folder?)) {
            Ok(()) => writeln!(out, "ok")?,
            Err(error) => {
                let message = error.to_string().replace('\n', " ");
                writeln!(out, "error: {message}")?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (shape, input) = read_array(&fs::read(folder.join("input.npy"))?)?;
    let options = ReadOptions {
        batch: shape.first().copied(),
        size: match shape[..] {
            [_, _, height, width] => Some([height, width]),
            _ => None,
        },
    };
    let graph = read(&folder.join("model.onnx"), &options)?.graph;
    let expected = graph.shape(graph.input);
    if expected != shape {
        return Err(format!("the input is {shape:?}, expected {expected:?}").into());
    }
    let outputs = graph.outputs.iter().map(|&id| graph.shape(id).to_vec());
    let shapes: Vec<Vec<usize>> = outputs.collect();
    let mut compiled = Compiled::from_graph(graph, &Options::default())?;
    let values = compiled.run(&input)?;
    for (index, ((_, values), shape)) in values.iter().zip(shapes).enumerate() {
        let path = folder.join(format!("output_{index}.npy"));
        fs::write(path, array(&shape, values))?;
    }
    Ok(())
}

/// Returns the shape and the elements of a NumPy file of float32 in row-major order.
fn read_array(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f32>), Box<dyn Error>> {
    let length = bytes.get(8..10).ok_or("not a NumPy file")?;
    let start = 10 + usize::from(u16::from_le_bytes(length.try_into()?));
    let header = std::str::from_utf8(bytes.get(10..start).ok_or("a short header")?)?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!("expected float32 in row-major order, found {header}").into());
    }
    let shape = header.split(['(', ')']).nth(1).ok_or("no shape")?;
    let lengths = shape
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let shape = lengths.map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let elements = bytes[start..].chunks_exact(4);
    let elements =
        elements.map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    Ok((shape, elements.collect()))
}

/// Returns the bytes of a NumPy file.
fn array(shape: &[usize], elements: &[f32]) -> Vec<u8> {
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', length - header.len() - 1));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}
