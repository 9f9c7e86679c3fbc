//! Builder of a small program that contains every kind of step.

use crate::cpu::tests::random_values;
use crate::cpu::{
    Activation, AdaptiveMean, Apply, Axis, Binary, BinaryOp, Border, Buffer, Constant, Contract,
    ContractAxis, ConvSpec, CopyChannels, Depthwise, Direct, Export, FullyConnected, Function,
    Import, Isa, Kernels, Lrn, Map, MaxPool, MeanPool, Output, PoolWindow, RadialBasis, Rearrange,
    Reduce, Reduction, Resample, Separable, Softmax, Unary, Winograd, WinogradTile,
};
use crate::plan::{Program, ProgramStep, Step};

/// A program under construction. Maps are adjacent in the arena, and their memory is not reused.
struct ProgramBuilder {
    /// Channels of a block.
    lanes: usize,
    /// Batch size.
    images: usize,
    /// Micro-batch of the steps that are added next.
    micro_batch: usize,
    /// Whether each image has a separate part of the arena in all steps.
    separate: bool,
    /// Elements of the arena allocated so far; of one image if images are separate.
    arena: usize,
    steps: Vec<ProgramStep>,
    /// Packed weights of all steps.
    weights: Vec<f32>,
}

impl ProgramBuilder {
    /// Allocates a blocked map for the current micro-batch, with a border of `border` on all sides.
    fn map(&mut self, shape: [usize; 3], border: usize) -> Map {
        self.map_with_lanes(shape, border, self.lanes)
    }

    /// Allocates a map in blocks of `lanes` channels for the current micro-batch.
    fn map_with_lanes(&mut self, shape: [usize; 3], border: usize, lanes: usize) -> Map {
        let border = Border {
            top: border,
            bottom: border,
            left: border,
            right: border,
        };
        let map = Map::new(shape, border, lanes, self.arena);
        self.allocate(map.with_slots(self.micro_batch))
    }

    /// Advances the end of the arena by the elements of `map`. If images are separate, sets the
    /// stride from one image to the next.
    fn allocate(&mut self, mut map: Map) -> Map {
        if self.separate {
            self.arena += map.image;
            map.image = ARENA_PER_IMAGE;
            assert!(self.arena <= ARENA_PER_IMAGE);
        } else {
            self.arena += map.elements();
        }
        map
    }

    /// Sets the micro-batch of the steps that are added next to `images`, but at most the batch.
    fn set_micro_batch(&mut self, images: usize) {
        self.micro_batch = self.limit_to_batch(images);
    }

    /// Returns `images`, but at most the batch size; the whole batch if images are separate.
    fn limit_to_batch(&self, images: usize) -> usize {
        match self.separate {
            true => self.images,
            false => images.min(self.images),
        }
    }

    /// Allocates a blocked map with slots for `images` images, for steps with a larger micro-batch
    /// that read the map.
    fn map_with_slots(&mut self, images: usize, shape: [usize; 3]) -> Map {
        let map = Map::new(shape, Border::default(), self.lanes, self.arena);
        self.allocate(map.with_slots(self.limit_to_batch(images)))
    }

    /// Adds a step.
    fn step(&mut self, name: &str, step: Step) {
        let name = name.to_owned();
        let micro_batch = self.micro_batch;
        self.steps.push(ProgramStep {
            name,
            step,
            micro_batch,
        });
    }

    /// Appends `len` elements to the packed weights, which `pack` writes.
    fn pack(&mut self, len: usize, pack: impl FnOnce(&mut [f32])) {
        self.weights.resize(self.weights.len() + len, f32::NAN);
        pack(&mut self.weights);
    }
}

/// A convolution of one group whose padding keeps the size of its input if the stride is 1.
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

/// An output without residual.
fn output(y: Map, activation: Activation) -> Output {
    Output {
        y,
        residual: None,
        activation,
    }
}

/// A square pooling window without dilation.
fn pool(kernel: usize, stride: usize, padding: usize) -> PoolWindow {
    PoolWindow {
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [1, 1],
    }
}

/// Returns a program with two outputs that contains every kind of step, and its packed weights. The
/// batch size is `images`; the micro-batch is 1 in the first steps, then 2, then the batch.
pub fn program_with_every_step(isa: Isa, images: usize) -> (Program, Buffer) {
    build(isa, images, false)
}

/// Returns the program of [`program_with_every_step`] with a separate part of the arena for each
/// image. The micro-batch of all steps is the batch.
pub fn program_with_separate_images(isa: Isa, images: usize) -> (Program, Buffer) {
    build(isa, images, true)
}

/// Elements of the arena per image in programs with separate images.
const ARENA_PER_IMAGE: usize = 1 << 16;

/// Adds the general steps, which compute a vector from the map `both` of 44 channels of 3x3 pixels
/// and the vector of their means.
fn general_steps(builder: &mut ProgramBuilder, both: Map, means: Map) -> Map {
    let flipped = builder.map_with_lanes([44, 4, 3], 0, 1);
    let rows = Axis::list(vec![Some(6), None, Some(0), Some(3)]);
    let axes = vec![Axis::step(44, 9), rows, Axis::step(3, -1)];
    let step = Rearrange::new(both, flipped, 2, axes, 0.5);
    builder.step("flip", Step::Rearrange(step));
    // Channels in another order, which copies no whole vectors.
    let reversed = builder.map([44, 1, 1], 1);
    let axes = vec![Axis::step(44, -1)];
    let step = Rearrange::new(means, reversed, 43, axes, 0.0);
    builder.step("reverse", Step::Rearrange(step));
    let wide = builder.map([44, 2, 5], 1);
    let rows = vec![vec![(0, 0.25), (1, 0.75)], vec![(2, 1.0)]];
    let columns = (0..5).map(|i| vec![(i / 2, 0.5), (usize::div_ceil(i, 2), 0.5)]);
    let step = Resample::new(both, wide, rows, columns.collect());
    builder.step("resample", Step::Resample(step));
    let step = Apply::new(wide, wide, Function::Softplus);
    builder.step("softplus", Step::Apply(step));

    let sums = builder.map([44, 1, 1], 0);
    let [outer, inner] = [vec![Axis::step(44, 12)], vec![Axis::step(12, 1)]];
    let step = Reduce::new(flipped, sums, Reduction::LogSumExp, 0, outer, inner);
    builder.step("reduce", Step::Reduce(step));
    let maxima = builder.map([44, 1, 1], 0);
    let [outer, inner] = [vec![Axis::step(44, 10)], vec![Axis::step(10, 1)]];
    let step = Reduce::new(wide, maxima, Reduction::Max, 0, outer, inner);
    builder.step("maxima", Step::Reduce(step));
    let lengths = builder.map_with_lanes([1, 2, 5], 0, 1);
    let [outer, inner] = [vec![Axis::step(10, 1)], vec![Axis::step(44, 10)]];
    let step = Reduce::new(wide, lengths, Reduction::L2, 0, outer, inner);
    builder.step("lengths", Step::Reduce(step));
    // The products of each channel, and the products with the lengths.
    let products = builder.map([44, 1, 1], 0);
    let axis = |length: usize, steps: [i64; 2]| ContractAxis { length, steps };
    let [outer, inner] = [
        vec![axis(44, [12, 10])],
        vec![axis(2, [6, 5]), axis(5, [1, 1])],
    ];
    let step = Contract::new([flipped, wide], products, outer, inner, [1, 0]);
    builder.step("contract", Step::Contract(step));
    let matrix = builder.map_with_lanes([2, 4, 3], 0, 1);
    let [outer, inner] = [
        vec![axis(2, [0, 5]), axis(12, [1, 0])],
        vec![axis(5, [24, 1])],
    ];
    let step = Contract::new([flipped, lengths], matrix, outer, inner, [0, 0]);
    builder.step("matrix", Step::Contract(step));
    let of_matrix = builder.map([44, 1, 1], 0);
    let axes = vec![Axis::step(4, 0), Axis::step(11, 2)];
    let step = Rearrange::new(matrix, of_matrix, 1, axes, 0.0);
    builder.step("gather", Step::Rearrange(step));
    let constant = builder.map([44, 1, 1], 0);
    let from = builder.weights.len();
    let step = Constant::new(constant, from);
    builder.pack(Constant::packed_len(&constant), |packed| {
        step.pack(&random_values(12, 44), packed);
    });
    builder.step("constant", Step::Constant(step));

    let gated = builder.map([44, 2, 5], 0);
    let step = Binary::new(
        BinaryOp::Mul,
        wide,
        maxima,
        output(gated, Activation::HardSwish),
    );
    builder.step("gate", Step::Binary(step));
    let of_gated = builder.map([44, 1, 1], 0);
    let step = AdaptiveMean::new(gated, of_gated);
    builder.step("of gated", Step::AdaptiveMean(step));
    let mut vector = means;
    for (op, other, activation) in [
        (BinaryOp::Add, sums, Activation::Sigmoid),
        (
            BinaryOp::Mul,
            products,
            Activation::LeakyRelu { slope: 0.1 },
        ),
        (BinaryOp::Sub, constant, Activation::Silu),
        (BinaryOp::Prelu, of_gated, Activation::Gelu),
        (BinaryOp::Max, reversed, Activation::Tanh),
        (BinaryOp::Add, of_matrix, Activation::Tanh),
    ] {
        let next = builder.map([44, 1, 1], 0);
        let step = Binary::new(op, vector, other, output(next, activation));
        builder.step("combine", Step::Binary(step));
        vector = next;
    }
    vector
}

/// Returns the program, with or without separate images, and its packed weights.
fn build(isa: Isa, images: usize, separate: bool) -> (Program, Buffer) {
    let kernels = Kernels::get(isa);
    let lanes = kernels.lanes;
    let mut builder = ProgramBuilder {
        lanes,
        images,
        micro_batch: 0,
        separate,
        arena: 0,
        steps: Vec::new(),
        weights: Vec::new(),
    };
    builder.set_micro_batch(1);
    let input = [3, 12, 11];
    let image = builder.map_with_lanes(input, 1, 1);
    builder.step("input", Step::Import(Import { y: image }));

    let conv = spec([3, 20], 3, 2);
    let x = builder.map([20, 6, 6], 3);
    let from = builder.weights.len();
    let step = Direct::new(conv, image, output(x, Activation::Relu), from);
    builder.pack(Direct::packed_len(&conv, 1, lanes), |packed| {
        step.pack(&random_values(1, conv.weights()), None, packed);
    });
    builder.step("direct", Step::Direct(step));

    let conv = spec([20, 20], 3, 1);
    let tile = WinogradTile::Four;
    let sums = builder.map([20, 6, 6], 1);
    let residual = Output {
        residual: Some(x),
        ..output(sums, Activation::Identity)
    };
    let from = builder.weights.len();
    let step = Winograd::new(tile, conv, x, residual, from, kernels.blocking);
    builder.pack(Winograd::packed_len(tile, &conv, lanes), |packed| {
        step.pack(
            &random_values(2, conv.weights()),
            Some(&random_values(3, 20)),
            packed,
        );
    });
    builder.step("winograd", Step::Winograd(step));

    let depthwise = ConvSpec {
        groups: 20,
        ..spec([20, 20], 3, 1)
    };
    let channels = builder.map_with_slots(2, [20, 6, 6]);
    let from = builder.weights.len();
    let step = Depthwise::new(depthwise, sums, output(channels, Activation::Tanh), from);
    builder.pack(Depthwise::packed_len(&depthwise, lanes), |packed| {
        step.pack(&random_values(4, depthwise.weights()), None, packed);
    });
    builder.step("depthwise", Step::Depthwise(step));

    let pointwise = spec([20, 24], 1, 1);
    let mixed = builder.map_with_slots(2, [24, 6, 6]);
    let from = builder.weights.len();
    let first = (depthwise, Activation::Relu);
    let last = output(mixed, Activation::Sigmoid);
    let step = Separable::new(first, pointwise, sums, last, from, kernels.blocking);
    let len = Separable::packed_len(&depthwise, &pointwise, lanes);
    builder.pack(len, |packed| {
        let first = random_values(5, depthwise.weights());
        let second = random_values(6, pointwise.weights());
        step.pack((&first, None), (&second, None), packed);
    });
    builder.step("separable", Step::Separable(Box::new(step)));

    builder.set_micro_batch(2);
    let max = builder.map_with_slots(images, [24, 3, 3]);
    let step = MaxPool::new(pool(2, 2, 0), mixed, max);
    builder.step("max", Step::MaxPool(step));
    let mean = builder.map([24, 3, 3], 2);
    let step = MeanPool::new(pool(3, 1, 1), true, max, mean);
    builder.step("mean", Step::MeanPool(step));
    builder.step("lrn", Step::Lrn(Lrn::new(5, 1e-1, 0.75, 1.0, mean, mean)));
    let sum = builder.map([24, 3, 3], 0);
    let step = Binary::new(BinaryOp::Add, max, mean, output(sum, Activation::Relu));
    builder.step("add", Step::Binary(step));
    builder.step("tanh", Step::Unary(Unary::new(sum, sum, Activation::Tanh)));

    let means = builder.map([20, 3, 3], 0);
    let step = AdaptiveMean::new(channels, means);
    builder.step("adaptive", Step::AdaptiveMean(step));
    let both = builder.map_with_slots(images, [44, 3, 3]);
    builder.step("copy", Step::CopyChannels(CopyChannels::new(sum, both, 0)));
    builder.step(
        "concatenate",
        Step::CopyChannels(CopyChannels::new(means, both, 24)),
    );
    builder.set_micro_batch(images);
    let vector = builder.map([44, 1, 1], 0);
    let step = AdaptiveMean::new(both, vector);
    builder.step("global", Step::AdaptiveMean(step));
    let vector = general_steps(&mut builder, both, vector);

    let linear = spec([44, 10], 1, 1);
    let linear_scores = builder.map([10, 1, 1], 0);
    let from = builder.weights.len();
    let step = Direct::new(
        linear,
        vector,
        output(linear_scores, Activation::Identity),
        from,
    );
    builder.pack(Direct::packed_len(&linear, lanes, lanes), |packed| {
        step.pack(
            &random_values(7, linear.weights()),
            Some(&random_values(8, 10)),
            packed,
        );
    });
    builder.step("linear", Step::Direct(step));

    let pointwise = spec([44, 32], 1, 1);
    let hidden = builder.map([32, 3, 3], 0);
    let from = builder.weights.len();
    let step = Direct::new(pointwise, both, output(hidden, Activation::Relu), from);
    builder.pack(Direct::packed_len(&pointwise, lanes, lanes), |packed| {
        step.pack(&random_values(10, pointwise.weights()), None, packed);
    });
    builder.step("pointwise", Step::Direct(step));
    let connected = ConvSpec {
        padding: Border::default(),
        ..spec([32, 10], 3, 1)
    };
    let scores = builder.map([10, 1, 1], 0);
    let sums = Output {
        residual: Some(linear_scores),
        ..output(scores, Activation::Identity)
    };
    let from = builder.weights.len();
    let step = FullyConnected::new(connected, hidden, sums, from);
    builder.pack(FullyConnected::packed_len(&connected, lanes), |packed| {
        step.pack(&random_values(11, connected.weights()), None, packed);
    });
    builder.step("fully connected", Step::FullyConnected(step));
    builder.step("softmax", Step::Softmax(Softmax::new(scores, scores)));
    let inputs = max.values();
    let distances = builder.map([10, 1, 1], 0);
    let from = builder.weights.len();
    let step = RadialBasis::new(max, distances, from);
    builder.pack(RadialBasis::packed_len(inputs, 10, lanes), |packed| {
        step.pack(&random_values(9, 10 * inputs), packed);
    });
    builder.step("distances", Step::RadialBasis(step));
    for (output, x) in [scores, distances].into_iter().enumerate() {
        builder.step("output", Step::Export(Export { x, output }));
    }

    let mut weights = Buffer::zeroed(builder.weights.len());
    weights.copy_from_slice(&builder.weights);
    let program = Program {
        isa,
        images,
        input,
        outputs: vec![[10, 1, 1]; 2],
        steps: builder.steps,
        arena: if separate {
            images * ARENA_PER_IMAGE
        } else {
            builder.arena
        },
        weights: weights.len(),
    };
    (program, weights)
}
