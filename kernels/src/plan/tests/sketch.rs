//! A small program with every step in it.

use crate::cpu::tests::noise;
use crate::cpu::{
    Activation, AdaptiveMean, Binary, BinaryOp, Border, Buffer, ConvSpec, CopyChannels, Depthwise,
    Direct, Export, FullyConnected, Import, Isa, Kernels, Lrn, Map, MaxPool, MeanPool, Output,
    PoolWindow, RadialBasis, Separable, Softmax, Unary, Winograd, WinogradTile,
};
use crate::plan::{Program, ProgramStep, Step};

/// A program in the making: maps one after the other, never reused.
struct Sketch {
    lanes: usize,
    images: usize,
    /// Images that pass the next steps together.
    micro_batch: usize,
    /// Whether each image has its memory to itself.
    separate: bool,
    arena: usize,
    steps: Vec<ProgramStep>,
    weights: Vec<f32>,
}

impl Sketch {
    fn map(&mut self, shape: [usize; 3], around: usize) -> Map {
        self.place(shape, around, self.lanes)
    }

    fn place(&mut self, shape: [usize; 3], around: usize, lanes: usize) -> Map {
        let border = Border {
            top: around,
            bottom: around,
            left: around,
            right: around,
        };
        let map = Map::new(shape, border, lanes, self.arena);
        self.lay(map.with_slots(self.micro_batch))
    }

    fn lay(&mut self, mut map: Map) -> Map {
        if self.separate {
            self.arena += map.image;
            map.image = SEPARATE;
            assert!(self.arena <= SEPARATE);
        } else {
            self.arena += map.elements();
        }
        map
    }

    /// So many images pass the next steps together, or all of them.
    fn micro_batch(&mut self, images: usize) {
        self.micro_batch = self.at_once(images);
    }

    fn at_once(&self, images: usize) -> usize {
        match self.separate {
            true => self.images,
            false => images.min(self.images),
        }
    }

    /// A map that later steps read, which so many images pass together.
    fn for_later(&mut self, images: usize, shape: [usize; 3]) -> Map {
        let map = Map::new(shape, Border::default(), self.lanes, self.arena);
        self.lay(map.with_slots(self.at_once(images)))
    }

    fn step(&mut self, name: &str, step: Step) {
        let name = name.to_owned();
        let micro_batch = self.micro_batch;
        self.steps.push(ProgramStep {
            name,
            step,
            micro_batch,
        });
    }

    /// Where `len` elements of packed weights begin, which `pack` fills.
    fn pack(&mut self, len: usize, pack: impl FnOnce(&mut [f32])) {
        self.weights.resize(self.weights.len() + len, f32::NAN);
        pack(&mut self.weights);
    }
}

fn spec([channels_in, channels_out]: [usize; 2], kernel: usize, stride: usize) -> ConvSpec {
    let padding = kernel / 2;
    ConvSpec {
        channels_in,
        channels_out,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: Border {
            top: padding,
            bottom: padding,
            left: padding,
            right: padding,
        },
        dilation: [1, 1],
        groups: 1,
    }
}

fn output(y: Map, activation: Activation) -> Output {
    Output {
        y,
        residual: None,
        activation,
    }
}

fn pool(kernel: usize, stride: usize, padding: usize) -> PoolWindow {
    PoolWindow {
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [1, 1],
    }
}

/// A network of two outputs with every step in it, for batches of up to `images`, which pass its
/// first steps one by one and others in twos, and its weights.
pub fn every_step(isa: Isa, images: usize) -> (Program, Buffer) {
    sketch(isa, images, false)
}

/// The same network with a part of the arena for each image, which all pass all steps together.
pub fn separate_images(isa: Isa, images: usize) -> (Program, Buffer) {
    sketch(isa, images, true)
}

/// Elements of the arena that an image has to itself.
const SEPARATE: usize = 1 << 16;

fn sketch(isa: Isa, images: usize, separate: bool) -> (Program, Buffer) {
    let kernels = Kernels::get(isa);
    let lanes = kernels.lanes;
    let mut s = Sketch {
        lanes,
        images,
        micro_batch: 0,
        separate,
        arena: 0,
        steps: Vec::new(),
        weights: Vec::new(),
    };
    s.micro_batch(1);
    let input = [3, 12, 11];
    let image = s.place(input, 1, 1);
    s.step("input", Step::Import(Import { y: image }));

    let conv = spec([3, 20], 3, 2);
    let x = s.map([20, 6, 6], 3);
    let from = s.weights.len();
    let step = Direct::new(conv, image, output(x, Activation::Relu), from);
    s.pack(Direct::packed_len(&conv, 1, lanes), |packed| {
        step.pack(&noise(1, conv.weights()), None, packed);
    });
    s.step("direct", Step::Direct(step));

    let conv = spec([20, 20], 3, 1);
    let tile = WinogradTile::Four;
    let sums = s.map([20, 6, 6], 1);
    let residual = Output {
        residual: Some(x),
        ..output(sums, Activation::Identity)
    };
    let from = s.weights.len();
    let step = Winograd::new(tile, conv, x, residual, from, kernels.blocking);
    s.pack(Winograd::packed_len(tile, &conv, lanes), |packed| {
        step.pack(&noise(2, conv.weights()), Some(&noise(3, 20)), packed);
    });
    s.step("winograd", Step::Winograd(step));

    let depthwise = ConvSpec {
        groups: 20,
        ..spec([20, 20], 3, 1)
    };
    let channels = s.for_later(2, [20, 6, 6]);
    let from = s.weights.len();
    let step = Depthwise::new(depthwise, sums, output(channels, Activation::Tanh), from);
    s.pack(Depthwise::packed_len(&depthwise, lanes), |packed| {
        step.pack(&noise(4, depthwise.weights()), None, packed);
    });
    s.step("depthwise", Step::Depthwise(step));

    let pointwise = spec([20, 24], 1, 1);
    let mixed = s.for_later(2, [24, 6, 6]);
    let from = s.weights.len();
    let first = (depthwise, Activation::Relu);
    let last = output(mixed, Activation::Sigmoid);
    let step = Separable::new(first, pointwise, sums, last, from, kernels.blocking);
    let len = Separable::packed_len(&depthwise, &pointwise, lanes);
    s.pack(len, |packed| {
        let first = noise(5, depthwise.weights());
        let second = noise(6, pointwise.weights());
        step.pack((&first, None), (&second, None), packed);
    });
    s.step("separable", Step::Separable(Box::new(step)));

    s.micro_batch(2);
    let greatest = s.for_later(images, [24, 3, 3]);
    let step = MaxPool::new(pool(2, 2, 0), mixed, greatest);
    s.step("max", Step::MaxPool(step));
    let mean = s.map([24, 3, 3], 2);
    let step = MeanPool::new(pool(3, 1, 1), true, greatest, mean);
    s.step("mean", Step::MeanPool(step));
    s.step("lrn", Step::Lrn(Lrn::new(5, 1e-1, 0.75, 1.0, mean, mean)));
    let sum = s.map([24, 3, 3], 0);
    let step = Binary::new(BinaryOp::Add, greatest, mean, output(sum, Activation::Relu));
    s.step("add", Step::Binary(step));
    s.step("tanh", Step::Unary(Unary::new(sum, sum, Activation::Tanh)));

    let means = s.map([20, 3, 3], 0);
    let step = AdaptiveMean::new(channels, means);
    s.step("adaptive", Step::AdaptiveMean(step));
    let both = s.for_later(images, [44, 3, 3]);
    s.step("copy", Step::CopyChannels(CopyChannels::new(sum, both, 0)));
    s.step(
        "concatenate",
        Step::CopyChannels(CopyChannels::new(means, both, 24)),
    );
    s.micro_batch(images);
    let vector = s.map([44, 1, 1], 0);
    let step = AdaptiveMean::new(both, vector);
    s.step("global", Step::AdaptiveMean(step));

    let linear = spec([44, 10], 1, 1);
    let part = s.map([10, 1, 1], 0);
    let from = s.weights.len();
    let step = Direct::new(linear, vector, output(part, Activation::Identity), from);
    s.pack(Direct::packed_len(&linear, lanes, lanes), |packed| {
        step.pack(&noise(7, linear.weights()), Some(&noise(8, 10)), packed);
    });
    s.step("linear", Step::Direct(step));

    let pointwise = spec([44, 32], 1, 1);
    let hidden = s.map([32, 3, 3], 0);
    let from = s.weights.len();
    let step = Direct::new(pointwise, both, output(hidden, Activation::Relu), from);
    s.pack(Direct::packed_len(&pointwise, lanes, lanes), |packed| {
        step.pack(&noise(10, pointwise.weights()), None, packed);
    });
    s.step("pointwise", Step::Direct(step));
    let connected = ConvSpec {
        padding: Border::default(),
        ..spec([32, 10], 3, 1)
    };
    let scores = s.map([10, 1, 1], 0);
    let sums = Output {
        residual: Some(part),
        ..output(scores, Activation::Identity)
    };
    let from = s.weights.len();
    let step = FullyConnected::new(connected, hidden, sums, from);
    s.pack(FullyConnected::packed_len(&connected, lanes), |packed| {
        step.pack(&noise(11, connected.weights()), None, packed);
    });
    s.step("fully connected", Step::FullyConnected(step));
    s.step("softmax", Step::Softmax(Softmax::new(scores, scores)));
    let inputs = greatest.values();
    let distances = s.map([10, 1, 1], 0);
    let from = s.weights.len();
    let step = RadialBasis::new(greatest, distances, from);
    s.pack(RadialBasis::packed_len(inputs, 10, lanes), |packed| {
        step.pack(&noise(9, 10 * inputs), packed);
    });
    s.step("distances", Step::RadialBasis(step));
    for (output, x) in [scores, distances].into_iter().enumerate() {
        s.step("output", Step::Export(Export { x, output }));
    }

    let mut weights = Buffer::zeroed(s.weights.len());
    weights.copy_from_slice(&s.weights);
    let program = Program {
        isa,
        images,
        input,
        outputs: vec![[10, 1, 1]; 2],
        steps: s.steps,
        arena: if separate { images * SEPARATE } else { s.arena },
        weights: weights.len(),
    };
    (program, weights)
}
