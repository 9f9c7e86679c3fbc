//! One convolution as a program.

use std::sync::LazyLock;

use burn::backend::TensorMetadata;

use super::Host;
use crate::cpu::{
    Activation, Border, Buffer, ConvSpec, Depthwise, Direct, Export, Import, Isa, Kernels, Map,
    Output, Winograd, WinogradTile,
};
use crate::ops::convolution::Layer;
use crate::plan::{Loaded, Named, Program, Step};

/// What a convolution's program depends on, but for the weights' values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Geometry {
    pub spec: ConvSpec,
    /// Height and width of the input.
    pub size: [usize; 2],
    pub activation: Activation,
    isa: Isa,
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

/// Channels from which Winograd's fewer multiplications pay for its transforms.
const WINOGRAD_CHANNELS: usize = 32;

/// Rows and columns of output from which tiles of 2x2, and of 4x4, do.
const WINOGRAD_SIZES: [usize; 2] = [4, 8];

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

    fn tile(&self) -> Option<WinogradTile> {
        let Self { spec, size, .. } = self;
        let least = spec.channels_in.min(spec.channels_out);
        let [height, width] = spec.output(*size);
        let side = height.min(width);
        let [two, four] = WINOGRAD_SIZES;
        [
            (WinogradTile::Four, four),
            (WinogradTile::Two, two),
            (WinogradTile::TwoOfFive, two),
        ]
        .into_iter()
        .find(|&(tile, smallest)| tile.fits(spec) && side >= smallest && least >= WINOGRAD_CHANNELS)
        .map(|(tile, _)| tile)
    }

    /// The program with these weights.
    pub fn load(&self, weights: &[f32], biases: &[f32]) -> Loaded {
        let Self {
            spec,
            size,
            activation,
            isa,
        } = *self;
        let kernels = Kernels::get(isa);
        let tile = self.tile();
        let [height, width] = spec.output(size);
        let border = tile.map_or(spec.padding, |tile| tile.border(&spec, [height, width]));
        // A few channels are read as they come.
        let few = spec.channels_in < kernels.lanes && !spec.is_depthwise();
        let lanes = match few && tile.is_none() {
            true => 1,
            false => kernels.lanes,
        };
        let input = [spec.channels_in, size[0], size[1]];
        let x = Map::new(input, border, lanes, 0);
        let shape = [spec.channels_out, height, width];
        let y = Map::new(shape, Border::default(), kernels.lanes, 0);
        let images = (MAPS / (x.image + y.image)).clamp(1, IMAGES);
        let y = Map {
            offset: x.len(images),
            ..y
        };
        let output = Output {
            y,
            residual: None,
            activation,
        };
        let biases = Some(biases);
        let (step, packed) = match tile {
            None if spec.is_depthwise() => {
                let step = Depthwise::new(spec, x, output, 0);
                let mut packed = Buffer::zeroed(Depthwise::packed_len(&spec, lanes));
                step.pack(weights, biases, &mut packed);
                (Step::Depthwise(step), packed)
            }
            Some(tile) => {
                let step = Winograd::new(tile, spec, x, output, 0, kernels.blocking);
                let len = Winograd::packed_len(tile, &spec, kernels.lanes);
                let mut packed = Buffer::zeroed(len);
                step.pack(weights, biases, &mut packed);
                (Step::Winograd(step), packed)
            }
            None => {
                let step = Direct::new(spec, x, output, 0);
                let mut packed = Buffer::zeroed(Direct::packed_len(&spec, lanes, kernels.lanes));
                step.pack(weights, biases, &mut packed);
                (Step::Direct(step), packed)
            }
        };
        let steps = [
            Step::Import(Import { y: x }),
            step,
            Step::Export(Export { x: y, output: 0 }),
        ];
        let named = |step| Named {
            name: String::new(),
            step,
            together: images,
        };
        let program = Program {
            isa,
            images,
            input,
            outputs: vec![shape],
            steps: steps.map(named).into(),
            arena: y.end(images),
            weights: packed.len(),
        };
        Loaded::new(program, packed).expect("made to fit")
    }
}
