//! Recording chosen outputs of a [`Network`].

use burn::tensor::{Device, Tensor};

use super::error::GraphError;
use super::outputs::{OutputList, Outputs};
use super::structure::Graph;
use crate::network::Network;

/// The name of the class scores, `[batch, classes]`.
pub const LOGITS: &str = "logits";

/// The name of the input of the last layer, `[batch, features]`.
pub const EMBEDDING: &str = "embedding";

impl Graph {
    /// Records the outputs called `outputs` of the network that `init` creates on the given device,
    /// for images of shape `[batch, channels, height, width]`.
    ///
    /// A name is [`LOGITS`], [`EMBEDDING`], or the name of one of [`Network::STAGES`]. Layers that
    /// several outputs need are recorded once. The nodes have the reference names of the layers.
    ///
    /// # Errors
    ///
    /// [`GraphError::UnknownOutput`] if the network has no output of a name, and the errors of
    /// [`trace`](Self::trace).
    ///
    /// # Panics
    ///
    /// If `init` panics.
    pub fn trace_network<N: Network>(
        init: impl FnOnce(&Device) -> N,
        input: [usize; 4],
        outputs: &[&str],
    ) -> Result<Self, GraphError> {
        let names: Vec<&'static str> = [LOGITS, EMBEDDING]
            .into_iter()
            .chain(N::STAGES.iter().map(|stage| stage.name))
            .collect();
        let mut indices = Vec::new();
        for requested in outputs {
            let index = names.iter().position(|name| name == requested);
            indices.push(index.ok_or_else(|| GraphError::UnknownOutput {
                requested: (*requested).to_owned(),
                known: names.clone(),
            })?);
        }
        let mut graph = Self::trace(init, input, |network, images| {
            Selection::new(network, images, &indices)
        })?;
        graph.merge_duplicates();
        graph.output_names = outputs.iter().map(|&name| name.to_owned()).collect();
        Ok(graph.renamed(N::reference_name))
    }
}

impl Graph {
    /// Records chosen outputs of `network` with its weights, for images of shape `input`, as
    /// [`trace_network`](Self::trace_network) does. `network` may be on any device, and is not changed.
    ///
    /// # Errors
    ///
    /// As [`trace_network`](Self::trace_network).
    pub fn record_network<N: Network>(
        network: &N,
        input: [usize; 4],
        outputs: &[&str],
    ) -> Result<Self, GraphError> {
        // Clones of a module share their running statistics, so moving a clone to another device
        // would move the statistics of the original. `valid` copies the statistics.
        let network = network.valid();
        Self::trace_network(|device| network.to_device(device), input, outputs)
    }
}

/// The chosen outputs of a network, in the chosen order.
struct Selection(Vec<SelectedOutput>);

enum SelectedOutput {
    Vectors(Tensor<2>),
    Maps(Tensor<4>),
}

impl Selection {
    /// Runs `network`. An index is 0 for the logits, 1 for the embedding, and `2 + i` for stage `i`.
    fn new<N: Network>(network: &N, images: Tensor<4>, indices: &[usize]) -> Self {
        let maps = if indices.iter().any(|&index| index >= 2) {
            network.features(images.clone())
        } else {
            Vec::new()
        };
        let embedding = network.embed(images);
        let select = |&index: &usize| match index {
            0 => SelectedOutput::Vectors(network.classify(embedding.clone())),
            1 => SelectedOutput::Vectors(embedding.clone()),
            stage => SelectedOutput::Maps(maps[stage - 2].clone()),
        };
        Self(indices.iter().map(select).collect())
    }
}

impl Outputs for Selection {
    fn list(self, outputs: &mut OutputList) {
        for output in self.0 {
            match output {
                SelectedOutput::Vectors(vectors) => outputs.push(vectors),
                SelectedOutput::Maps(maps) => outputs.push(maps),
            }
        }
    }
}
