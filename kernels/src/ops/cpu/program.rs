//! Program of one convolution.

use std::sync::{Arc, LazyLock};

use burn::backend::TensorMetadata;

use super::host::HostBackend;
use crate::cpu::{
    Activation, Algorithm, Border, Buffer, ConvSpec, ConvWorkload, Export, Import, Isa, Kernels,
    Map, Output, Taps,
};
use crate::ops::definition::convolution::Layer;
use crate::plan::{ConvStep, PackedProgram, Program, ProgramStep, Step};

/// Convolution without its weights: the parameters that determine its program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ConvGeometry {
    pub spec: ConvSpec,
    /// Height and width of the input.
    pub size: [usize; 2],
    pub activation: Activation,
    pub isa: Isa,
}

/// Instruction set of the programs; `None` if this machine lacks the one that the environment variable
/// `RECEPTIVE_ISA` names.
pub(super) fn isa() -> Option<Isa> {
    static ISA: LazyLock<Option<Isa>> = LazyLock::new(|| Isa::detect().ok());
    *ISA
}

/// Approximate size of the maps of a micro-batch, in elements, so that a cache holds them. A larger
/// image has a micro-batch to itself.
const MICRO_BATCH_ELEMENTS: usize = 2 << 20;

/// Largest micro-batch, in images. More images with small maps are not faster.
const MAX_MICRO_BATCH: usize = 64;

impl ConvGeometry {
    /// The geometry of `layer` over an input of shape `x`. `None` if the kernels do not support it: the
    /// input has no elements, or [`isa`] returns `None`.
    pub fn new<B: HostBackend>(x: &[usize; 4], layer: &Layer<B>) -> Option<Self> {
        if x.contains(&0) {
            return None;
        }
        let [_, channels_in, height, width] = *x;
        let [channels_out, _, kernel_height, kernel_width] = layer.weight.shape().dims();
        let options = &layer.options;
        let [(top, bottom), (left, right)] = options.padding;
        Some(Self {
            spec: ConvSpec {
                channels_in,
                channels_out,
                kernel: [kernel_height, kernel_width],
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

    /// The convolution that computes the gradient of this convolution's input. `None` if the padding
    /// exceeds the kernel's extent minus 1.
    ///
    /// The returned convolution reads the output gradient with `stride - 1` zeros between pixels (zero
    /// insertion), uses the [transposed](Taps::transposed) weights if there is one group, and has an output
    /// of the size of this convolution's input.
    pub fn of_input_gradient(&self) -> Option<Self> {
        let Self { spec, size, .. } = *self;
        let output = spec.output(size);
        let mut dilated = [0; 2];
        let mut padding = [[0; 2]; 2];
        let before = [spec.padding.top, spec.padding.left];
        for axis in 0..2 {
            let reach = (spec.kernel[axis] - 1) * spec.dilation[axis];
            dilated[axis] = (output[axis] - 1) * spec.stride[axis] + 1;
            let first = reach.checked_sub(before[axis])?;
            let last = (size[axis] + reach).checked_sub(first + dilated[axis])?;
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
            size: dilated,
            activation: Activation::Identity,
            isa: self.isa,
        })
    }

    /// Returns the equivalent pointwise convolution over one pixel if the kernel covers the whole input;
    /// otherwise `self`.
    ///
    /// Every element of the input is a channel of that pixel. Input and weights keep their order in
    /// memory, and the gradient of the input needs no padding.
    pub fn flatten_full_kernel(self) -> Self {
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

    /// Returns the same convolution without padding.
    pub fn without_padding(self) -> Self {
        Self {
            spec: ConvSpec {
                padding: Border::default(),
                ..self.spec
            },
            ..self
        }
    }

    /// The fastest algorithm for one image with packed weights.
    fn algorithm(&self) -> Algorithm {
        self.fastest(self.workload())
    }

    /// The fastest algorithm for `images` images, including the time to pack the weights.
    fn algorithm_with_packing(&self, images: usize) -> Algorithm {
        self.fastest(ConvWorkload {
            images,
            packs_per_run: true,
            ..self.workload()
        })
    }

    /// Workload of one image. The other layers of the network run between two runs of this layer, so
    /// its weights are read from DRAM.
    fn workload(&self) -> ConvWorkload {
        ConvWorkload {
            weights_from_dram: true,
            ..ConvWorkload::new(self.spec, self.spec.output(self.size), self.isa)
        }
    }

    fn fastest(&self, workload: ConvWorkload) -> Algorithm {
        let output = self.spec.output(self.size);
        let mut candidates = Algorithm::candidates(&self.spec, output, self.is_planar());
        // 24-bit weights are for plans whose weights are fixed. The weights of a tensor may change at
        // any time, and training packs them in every step.
        candidates.retain(|algorithm| *algorithm != Algorithm::FullyConnected);
        workload
            .fastest(&candidates)
            .expect("direct convolution or another algorithm fits every convolution")
    }

    /// Whether the input map is planar, since most lanes of a block of channels would be unused.
    fn is_planar(&self) -> bool {
        self.spec.channels_in < self.isa.lanes() && !self.spec.is_depthwise()
    }

    /// The parameters that determine the layout of the packed weights.
    pub fn packing(&self) -> WeightPacking {
        WeightPacking {
            spec: self.spec,
            algorithm: self.algorithm(),
            isa: self.isa,
        }
    }

    /// Returns the packed weights for [`program`](Self::program).
    pub fn pack(&self, weights: &[f32], biases: &[f32]) -> Buffer {
        let layout = self.layout(self.algorithm());
        let mut packed = Buffer::zeroed(layout.packed_len);
        Step::from(layout.step).pack(weights, Some(biases), &mut packed);
        packed
    }

    /// Returns the program with packed weights.
    pub fn program(&self, packed: Arc<Buffer>) -> PackedProgram {
        self.finish(self.layout(self.algorithm()), packed)
    }

    /// Returns the program for one run of `images` images. Packs the weights on `threads` threads into
    /// `packed`, which grows to the required size. The convolution has one group or is depthwise.
    pub fn pack_program(
        &self,
        images: usize,
        threads: usize,
        taps: &Taps,
        biases: Option<&[f32]>,
        mut packed: Buffer,
    ) -> PackedProgram {
        let layout = self.layout(self.algorithm_with_packing(images));
        let kernels = Kernels::get(self.isa);
        if packed.len() < layout.packed_len {
            packed = Buffer::zeroed(layout.packed_len);
        }
        match &layout.step {
            ConvStep::Direct(step) => step.pack_once(threads, kernels, taps, biases, &mut packed),
            ConvStep::Winograd(step) => step.pack_once(threads, kernels, taps, biases, &mut packed),
            ConvStep::Depthwise(step) => {
                step.pack(&self.weights_in_order(taps), biases, &mut packed);
            }
            ConvStep::FullyConnected(step) => {
                step.pack(&self.weights_in_order(taps), biases, &mut packed);
            }
        }
        self.finish(layout, packed)
    }

    /// Returns the weights that `taps` views, `[out, in / groups, height, width]`.
    fn weights_in_order(&self, taps: &Taps) -> Vec<f32> {
        let channels = self.spec.channels_in / self.spec.groups;
        (0..self.spec.channels_out)
            .flat_map(|out| (0..channels).map(move |channel| taps.pair(out, channel)))
            .flat_map(|first| (0..taps.taps).map(move |tap| taps.values[first + taps.tap(tap)]))
            .collect()
    }

    /// Maps and step of the program.
    fn layout(&self, algorithm: Algorithm) -> ConvLayout {
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
        let images = (MICRO_BATCH_ELEMENTS / (x.image + y.image)).clamp(1, MAX_MICRO_BATCH);
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
        let (step, packed_len) = ConvStep::new(algorithm, spec, x, output, 0, isa);
        ConvLayout {
            step,
            packed_len,
            x,
            y,
            images,
        }
    }

    /// Returns the program of `layout` with packed weights.
    fn finish(&self, layout: ConvLayout, packed: impl Into<Arc<Buffer>>) -> PackedProgram {
        let packed = packed.into();
        let ConvLayout {
            step, x, y, images, ..
        } = layout;
        let steps = [
            Step::Import(Import { y: x }),
            step.into(),
            Step::Export(Export { x: y, output: 0 }),
        ];
        let program_step = |step| ProgramStep {
            name: String::new(),
            step,
            micro_batch: images,
        };
        let program = Program {
            isa: self.isa,
            images,
            input: x.shape(),
            outputs: vec![y.shape()],
            steps: steps.map(program_step).into(),
            arena: y.end(),
            weights: packed.len(),
        };
        PackedProgram::new(program, packed).expect("the program is valid")
    }
}

/// The parameters that determine the layout of the packed weights of a convolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WeightPacking {
    spec: ConvSpec,
    algorithm: Algorithm,
    isa: Isa,
}

/// Maps and step of the program of a convolution.
struct ConvLayout {
    step: ConvStep,
    /// Elements of the packed weights.
    packed_len: usize,
    x: Map,
    y: Map,
    /// Images of a micro-batch.
    images: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointwise(channels_in: usize, channels_out: usize) -> ConvGeometry {
        ConvGeometry {
            spec: ConvSpec {
                channels_in,
                channels_out,
                kernel: [1, 1],
                stride: [1, 1],
                padding: Border::default(),
                dilation: [1, 1],
                groups: 1,
            },
            size: [1, 1],
            activation: Activation::Identity,
            isa: isa().expect("an instruction set of this machine"),
        }
    }

    #[test]
    fn large_fully_connected_layers_have_f32_weights() {
        let geometry = pointwise(4096, 4096);
        assert_eq!(geometry.algorithm(), Algorithm::Direct);
        assert_eq!(geometry.algorithm_with_packing(1), Algorithm::Direct);
    }

    #[test]
    fn transposed_weights_in_order() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let taps = Taps::new(&pointwise(3, 2).spec, &values);
        let transposed = pointwise(2, 3).weights_in_order(&taps.transposed());
        assert_eq!(pointwise(3, 2).weights_in_order(&taps), values);
        assert_eq!(transposed, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
