//! One convolution as a program.

use std::sync::{Arc, LazyLock};

use burn::backend::TensorMetadata;

use super::host::Host;
use crate::cpu::{
    Activation, Algorithm, Border, Buffer, ConvSpec, ConvWorkload, Export, Import, Isa, Kernels,
    Map, Output, Taps,
};
use crate::ops::definition::convolution::Layer;
use crate::plan::{PackedProgram, Program, ProgramStep, Step};

/// What a convolution's program depends on, but for the weights' values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Geometry {
    pub spec: ConvSpec,
    /// Height and width of the input.
    pub size: [usize; 2],
    pub activation: Activation,
    pub isa: Isa,
}

/// `None` for a `RECEPTIVE_ISA` that is not here.
pub(super) fn isa() -> Option<Isa> {
    static ISA: LazyLock<Option<Isa>> = LazyLock::new(|| Isa::detect().ok());
    *ISA
}

/// Elements of the maps of one run, about, unless one image has more: what a cache holds.
const MAPS: usize = 2 << 20;

/// Images of one run: more of small maps gain nothing.
const IMAGES: usize = 64;

impl Geometry {
    /// `None` for what the kernels do not run: an input without elements, or a `RECEPTIVE_ISA` that is
    /// not here.
    pub fn new<B: Host>(x: &[usize; 4], layer: &Layer<B>) -> Option<Self> {
        if x.contains(&0) {
            return None;
        }
        let [_, channels_in, height, width] = *x;
        let [channels_out, _, rows, columns] = layer.weight.shape().dims();
        let options = &layer.options;
        let [(top, bottom), (left, right)] = options.padding;
        Some(Self {
            spec: ConvSpec {
                channels_in,
                channels_out,
                kernel: [rows, columns],
                stride: options.stride,
                padding: Border {
                    top,
                    bottom,
                    left,
                    right,
                },
                dilation: options.dilation,
                groups: options.groups,
            },
            size: [height, width],
            activation: layer.activation,
            isa: isa()?,
        })
    }

    /// The convolution that is the gradient of this one's input, with the weights
    /// [transposed](Taps::transposed) if there is one group: over the output's gradient with
    /// `stride - 1` zeros between its pixels, of the size that this has. `None` where the padding is more
    /// than the kernel's reach.
    pub fn of_input_gradient(&self) -> Option<Self> {
        let Self { spec, size, .. } = *self;
        let output = spec.output(size);
        let mut spread = [0; 2];
        let mut padding = [[0; 2]; 2];
        let before = [spec.padding.top, spec.padding.left];
        for axis in 0..2 {
            let reach = (spec.kernel[axis] - 1) * spec.dilation[axis];
            spread[axis] = (output[axis] - 1) * spec.stride[axis] + 1;
            let first = reach.checked_sub(before[axis])?;
            let last = (size[axis] + reach).checked_sub(first + spread[axis])?;
            padding[axis] = [first, last];
        }
        let [[top, bottom], [left, right]] = padding;
        let spec = ConvSpec {
            channels_in: spec.channels_out,
            channels_out: spec.channels_in,
            stride: [1, 1],
            padding: Border {
                top,
                bottom,
                left,
                right,
            },
            ..spec
        };
        Some(Self {
            spec,
            size: spread,
            activation: Activation::Identity,
            isa: self.isa,
        })
    }

    /// The same, where a kernel sees all of the map at once, over maps of one pixel that have every element
    /// as a channel: maps and weights are in memory as before, and no gradient is padded by the kernel's reach.
    pub fn of_one_pixel(self) -> Self {
        let Self { spec, size, .. } = self;
        if spec.kernel != size || spec.groups != 1 || !spec.padding.is_empty() {
            return self;
        }
        Self {
            spec: ConvSpec {
                channels_in: spec.channels_in * size[0] * size[1],
                kernel: [1, 1],
                stride: [1, 1],
                dilation: [1, 1],
                ..spec
            },
            size: [1, 1],
            ..self
        }
    }

    /// The same without padding.
    pub fn unpadded(self) -> Self {
        Self {
            spec: ConvSpec {
                padding: Border::default(),
                ..self.spec
            },
            ..self
        }
    }

    /// What computes it fastest, with weights that were packed before.
    fn algorithm(&self) -> Algorithm {
        self.fastest(self.workload())
    }

    /// The same for `images`, with weights that are packed for them.
    fn algorithm_once(&self, images: usize) -> Algorithm {
        self.fastest(ConvWorkload {
            images,
            packs_per_run: true,
            ..self.workload()
        })
    }

    /// One image. Between two runs of a layer all others of its network run, so its weights come from
    /// memory.
    fn workload(&self) -> ConvWorkload {
        ConvWorkload {
            weights_from_dram: true,
            ..ConvWorkload::new(self.spec, self.spec.output(self.size), self.isa)
        }
    }

    fn fastest(&self, workload: ConvWorkload) -> Algorithm {
        let output = self.spec.output(self.size);
        let mut candidates = Algorithm::candidates(&self.spec, output, self.is_planar());
        // Whose weights may change at any time, and are packed in each step of training.
        candidates.retain(|algorithm| *algorithm != Algorithm::FullyConnected);
        workload.fastest(&candidates).expect("direct, if no other")
    }

    /// Whether the input is read as it comes: a block would be mostly nothing.
    fn is_planar(&self) -> bool {
        self.spec.channels_in < self.isa.lanes() && !self.spec.is_depthwise()
    }

    /// What its packed weights depend on.
    pub fn packing(&self) -> Packing {
        Packing {
            spec: self.spec,
            algorithm: self.algorithm(),
            isa: self.isa,
        }
    }

    /// The weights as its program has them.
    pub fn pack(&self, weights: &[f32], biases: &[f32]) -> Buffer {
        let laid = self.lay_out(self.algorithm());
        let mut packed = Buffer::zeroed(laid.packed);
        laid.step.pack(weights, Some(biases), &mut packed);
        packed
    }

    /// The program with packed weights.
    pub fn load(&self, packed: Arc<Buffer>) -> PackedProgram {
        self.finish(self.lay_out(self.algorithm()), packed)
    }

    /// The program for `images` with weights that serve once, packed by `threads` threads into `packed`,
    /// which grows to what is needed. One group, or depthwise.
    pub fn load_once(
        &self,
        images: usize,
        threads: usize,
        taps: &Taps,
        biases: Option<&[f32]>,
        mut packed: Buffer,
    ) -> PackedProgram {
        let laid = self.lay_out(self.algorithm_once(images));
        let kernels = Kernels::get(self.isa);
        if packed.len() < laid.packed {
            packed = Buffer::zeroed(laid.packed);
        }
        match &laid.step {
            Step::Depthwise(step) => {
                let values: Vec<f32> = (0..self.spec.channels_out)
                    .flat_map(|channel| {
                        let first = taps.pair(channel, 0);
                        (0..taps.taps).map(move |tap| taps.values[first + taps.tap(tap)])
                    })
                    .collect();
                step.pack(&values, biases, &mut packed);
            }
            Step::Winograd(step) => step.pack_once(threads, kernels, taps, biases, &mut packed),
            Step::Direct(step) => step.pack_once(threads, kernels, taps, biases, &mut packed),
            _ => unreachable!("a convolution"),
        }
        self.finish(laid, packed)
    }

    fn lay_out(&self, algorithm: Algorithm) -> Laid {
        let Self {
            spec,
            size,
            activation,
            isa,
        } = *self;
        let [height, width] = spec.output(size);
        let lanes = match self.is_planar() {
            true => 1,
            false => isa.lanes(),
        };
        let input = [spec.channels_in, size[0], size[1]];
        let x = Map::new(input, algorithm.border(&spec, [height, width]), lanes, 0);
        let shape = [spec.channels_out, height, width];
        let y = Map::new(shape, Border::default(), isa.lanes(), 0);
        let images = (MAPS / (x.image + y.image)).clamp(1, IMAGES);
        let x = x.with_slots(images);
        let y = Map {
            offset: x.elements(),
            ..y.with_slots(images)
        };
        let output = Output {
            y,
            residual: None,
            activation,
        };
        let (step, packed) = Step::convolution(algorithm, spec, x, output, 0, isa);
        Laid {
            step,
            packed,
            x,
            y,
            images,
        }
    }

    fn finish(&self, laid: Laid, packed: impl Into<Arc<Buffer>>) -> PackedProgram {
        let packed = packed.into();
        let Laid {
            step, x, y, images, ..
        } = laid;
        let steps = [
            Step::Import(Import { y: x }),
            step,
            Step::Export(Export { x: y, output: 0 }),
        ];
        let named = |step| ProgramStep {
            name: String::new(),
            step,
            micro_batch: images,
        };
        let program = Program {
            isa: self.isa,
            images,
            input: x.shape(),
            outputs: vec![y.shape()],
            steps: steps.map(named).into(),
            arena: y.end(),
            weights: packed.len(),
        };
        PackedProgram::new(program, packed).expect("made to fit")
    }
}

/// What a convolution's packed weights depend on, but for their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Packing {
    spec: ConvSpec,
    algorithm: Algorithm,
    isa: Isa,
}

/// Where a convolution's maps lie, and how much memory its weights need.
struct Laid {
    step: Step,
    packed: usize,
    x: Map,
    y: Map,
    /// Images of one run.
    images: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fully connected layer of many weights, as the gradients see one.
    #[test]
    fn weights_that_may_change_are_packed_as_they_are() {
        let geometry = Geometry {
            spec: ConvSpec {
                channels_in: 4096,
                channels_out: 4096,
                kernel: [1, 1],
                stride: [1, 1],
                padding: Border::default(),
                dilation: [1, 1],
                groups: 1,
            },
            size: [1, 1],
            activation: Activation::Identity,
            isa: isa().expect("an instruction set of this machine"),
        };
        assert_eq!(geometry.algorithm(), Algorithm::Direct);
        assert_eq!(geometry.algorithm_once(1), Algorithm::Direct);
    }
}
