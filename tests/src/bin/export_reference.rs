//! Writes the networks of the references as ONNX files: `export_reference OPSET FOLDER NAME...`.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use receptive_layers::graph::LOGITS;
use receptive_onnx::{WriteOptions, write};
use receptive_tests::recorded;
use receptive_tests::reference::Reference;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (opset, folder) = (arguments.next(), arguments.next());
    let opset = opset.ok_or("the opset is missing")?.parse()?;
    let folder = PathBuf::from(folder.ok_or("the folder is missing")?);
    for name in arguments {
        let mut graph = recorded::graph(&Reference::read(&name), 1);
        graph.output_names = vec![LOGITS.to_owned()];
        let options = WriteOptions {
            opset,
            ..WriteOptions::default()
        };
        fs::write(
            folder.join(format!("{name}.onnx")),
            write(&graph, &options)?,
        )?;
    }
    Ok(())
}
