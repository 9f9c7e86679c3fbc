//! Networks in ONNX files.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf, is_separator};

use receptive_layers::compile::{Compiled, Options};
use receptive_layers::graph::{Graph, LOGITS, Op, ValueId};
use receptive_layers::metadata::{self, Metadata};
use receptive_layers::preprocessing::Preprocessing;
use receptive_onnx::{Model, ReadError, ReadOptions};

use crate::error::CliError;

/// Name of the program that writes metadata which this program understands.
const PRODUCER: &str = "receptive";

/// The option that states the height and width of an input, with an example.
pub const INPUT_OPTION: &str = "--input 1x3x224x224";

/// An ONNX file that is the MODEL of a command.
#[derive(Debug, Clone)]
pub struct OnnxFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Name of the file without its extension, the name of the network.
    pub name: String,
}

/// A network that was read from an ONNX file.
#[derive(Debug)]
pub struct OnnxNetwork {
    /// The file.
    pub file: OnnxFile,
    /// The operations and the weights.
    pub graph: Graph,
    /// Network, classes and preprocessing, if Receptive wrote the file.
    pub metadata: Metadata,
}

impl OnnxFile {
    /// Returns the file if `model`, the MODEL of a command, is a path: if it ends in `.onnx`, or has a separator and
    /// exists.
    pub fn named(model: &str) -> Option<Self> {
        let path = Path::new(model);
        let is_path = model.to_ascii_lowercase().ends_with(".onnx")
            || (model.contains(is_separator) && path.exists());
        is_path.then(|| Self {
            path: path.to_owned(),
            name: path
                .file_stem()
                .map_or_else(|| model.into(), |stem| stem.to_string_lossy().into_owned()),
        })
    }

    /// Reads the file for batches of `batch` images and inputs of the height and width `size`, if they are given. They
    /// must equal those of the file, unless the file leaves them open. `option` states the size on the command line.
    ///
    /// # Errors
    ///
    /// [`CliError::OnnxRead`] when the file cannot be read, [`CliError::OnnxSize`] when the file and `size` leave the
    /// height and width open, [`CliError::OnnxMetadata`] for damaged metadata.
    pub fn read(
        &self,
        batch: Option<usize>,
        size: Option<[usize; 2]>,
        option: &'static str,
    ) -> Result<OnnxNetwork, CliError> {
        let model = self.read_model(&ReadOptions { batch, size });
        let model = model.map_err(|error| self.failed(error, option))?;
        self.network(model)
    }

    /// Reads the file for an input of shape `shape`, which `origin` has: an array, or an option. If the network is the
    /// same for every number of images, the graph is that for `most` images at most.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`CliError::OnnxInput`] when the network does not accept the shape.
    pub fn read_for(
        &self,
        shape: &[usize],
        most: Option<usize>,
        origin: &dyn Fn() -> String,
    ) -> Result<OnnxNetwork, CliError> {
        let count = shape.first().copied().unwrap_or(1);
        let batch = most.map_or(count, |most| count.min(most));
        let mut model = self.read_size(shape, Some(batch));
        if model
            .as_ref()
            .is_ok_and(|model| batch < count && !model.graph.any_batch)
        {
            model = self.read_size(shape, Some(count));
        }
        if matches!(model, Err(ReadError::Fixed { .. })) {
            // The file has another number of images, which the error below states.
            model = self.read_size(shape, None);
        }
        let network = self.network(model.map_err(|error| self.failed(error, INPUT_OPTION))?)?;
        match network.accepts(shape) {
            true => Ok(network),
            false => Err(CliError::OnnxInput {
                origin: origin(),
                found: shape.to_vec(),
                expected: network.input_text(),
                path: self.path.clone(),
            }),
        }
    }

    /// Reads the file for `batch` images, and for height and width of `shape` if the file leaves them open.
    fn read_size(&self, shape: &[usize], batch: Option<usize>) -> Result<Model, ReadError> {
        let read = |size| self.read_model(&ReadOptions { batch, size });
        let found = read(None);
        match (&found, shape) {
            (Err(ReadError::DynamicAxis { .. }), &[_, a, b, c]) => {
                // Channels are the second or the last axis.
                let fits = |model: &Model| model.graph.shape(model.graph.input)[1..] == shape[1..];
                match read(Some([b, c])) {
                    Ok(model) if !fits(&model) => read(Some([a, b])),
                    found => found,
                }
            }
            _ => found,
        }
    }

    fn read_model(&self, options: &ReadOptions) -> Result<Model, ReadError> {
        receptive_onnx::read(&self.path, options)
    }

    fn network(&self, model: Model) -> Result<OnnxNetwork, CliError> {
        let metadata = match model.producer == PRODUCER {
            true => self.stored(model.metadata)?,
            false => Metadata::default(),
        };
        Ok(OnnxNetwork {
            file: self.clone(),
            graph: model.graph,
            metadata,
        })
    }

    /// Parses the texts that `receptive export` writes.
    fn stored(&self, mut texts: BTreeMap<String, String>) -> Result<Metadata, CliError> {
        let labels = texts.get("labels").map(|text| serde_json::from_str(text));
        let labels = labels
            .transpose()
            .map_err(|error| self.damaged("labels", &error))?;
        let preprocessing = texts.get("preprocessing");
        let preprocessing = preprocessing.map(|text| serde_json::from_str::<Preprocessing>(text));
        let preprocessing = preprocessing.transpose();
        let preprocessing = preprocessing.map_err(|error| self.damaged("preprocessing", &error))?;
        let metadata = Metadata {
            network: texts.remove("network"),
            labels,
            preprocessing,
            ..Metadata::default()
        };
        let valid = metadata.validate();
        valid.map_err(|error| self.damaged("preprocessing", &error))?;
        Ok(metadata)
    }

    fn damaged(&self, key: &'static str, reason: &dyn std::error::Error) -> CliError {
        CliError::OnnxMetadata {
            path: self.path.clone(),
            key,
            reason: reason.to_string(),
        }
    }

    fn failed(&self, error: ReadError, option: &'static str) -> CliError {
        let path = self.path.clone();
        match &error {
            ReadError::DynamicAxis { hint, .. } if hint.starts_with("state") => {
                CliError::OnnxSize {
                    path,
                    error,
                    option,
                }
            }
            _ => CliError::OnnxRead { path, error },
        }
    }

    /// Returns an error if one of the options is given. `reason` says why it does not apply to a file, or what was expected.
    ///
    /// # Errors
    ///
    /// [`CliError::FileOption`].
    pub fn refuse(
        &self,
        options: &[(&'static str, bool)],
        reason: &'static str,
    ) -> Result<(), CliError> {
        match options.iter().find(|(_, given)| *given) {
            Some(&(option, _)) => Err(CliError::FileOption {
                option,
                path: self.path.clone(),
                reason,
            }),
            None => Ok(()),
        }
    }
}

impl OnnxFile {
    /// Returns an error if a weight file or a key in it is given.
    ///
    /// # Errors
    ///
    /// [`CliError::FileOption`].
    pub fn refuse_weights(&self, weights: bool, key: Option<&str>) -> Result<(), CliError> {
        let given = [("--weights", weights), ("--weights-key", key.is_some())];
        self.refuse(&given, "its weights are in the file")
    }

    /// Returns an error if the eager engine is requested.
    ///
    /// # Errors
    ///
    /// [`CliError::FileOption`].
    pub fn refuse_eager(&self, eager: bool) -> Result<(), CliError> {
        let given = [("--engine eager", eager)];
        self.refuse(&given, "expected the compiled engine")
    }
}

impl OnnxNetwork {
    /// Shape of the input, with the number of images that the graph is for.
    pub fn input(&self) -> &[usize] {
        self.graph.shape(self.graph.input)
    }

    /// Whether the network accepts an input of shape `shape`.
    fn accepts(&self, shape: &[usize]) -> bool {
        match (self.input(), shape) {
            ([images, rest @ ..], [count, others @ ..]) => {
                rest == others && (images == count || self.graph.any_batch && *count > 0)
            }
            _ => false,
        }
    }

    /// Describes the shape of the input.
    fn input_text(&self) -> String {
        let lengths = self.input().iter().enumerate();
        let lengths = lengths.map(|(axis, length)| match axis {
            0 if self.graph.any_batch => "batch".to_owned(),
            _ => length.to_string(),
        });
        format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
    }

    /// Removes every output but the one called `name`, and the operations that it does not depend on. Without a name,
    /// the first output remains. Returns the name and the shape of the output.
    ///
    /// # Errors
    ///
    /// [`CliError::OnnxOutput`] when there is no output of the name.
    pub fn keep_output(&mut self, name: Option<&str>) -> Result<(String, Vec<usize>), CliError> {
        let names: Vec<String> = self.graph.all_output_names().collect();
        let index = match name {
            None => 0,
            Some(name) => {
                let index = names.iter().position(|known| known == name);
                index.ok_or_else(|| CliError::OnnxOutput {
                    path: self.file.path.clone(),
                    requested: name.to_owned(),
                    known: names.clone(),
                })?
            }
        };
        let (name, id) = (names[index].clone(), self.graph.outputs[index]);
        self.set_output(name.clone(), id);
        Ok((name, self.graph.shape(id).to_vec()))
    }

    /// Makes `id` the only output, called `name`, and removes the operations that it does not depend on.
    pub fn set_output(&mut self, name: String, id: ValueId) {
        let graph = &mut self.graph;
        graph.outputs = vec![id];
        graph.output_names = vec![name];
        let mut used = HashSet::from([id]);
        let mut nodes = std::mem::take(&mut graph.nodes);
        nodes.reverse();
        nodes.retain(|node| {
            let is_used = node.outputs.iter().any(|output| used.contains(output));
            if is_used {
                used.extend(&node.inputs);
            }
            is_used
        });
        nodes.reverse();
        graph.nodes = nodes;
    }

    /// Returns the name of the output with the class scores, or `None` if it is the first output.
    pub fn scores_name(&self) -> Option<String> {
        let mut names = self.graph.all_output_names();
        names.find(|name| name == LOGITS)
    }

    /// Returns the operand of the softmax over axis 1 that computes the first output, if one does.
    pub fn softmax_operand(&self) -> Option<ValueId> {
        self.operand(|op| *op == Op::Softmax { axis: 1 }, |op| *op == Op::Reshape)
    }

    /// Returns the operand of the fully connected layer that computes the first output, if one does. Softmax and
    /// activations may follow the layer.
    pub fn head_operand(&self) -> Option<ValueId> {
        self.operand(
            |op| *op == Op::Linear,
            |op| matches!(op, Op::Reshape | Op::Softmax { .. }) || op.is_activation(),
        )
    }

    /// Returns the first operand of the last operation that `is_searched`, if only operations follow that `is_skipped`.
    fn operand(
        &self,
        is_searched: impl Fn(&Op) -> bool,
        is_skipped: impl Fn(&Op) -> bool,
    ) -> Option<ValueId> {
        let mut id = *self.graph.outputs.first()?;
        loop {
            let mut nodes = self.graph.nodes.iter();
            let node = nodes.find(|node| node.outputs == [id])?;
            match &node.op {
                op if is_searched(op) => return Some(node.inputs[0]),
                op if is_skipped(op) => id = node.inputs[0],
                _ => return None,
            }
        }
    }

    /// Returns the metadata of a plan of the network.
    pub fn plan_metadata(&self) -> Metadata {
        let network = self.metadata.network.as_ref();
        Metadata {
            network: Some(network.unwrap_or(&self.file.name).clone()),
            input: match *self.input() {
                [_, channels, height, width] => Some([channels, height, width]),
                _ => None,
            },
            version: Some(metadata::VERSION.to_owned()),
            ..self.metadata.clone()
        }
    }

    /// Compiles the network.
    ///
    /// # Errors
    ///
    /// [`CliError::Compile`] when an operation cannot be compiled.
    pub fn compile(self, options: &Options) -> Result<Compiled, CliError> {
        let path = &self.file.path;
        let compiled = Compiled::from_graph(self.graph, options);
        compiled.map_err(|source| CliError::Compile {
            model: path.display().to_string(),
            source,
        })
    }
}
