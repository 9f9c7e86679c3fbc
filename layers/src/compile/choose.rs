//! Choice of an algorithm for each convolution by the cost model.

use receptive_kernels::cpu::{Algorithm, ConvSpec, ConvWorkload, CostModel, Isa};

use super::error::{CompileError, Problem};
use super::layout::is_planar;
use super::net::{LayerOp, Net};
use super::options::{Options, Precision};
use super::segments::Segments;

/// The machine configuration that a network is compiled for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub isa: Isa,
    /// Largest batch size, in images.
    pub batch: usize,
    pub threads: usize,
}

/// A convolution of a network and its candidate algorithms.
pub(super) struct Choice {
    /// Index of the layer in [`Net::layers`].
    pub layer: usize,
    pub candidates: Vec<Algorithm>,
    pub workload: ConvWorkload,
}

/// Returns every convolution of `net` with its candidate algorithms: the algorithm that `options`
/// name for the layer, or otherwise all that the precision allows.
pub(super) fn choices(
    net: &Net,
    options: &Options,
    target: Target,
) -> Result<Vec<Choice>, CompileError> {
    let planar = is_planar(net);
    let segments = Segments::from_net(net, target.isa.lanes(), target.batch);
    let mut choices = Vec::new();
    let mut requested = options.algorithms.clone();
    for (index, layer) in net.layers.iter().enumerate() {
        let LayerOp::Conv { spec, .. } = &layer.op else {
            continue;
        };
        let planar = planar && layer.inputs[0] == net.input;
        let [_, height, width] = net.shape(layer.output);
        let output = [height, width];
        let candidates = match requested.remove(&layer.name) {
            None => allowed(spec, output, planar, options.precision),
            Some(algorithm) if algorithm.fits(spec, output, planar) => vec![algorithm],
            Some(algorithm) => {
                let all = Algorithm::ALL.into_iter();
                let fitting = all.filter(|algorithm| algorithm.fits(spec, output, planar));
                let problem = Problem::Algorithm {
                    algorithm: algorithm.name(),
                    fitting: fitting.map(Algorithm::name).collect(),
                };
                return Err(problem.in_layer(&layer.name));
            }
        };
        choices.push(Choice {
            layer: index,
            candidates,
            workload: ConvWorkload {
                images: segments.micro_batch(index + 1),
                ..ConvWorkload::new(*spec, output, target.isa)
            },
        });
    }
    if let Some(name) = requested.into_keys().next() {
        let names = choices.iter().map(|choice| &net.layers[choice.layer].name);
        return Err(CompileError::UnknownLayer {
            requested: name,
            known: names.cloned().collect(),
        });
    }
    Ok(choices)
}

/// Returns the algorithms for a convolution that `precision` allows.
fn allowed(
    spec: &ConvSpec,
    output: [usize; 2],
    planar: bool,
    precision: Precision,
) -> Vec<Algorithm> {
    let mut candidates = Algorithm::candidates(spec, output, planar);
    if precision == Precision::Exact {
        candidates.retain(|algorithm| algorithm.is_exact());
    }
    candidates
}

/// Returns the fastest algorithm of each convolution by the [cost model](CostModel); `None` for
/// other layers.
pub(super) fn modelled(net: &Net, choices: &[Choice]) -> Vec<Option<Algorithm>> {
    let convolutions: Vec<_> = (choices.iter())
        .map(|choice| (choice.workload, choice.candidates.clone()))
        .collect();
    let mut algorithms = vec![None; net.layers.len()];
    let chosen = CostModel::FITTED.choose(&convolutions);
    for (choice, algorithm) in choices.iter().zip(chosen) {
        algorithms[choice.layer] = algorithm;
    }
    algorithms
}
