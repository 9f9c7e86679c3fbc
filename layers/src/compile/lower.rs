//! Lowering of layers over maps to the steps of a program, and packing of the weights.

use receptive_kernels::cpu::{
    AdaptiveMean, Algorithm, Apply, Binary, Buffer, Constant, Contract, CopyChannels, Export,
    Import, Lrn, Map, MaxPool, MeanPool, Output, RadialBasis, Rearrange, Reduce, Resample,
    Separable, Softmax, Unary,
};
use receptive_kernels::plan::{Program, ProgramStep, Step};
use serde::{Deserialize, Serialize};

use super::choose::Target;
use super::error::{CompileError, Problem};
use super::layout::{MemoryLayout, copied_operands};
use super::net::{self, Layer, LayerOp, Net};
use super::segments::Segments;
use super::values::Values;
use crate::graph::ValueId;

/// Name, algorithm and cost of a step of a compiled network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCost {
    /// Name of the layer in the graph.
    pub name: String,
    /// Algorithm of the step: `direct`, `winograd f(4,3)`, `max pool`.
    pub algorithm: String,
    /// Multiply-adds of the largest batch by the definition of the layer, whatever the algorithm
    /// computes.
    pub multiply_adds: u64,
    /// Least memory traffic of the largest batch, in bytes: every map is read or written once, and
    /// the packed weights are read once.
    pub bytes: u64,
}

/// A program without its packed weights.
pub(super) struct Lowered {
    pub program: Program,
    pub costs: Vec<StepCost>,
    /// Indices of the steps with weights, each with the index of its layer.
    weighted: Vec<(usize, usize)>,
}

struct Lowering<'a> {
    net: &'a Net,
    layout: MemoryLayout,
    target: Target,
    /// Micro-batch of the next steps, in images.
    micro_batch: usize,
    lowered: Lowered,
}

/// Lowers `net` to the steps of a program for `target`.
pub(super) fn lower(net: &Net, algorithms: &[Option<Algorithm>], target: Target) -> Lowered {
    let lanes = target.isa.lanes();
    let segments = Segments::from_net(net, lanes, target.batch);
    let layout = MemoryLayout::new(net, algorithms, lanes, target.batch, &segments);
    let program = Program {
        isa: target.isa,
        images: target.batch,
        input: net.shape(net.input),
        outputs: net.output_shapes.clone(),
        steps: Vec::new(),
        arena: layout.arena,
        weights: 0,
    };
    let mut lowering = Lowering {
        net,
        layout,
        target,
        micro_batch: segments.micro_batch(0),
        lowered: Lowered {
            program,
            costs: Vec::new(),
            weighted: Vec::new(),
        },
    };
    let y = lowering.layout.map(net, net.input);
    lowering.push("input", Step::Import(Import { y }), "import", 0, &[y, y]);
    for (index, (layer, algorithm)) in net.layers.iter().zip(algorithms).enumerate() {
        lowering.micro_batch = segments.micro_batch(index + 1);
        lowering.layer(index, layer, *algorithm);
    }
    lowering.micro_batch = segments.micro_batch(net.layers.len() + 1);
    for (output, &map) in net.outputs.iter().enumerate() {
        let x = lowering.layout.map(net, map);
        let step = Step::Export(Export { x, output });
        lowering.push("output", step, "export", 0, &[x, x]);
    }
    lowering.lowered
}

impl Lowering<'_> {
    fn layer(&mut self, index: usize, layer: &Layer, algorithm: Option<Algorithm>) {
        let net = self.net;
        let y = self.layout.map(net, layer.output);
        // A constant has no input.
        let input = layer.inputs.first().copied().unwrap_or(layer.output);
        let x = self.layout.map(net, input);
        let residual = layer.residual.map(|map| self.layout.map(net, map));
        let output = Output {
            y,
            residual,
            activation: layer.activation,
        };
        let macs = layer.multiply_adds(net.shape(layer.output));
        let isa = self.target.isa;
        let (lanes, blocking) = (isa.lanes(), isa.blocking());
        let weights = self.lowered.program.weights;
        let (step, word, len) = match &layer.op {
            LayerOp::Conv { spec, .. } => {
                let algorithm = algorithm.unwrap_or(Algorithm::Direct);
                let (step, len) = Step::convolution(algorithm, *spec, x, output, weights, isa);
                (step, algorithm.name(), len)
            }
            LayerOp::Separable { first, spec, .. } => {
                let depthwise = (first.spec, first.activation);
                let step = Separable::new(depthwise, *spec, x, output, weights, blocking);
                let len = Separable::packed_len(&first.spec, spec, lanes);
                let word = match first.spec.kernel {
                    [1, 1] => "direct, gathered",
                    _ => "separable",
                };
                (Step::Separable(Box::new(step)), word, len)
            }
            LayerOp::RadialBasis { inputs, .. } => (
                Step::RadialBasis(RadialBasis::new(x, y, weights)),
                "radial basis",
                RadialBasis::packed_len(*inputs, y.channels, lanes),
            ),
            LayerOp::MaxPool(window) => (Step::MaxPool(MaxPool::new(*window, x, y)), "max pool", 0),
            LayerOp::MeanPool {
                window,
                count_include_pad,
            } => (
                Step::MeanPool(MeanPool::new(*window, *count_include_pad, x, y)),
                "mean pool",
                0,
            ),
            LayerOp::AdaptiveMean => (
                Step::AdaptiveMean(AdaptiveMean::new(x, y)),
                "adaptive mean",
                0,
            ),
            LayerOp::Lrn {
                size,
                alpha,
                beta,
                k,
            } => (
                Step::Lrn(Lrn::new(
                    *size,
                    *alpha as f32,
                    *beta as f32,
                    *k as f32,
                    x,
                    y,
                )),
                "local response norm",
                0,
            ),
            LayerOp::Binary(op) => {
                let b = self.layout.map(net, layer.inputs[1]);
                let step = Step::Binary(Binary::new(*op, x, b, output));
                self.push(&layer.name, step, "arithmetic", 0, &[x, b, y]);
                return;
            }
            LayerOp::Activation => (
                Step::Unary(Unary::new(x, y, layer.activation)),
                "activation",
                0,
            ),
            LayerOp::Function(function) => {
                (Step::Apply(Apply::new(x, y, *function)), "function", 0)
            }
            LayerOp::Softmax => (Step::Softmax(Softmax::new(x, y)), "softmax", 0),
            LayerOp::Rearrange(copy) => (
                Step::Rearrange(Rearrange::new(
                    x,
                    y,
                    copy.base,
                    copy.axes.clone(),
                    copy.fill,
                )),
                "copy",
                0,
            ),
            LayerOp::Reduce {
                reduction,
                outer,
                inner,
            } => (
                Step::Reduce(Reduce::new(
                    x,
                    y,
                    *reduction,
                    0,
                    outer.clone(),
                    inner.clone(),
                )),
                "reduction",
                0,
            ),
            LayerOp::Contract { outer, inner } => {
                let b = self.layout.map(net, layer.inputs[1]);
                let step = Contract::new([x, b], y, outer.clone(), inner.clone(), [0, 0]);
                self.push(
                    &layer.name,
                    Step::Contract(step),
                    "product",
                    macs,
                    &[x, b, y],
                );
                return;
            }
            LayerOp::Resample { rows, columns } => (
                Step::Resample(Resample::new(x, y, rows.clone(), columns.clone())),
                "interpolation",
                0,
            ),
            LayerOp::Constant(_) => (
                Step::Constant(Constant::new(y, weights)),
                "constant",
                Constant::packed_len(&y),
            ),
            LayerOp::Concat => {
                for (operand, first) in copied_operands(net, &self.layout, layer) {
                    let x = self.layout.map(net, operand);
                    let step = Step::CopyChannels(CopyChannels::new(x, y, first));
                    self.push(&layer.name, step, "copy", 0, &[x, x]);
                }
                return;
            }
            // A slice is a view of its input.
            LayerOp::Slice(_) => return,
            LayerOp::Affine(_) | LayerOp::Pad(_) => {
                unreachable!("the passes replaced {} by a convolution", layer.name)
            }
        };
        if len > 0 {
            let steps = self.lowered.program.steps.len();
            self.lowered.weighted.push((steps, index));
            self.lowered.program.weights = (weights + len).next_multiple_of(LINE);
        }
        let mut maps = vec![x, y];
        maps.extend(residual);
        self.push(&layer.name, step, word, macs, &maps);
        let cost = (self.lowered.costs.last_mut()).expect("the cost of the pushed step");
        cost.bytes += 4 * len as u64;
    }

    fn push(&mut self, name: &str, step: Step, algorithm: &str, macs: u64, maps: &[Map]) {
        let batch = self.target.batch as u64;
        let elements: u64 = maps
            .iter()
            .map(|map| map.shape().iter().product::<usize>() as u64)
            .sum();
        self.lowered.program.steps.push(ProgramStep {
            name: name.to_owned(),
            step,
            micro_batch: self.micro_batch,
        });
        self.lowered.costs.push(StepCost {
            name: name.to_owned(),
            algorithm: algorithm.to_owned(),
            multiply_adds: batch * macs,
            bytes: batch * elements * 4,
        });
    }
}

/// Alignment of each layer's packed weights: one cache line, in elements.
const LINE: usize = 16;

impl Lowered {
    /// Returns the indices of the steps with weights, each with the index of its layer.
    pub fn weighted_steps(&self) -> Vec<(usize, usize)> {
        self.weighted.clone()
    }

    /// Packs the weights of all steps. The elements in `values` are freed after their last use.
    pub fn pack(&self, net: &Net, values: &mut Values) -> Result<Buffer, CompileError> {
        let layers = self.weighted.iter().map(|&(_, layer)| &net.layers[layer]);
        let sources: Vec<ValueId> = layers.flat_map(sources).collect();
        values.expect_reads(&sources);
        let mut packed = Buffer::zeroed(self.program.weights);
        for &(step, layer) in &self.weighted {
            let layer = &net.layers[layer];
            let step = &self.program.steps[step].step;
            let len = net.shape(layer.output).iter().product();
            pack(step, layer, len, values, &mut packed)
                .map_err(|problem| problem.in_layer(&layer.name))?;
        }
        Ok(packed)
    }
}

/// Returns the constant values that a layer's weights are computed from, with repetitions.
fn sources(layer: &Layer) -> Vec<ValueId> {
    match &layer.op {
        LayerOp::Conv { weights, .. } => weights.sources(),
        LayerOp::Separable { first, weights, .. } => {
            [first.weights.sources(), weights.sources()].concat()
        }
        LayerOp::RadialBasis { centers, .. } => vec![*centers],
        LayerOp::Constant(net::Constant::Value { value, .. }) => vec![*value],
        LayerOp::Constant(net::Constant::Fill(_))
        | LayerOp::MaxPool(_)
        | LayerOp::MeanPool { .. }
        | LayerOp::AdaptiveMean
        | LayerOp::Lrn { .. }
        | LayerOp::Binary(_)
        | LayerOp::Activation
        | LayerOp::Function(_)
        | LayerOp::Softmax
        | LayerOp::Concat
        | LayerOp::Rearrange(_)
        | LayerOp::Reduce { .. }
        | LayerOp::Contract { .. }
        | LayerOp::Resample { .. }
        | LayerOp::Slice(_)
        | LayerOp::Affine(_)
        | LayerOp::Pad(_) => Vec::new(),
    }
}

/// Packs the weights of `layer`, whose output has `len` elements, for `step` into `packed`.
///
/// # Panics
///
/// When the step does not compute the layer: a step with weights is never left unpacked.
fn pack(
    step: &Step,
    layer: &Layer,
    len: usize,
    values: &mut Values,
    packed: &mut [f32],
) -> Result<(), Problem> {
    match (&layer.op, step) {
        (
            LayerOp::Conv { spec, weights },
            Step::Direct(_) | Step::FullyConnected(_) | Step::Depthwise(_) | Step::Winograd(_),
        ) => {
            let (weights, bias) = weights.evaluate(spec, values)?;
            step.pack(&weights, bias.as_deref(), packed);
        }
        (
            LayerOp::Separable {
                first,
                spec,
                weights,
            },
            Step::Separable(step),
        ) => {
            let (first, first_bias) = first.weights.evaluate(&first.spec, values)?;
            let (second, second_bias) = weights.evaluate(spec, values)?;
            let first = (&first[..], first_bias.as_deref());
            step.pack(first, (&second, second_bias.as_deref()), packed);
        }
        (LayerOp::RadialBasis { centers, .. }, Step::RadialBasis(step)) => {
            step.pack(&values.floats(*centers)?, packed);
        }
        (LayerOp::Constant(constant), Step::Constant(step)) => {
            let elements = match constant {
                net::Constant::Value { value, shape } => values.broadcast(*value, shape)?,
                net::Constant::Fill(number) => vec![*number as f32; len],
            };
            step.pack(&elements, packed);
        }
        (_, step) => panic!("layer {} has weights, but its step is {step:?}", layer.name),
    }
    Ok(())
}
