//! Throughput of every algorithm on layer shapes of the networks, one image at a time.
//!
//! Each benchmark runs a plan of one step. It reports the time of a run and the throughput in
//! elements per second: multiply-adds for convolutions, input values for pooling and local response
//! normalization. Weights and maps are zeros, whose values do not affect the time.
//!
//! Run all benchmarks, or those whose names contain a word:
//!
//! ```text
//! cargo bench -p receptive-kernels --no-default-features
//! cargo bench -p receptive-kernels --no-default-features -- resnet
//! ```
//!
//! The environment variable `RECEPTIVE_THREADS` sets the number of threads; the default is 2.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use receptive_kernels::cpu::{
    Activation, Algorithm, Apply, Axis, Binary, BinaryOp, Border, Buffer, Contract, ContractAxis,
    ConvSpec, Depthwise, Function, Isa, Lrn, Map, MaxPool, Output, PoolWindow, Rearrange, Reduce,
    Reduction, Resample, Separable, Unary,
};
use receptive_kernels::plan::{Plan, Program, ProgramStep, Step};

/// Convolution of a square input: `[input channels, output channels, input size, kernel, stride,
/// padding]`.
type Shape = [usize; 6];

/// Convolutions and fully connected layers that represent each network.
const CONVOLUTIONS: &[(&str, &[Shape])] = &[
    ("lenet5", &[[1, 6, 28, 5, 1, 2], [6, 16, 14, 5, 1, 0]]),
    (
        "alexnet",
        &[
            [3, 64, 224, 11, 4, 2],
            [64, 192, 27, 5, 1, 2],
            [192, 384, 13, 3, 1, 1],
            [384, 256, 13, 3, 1, 1],
            [256, 4096, 6, 6, 1, 0],
            [4096, 4096, 1, 1, 1, 0],
        ],
    ),
    (
        "vgg16",
        &[
            [3, 64, 224, 3, 1, 1],
            [64, 64, 224, 3, 1, 1],
            [64, 128, 112, 3, 1, 1],
            [128, 256, 56, 3, 1, 1],
            [256, 512, 28, 3, 1, 1],
            [512, 512, 28, 3, 1, 1],
            [512, 512, 14, 3, 1, 1],
            [512, 4096, 7, 7, 1, 0],
        ],
    ),
    (
        "googlenet",
        &[
            [3, 64, 224, 7, 2, 3],
            [64, 192, 56, 3, 1, 1],
            [192, 96, 28, 1, 1, 0],
            [96, 128, 28, 3, 1, 1],
            [528, 256, 14, 1, 1, 0],
            [160, 320, 14, 3, 1, 1],
            [832, 384, 7, 1, 1, 0],
        ],
    ),
    (
        "resnet18",
        &[
            [64, 64, 56, 3, 1, 1],
            [64, 128, 56, 3, 2, 1],
            [128, 128, 28, 3, 1, 1],
            [256, 256, 14, 3, 1, 1],
            [512, 512, 7, 3, 1, 1],
        ],
    ),
    (
        "resnet50",
        &[
            [64, 256, 56, 1, 1, 0],
            [256, 64, 56, 1, 1, 0],
            [256, 512, 56, 1, 2, 0],
            [512, 128, 28, 1, 1, 0],
            [1024, 256, 14, 1, 1, 0],
            [512, 2048, 7, 1, 1, 0],
            [2048, 1000, 1, 1, 1, 0],
        ],
    ),
    (
        "mobilenet-v1",
        &[
            [3, 32, 224, 3, 2, 1],
            [32, 64, 112, 1, 1, 0],
            [256, 256, 28, 1, 1, 0],
            [512, 512, 14, 1, 1, 0],
            [1024, 1024, 7, 1, 1, 0],
            [1024, 1000, 1, 1, 1, 0],
        ],
    ),
];

/// Separable convolutions of MobileNet v1: `[input channels, output channels, input size, stride]`.
const SEPARABLE: &[[usize; 4]] = &[
    [32, 64, 112, 1],
    [64, 128, 112, 2],
    [128, 128, 56, 1],
    [256, 512, 28, 2],
    [512, 512, 14, 1],
    [1024, 1024, 7, 1],
];

/// Instruction set and number of threads of the benchmarks.
struct Machine {
    isa: Isa,
    /// Channels of a block.
    lanes: usize,
    threads: usize,
}

impl Machine {
    fn new() -> Self {
        let isa = Isa::detect().expect("this processor has a supported instruction set");
        let threads = std::env::var("RECEPTIVE_THREADS").ok();
        Self {
            isa,
            lanes: isa.lanes(),
            threads: threads.map_or(2, |threads| {
                threads.parse().expect("RECEPTIVE_THREADS is a number")
            }),
        }
    }

    /// A plan of one step with an arena of `arena` elements and `weights` elements of packed
    /// weights.
    fn plan(&self, step: Step, arena: usize, weights: usize) -> Plan {
        let program = Program {
            isa: self.isa,
            images: 1,
            input: [1, 1, 1],
            outputs: Vec::new(),
            steps: vec![ProgramStep {
                name: "bench".to_owned(),
                step,
                micro_batch: 1,
            }],
            arena,
            weights,
        };
        let mut packed = Buffer::zeroed(weights);
        // Without this write, the system could map the zero page for all weights, which stays in
        // the cache.
        packed.fill(0.0);
        Plan::new(program, packed, self.threads).expect("the program is valid")
    }

    /// Returns an input map of shape `x`, and an output map of shape `y` after it in the arena.
    fn maps(&self, x: [usize; 3], border: Border, y: [usize; 3], planar: bool) -> (Map, Map) {
        let x = Map::new(x, border, if planar { 1 } else { self.lanes }, 0);
        let y = Map::new(
            y,
            Border::default(),
            self.lanes,
            x.end().next_multiple_of(16),
        );
        (x, y)
    }
}

/// The convolution of a shape.
fn spec([channels_in, channels_out, _, kernel, stride, padding]: Shape, groups: usize) -> ConvSpec {
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
        groups,
    }
}

/// An output with a ReLU and no residual.
fn output(y: Map) -> Output {
    Output {
        y,
        residual: None,
        activation: Activation::Relu,
    }
}

/// Measures runs of `plan`; `elements` is the work of a run for the throughput.
fn measure(
    criterion: &mut Criterion,
    group: &str,
    id: BenchmarkId,
    elements: usize,
    mut plan: Plan,
) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(elements as u64));
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            plan.run(black_box(&[0.0]), &mut [])
                .expect("the lengths of the slices are valid")
        });
    });
}

fn convolutions(criterion: &mut Criterion) {
    let machine = Machine::new();
    for &(network, shapes) in CONVOLUTIONS {
        for &shape in shapes {
            let [channels_in, channels_out, size, kernel, stride, _] = shape;
            let spec = spec(shape, 1);
            let out = spec.output([size, size]);
            let work = spec.multiply_adds(out);
            let y = [channels_out, out[0], out[1]];
            let planar = channels_in < 4;
            let name = format!(
                "{channels_in}x{size}x{size} to {channels_out}, {kernel}x{kernel}/{stride}"
            );

            for algorithm in Algorithm::candidates(&spec, out, planar) {
                let border = algorithm.border(&spec, out);
                let (x, map) = machine.maps([channels_in, size, size], border, y, planar);
                let isa = machine.isa;
                let (step, weights) = Step::convolution(algorithm, spec, x, output(map), 0, isa);
                let plan = machine.plan(step, map.end(), weights);
                let id = BenchmarkId::new(algorithm.name(), &name);
                measure(criterion, network, id, work, plan);
            }
        }
    }
}

fn separable(criterion: &mut Criterion) {
    let machine = Machine::new();
    for &[channels, channels_out, size, stride] in SEPARABLE {
        let depthwise = spec([channels, channels, size, 3, stride, 1], channels);
        let out = depthwise.output([size, size]);
        let pointwise = spec([channels, channels_out, out[0], 1, 1, 0], 1);
        let name = format!("{channels}x{size}x{size} to {channels_out}/{stride}");

        let (x, y) = machine.maps(
            [channels, size, size],
            depthwise.padding,
            [channels, out[0], out[1]],
            false,
        );
        let step = Step::Depthwise(Depthwise::new(depthwise, x, output(y), 0));
        let weights = Depthwise::packed_len(&depthwise, machine.lanes);
        let plan = machine.plan(step, y.end(), weights);
        let id = BenchmarkId::new("depthwise", &name);
        measure(
            criterion,
            "mobilenet-v1",
            id,
            depthwise.multiply_adds(out),
            plan,
        );

        let (x, y) = machine.maps(
            [channels, size, size],
            depthwise.padding,
            [channels_out, out[0], out[1]],
            false,
        );
        let first = (depthwise, Activation::Relu);
        let step = Separable::new(first, pointwise, x, output(y), 0, machine.isa.blocking());
        let weights = Separable::packed_len(&depthwise, &pointwise, machine.lanes);
        let plan = machine.plan(Step::Separable(Box::new(step)), y.end(), weights);
        let work = depthwise.multiply_adds(out) + pointwise.multiply_adds(out);
        let id = BenchmarkId::new("separable", &name);
        measure(criterion, "mobilenet-v1", id, work, plan);
    }
}

fn pooling_and_normalization(criterion: &mut Criterion) {
    let machine = Machine::new();
    for (network, channels, size, kernel, padding) in [
        ("alexnet", 64, 55, 3, 0),
        ("vgg16", 64, 224, 2, 0),
        ("resnet50", 64, 112, 3, 1),
    ] {
        let out = (size + 2 * padding - kernel) / 2 + 1;
        let (x, y) = machine.maps(
            [channels, size, size],
            Border::default(),
            [channels, out, out],
            false,
        );
        let window = PoolWindow {
            kernel: [kernel; 2],
            stride: [2, 2],
            padding: [padding; 2],
            dilation: [1, 1],
        };
        let plan = machine.plan(Step::MaxPool(MaxPool::new(window, x, y)), y.end(), 0);
        let id = BenchmarkId::new(
            "max pool",
            format!("{channels}x{size}x{size}, {kernel}x{kernel}/2"),
        );
        measure(criterion, network, id, channels * size * size, plan);
    }
    let shape = [192, 56, 56];
    let (x, y) = machine.maps(shape, Border::default(), shape, false);
    let plan = machine.plan(Step::Lrn(Lrn::new(5, 2e-5, 0.75, 1.0, x, y)), y.end(), 0);
    let id = BenchmarkId::new("local response norm", "192x56x56");
    measure(criterion, "googlenet", id, shape.iter().product(), plan);
}

/// Activations, elementwise arithmetic and the general steps, on maps of 96x56x56.
fn general(criterion: &mut Criterion) {
    let machine = Machine::new();
    let [channels, size] = [96, 56];
    let shape = [channels, size, size];
    let area = size * size;
    let values = channels * area;
    let mut bench = |name: &str, step: Step, end: usize, work: usize| {
        let plan = machine.plan(step, end, 0);
        measure(
            criterion,
            "general",
            BenchmarkId::new(name, "96x56x56"),
            work,
            plan,
        );
    };
    let maps = |y: [usize; 3]| machine.maps(shape, Border::default(), y, false);
    let step = |length: usize, step: usize| Axis::step(length, step as i64);

    let (x, y) = maps(shape);
    for (name, activation) in [
        ("relu", Activation::Relu),
        ("tanh", Activation::Tanh),
        ("silu", Activation::Silu),
        ("gelu", Activation::Gelu),
    ] {
        bench(
            name,
            Step::Unary(Unary::new(x, y, activation)),
            y.end(),
            values,
        );
    }
    for (name, function) in [("erf", Function::Erf), ("exp", Function::Exp)] {
        bench(
            name,
            Step::Apply(Apply::new(x, y, function)),
            y.end(),
            values,
        );
    }
    let gate = Map::new([channels, 1, 1], Border::default(), machine.lanes, y.end());
    for (name, b, end) in [("add", x, y.end()), ("gate", gate, gate.end())] {
        let op = if b == x { BinaryOp::Add } else { BinaryOp::Mul };
        let output = Output {
            activation: Activation::Identity,
            ..output(y)
        };
        bench(
            name,
            Step::Binary(Binary::new(op, x, b, output)),
            end,
            values,
        );
    }

    let (x, y) = maps([channels, 2 * size, 2 * size]);
    let twice = || Axis::list((0..2 * size).map(|i| Some((i / 2) as u32)).collect());
    let rows = Axis::list((0..2 * size).map(|i| Some((i / 2 * size) as u32)).collect());
    let axes = vec![step(channels, area), rows, twice()];
    let rearrange = Step::Rearrange(Rearrange::new(x, y, 0, axes, 0.0));
    bench("nearest", rearrange, y.end(), 4 * values);
    let lists = || -> Vec<Vec<(usize, f32)>> {
        let list = |i: usize| vec![(i / 2, 0.75), ((i / 2 + 1).min(size - 1), 0.25)];
        (0..2 * size).map(list).collect()
    };
    let resample = Step::Resample(Resample::new(x, y, lists(), lists()));
    bench("linear", resample, y.end(), 4 * values);

    let (x, y) = maps([area, 1, channels]);
    let axes = vec![step(area, 1), step(channels, area)];
    let rearrange = Step::Rearrange(Rearrange::new(x, y, 0, axes, 0.0));
    bench("channels last", rearrange, y.end(), values);
    let (x, y) = maps([channels / 4, 2 * size, 2 * size]);
    let axes = vec![
        step(channels / 4, 4 * area),
        step(size, size),
        step(2, 2 * area),
        step(size, 1),
        step(2, area),
    ];
    let rearrange = Step::Rearrange(Rearrange::new(x, y, 0, axes, 0.0));
    bench("depth to space", rearrange, y.end(), values);
    let (x, y) = maps([values, 1, 1]);
    let rearrange = Step::Rearrange(Rearrange::new(x, y, 0, vec![step(values, 1)], 0.0));
    bench("flatten", rearrange, y.end(), values);

    for (name, y, outer, inner) in [
        (
            "mean of pixels",
            [channels, 1, 1],
            step(channels, area),
            step(area, 1),
        ),
        (
            "mean of channels",
            [1, size, size],
            step(area, 1),
            step(channels, area),
        ),
        (
            "mean of groups",
            [8, 1, 1],
            step(8, values / 8),
            step(values / 8, 1),
        ),
    ] {
        let (x, y) = maps(y);
        let reduce = Reduce::new(x, y, Reduction::Mean, 0, vec![outer], vec![inner]);
        bench(name, Step::Reduce(reduce), y.end(), values);
    }

    // Attention: 12 heads of 64 channels, 196 pixels.
    let [heads, depth, tokens] = [12, 64, 196];
    let planar = |shape: [usize; 3], offset: usize| Map::new(shape, Border::default(), 1, offset);
    let a = planar([heads, tokens, depth], 0);
    let b = planar([heads, tokens, depth], a.end());
    let y = planar([heads, tokens, tokens], b.end());
    let work = heads * tokens * tokens * depth;
    let axis = |length: usize, steps: [usize; 2]| ContractAxis {
        length,
        steps: steps.map(|step| step as i64),
    };
    let matrices = [tokens * depth; 2];
    let outer = vec![
        axis(heads, matrices),
        axis(tokens, [depth, 0]),
        axis(tokens, [0, depth]),
    ];
    let inner = vec![axis(depth, [1, 1])];
    let contract = Contract::new([a, b], y, outer, inner, [0, 0]);
    bench(
        "queries times keys",
        Step::Contract(contract),
        y.end(),
        work,
    );
    let outer = vec![
        axis(heads, [tokens * tokens, tokens * depth]),
        axis(tokens, [tokens, 0]),
        axis(depth, [0, 1]),
    ];
    let inner = vec![axis(tokens, [1, depth])];
    let contract = Contract::new([y, b], a, outer, inner, [0, 0]);
    bench(
        "weights times values",
        Step::Contract(contract),
        y.end(),
        work,
    );
}

criterion_group!(
    benches,
    convolutions,
    separable,
    pooling_and_normalization,
    general
);
criterion_main!(benches);
