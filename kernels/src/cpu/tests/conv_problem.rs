//! Random convolutions for tests, and their outputs by the definition.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Isa, Output};
use super::test_map::Margins;
use super::{StepLayout, StepTest, TestMap, random_values};
use crate::plan::Step;

/// Unit roundoff of `f32`: the largest relative error of one rounding.
pub(crate) const ROUNDING: f64 = 0.5 * f32::EPSILON as f64;

/// A convolution of random values.
#[derive(Debug, Clone)]
pub(crate) struct ConvProblem {
    pub spec: ConvSpec,
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Batch size.
    pub images: usize,
    /// Whether the input map is planar.
    pub planar: bool,
    /// Whether the convolution has a bias.
    pub bias: bool,
    /// Whether a residual is added before the activation.
    pub residual: bool,
    pub activation: Activation,
    /// Margins of input, output and residual, without the border that the algorithm needs.
    pub margins: [Margins; 3],
    /// Seed of all values.
    pub seed: u64,
}

/// Arguments of the closure that builds the step of an algorithm.
pub(crate) struct BuildArgs<'a> {
    pub layout: &'a StepLayout,
    pub output: Output,
    /// `[out, in / groups, height, width]`.
    pub weights: &'a [f32],
    pub bias: Option<&'a [f32]>,
}

/// Reference of one output value.
pub(crate) struct Expected {
    /// Value after the activation.
    pub value: f64,
    /// Sum of the terms: the value before the activation.
    pub sum: f64,
    /// Sum of the magnitudes of the terms.
    pub magnitude: f64,
}

/// Input, weights, bias and residual of a problem.
struct Values {
    x: Vec<f32>,
    weights: Vec<f32>,
    bias: Option<Vec<f32>>,
    residual: Option<Vec<f32>>,
}

impl ConvProblem {
    /// The convolution `spec` of one image of `size`, without bias, residual, activation and
    /// margins.
    pub fn new(spec: ConvSpec, size: [usize; 2]) -> Self {
        Self {
            spec,
            size,
            images: 1,
            planar: false,
            bias: false,
            residual: false,
            activation: Activation::Identity,
            margins: [Margins::default(); 3],
            seed: 1,
        }
    }

    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        self.spec.output(self.size)
    }

    /// Number of products of each output.
    pub fn terms(&self) -> usize {
        let [height, width] = self.spec.kernel;
        self.spec.channels_in / self.spec.groups * height * width
    }

    /// The values generated from the seed.
    fn values(&self) -> Values {
        let [height, width] = self.output();
        let len_in = self.images * self.spec.channels_in * self.size[0] * self.size[1];
        let len_out = self.images * self.spec.channels_out * height * width;
        Values {
            x: random_values(self.seed, len_in),
            weights: random_values(self.seed + 1, self.spec.weights()),
            bias: self
                .bias
                .then(|| random_values(self.seed + 2, self.spec.channels_out)),
            residual: self.residual.then(|| random_values(self.seed + 3, len_out)),
        }
    }

    /// Runs the step that `build` returns as a [`StepTest`], and returns the outputs, `[images,
    /// channels, height, width]`. `weights` is the number of elements of the packed weights, and
    /// `border` the border of the input that the algorithm needs.
    pub fn run(
        &self,
        isa: Isa,
        weights: usize,
        border: Border,
        build: impl Fn(&BuildArgs, &mut [f32]) -> Step,
    ) -> Vec<f32> {
        let values = self.values();
        let map = |channels, [height, width]: [usize; 2], index: usize| {
            TestMap::with_margins([channels, height, width], self.margins[index])
        };
        let mut x = map(self.spec.channels_in, self.size, 0);
        x.margins.border = sum(x.margins.border, border);
        x.planar = self.planar;
        let y = map(self.spec.channels_out, self.output(), 1);
        let residual = map(self.spec.channels_out, self.output(), 2);
        let test = StepTest {
            images: self.images,
            inputs: [
                Some((x, &values.x)),
                values.residual.as_ref().map(|values| (residual, values)),
            ]
            .into_iter()
            .flatten()
            .map(|(map, values)| (map, &values[..]))
            .collect(),
            outputs: vec![y],
            weights,
            ..StepTest::new(isa)
        };
        let output = test.run(|layout, packed| {
            let args = BuildArgs {
                layout,
                output: Output {
                    y: layout.outputs[0],
                    residual: layout.inputs.get(1).copied(),
                    activation: self.activation,
                },
                weights: &values.weights,
                bias: values.bias.as_deref(),
            };
            build(&args, packed)
        });
        output
            .maps
            .into_iter()
            .next()
            .expect("the step has one output map")
    }

    /// Returns the outputs by the definition, `[images, channels, height, width]`.
    pub fn expected(&self) -> Vec<Expected> {
        let values = self.values();
        let spec = &self.spec;
        let [height, width] = self.output();
        let group_in = spec.channels_in / spec.groups;
        let group_out = spec.channels_out / spec.groups;
        let mut all = Vec::new();
        for image in 0..self.images {
            for out in 0..spec.channels_out {
                for y in 0..height {
                    for x in 0..width {
                        let mut terms = Vec::new();
                        if let Some(bias) = &values.bias {
                            terms.push(f64::from(bias[out]));
                        }
                        if let Some(residual) = &values.residual {
                            terms.push(f64::from(residual[all.len()]));
                        }
                        for channel in 0..group_in {
                            let from = out / group_out * group_in + channel;
                            let plane = (image * spec.channels_in + from) * self.size[0];
                            for i in 0..spec.kernel[0] {
                                let row = y * spec.stride[0] + i * spec.dilation[0];
                                let Some(row) = row.checked_sub(spec.padding.top) else {
                                    continue;
                                };
                                for j in 0..spec.kernel[1] {
                                    let column = x * spec.stride[1] + j * spec.dilation[1];
                                    let Some(column) = column.checked_sub(spec.padding.left) else {
                                        continue;
                                    };
                                    if row >= self.size[0] || column >= self.size[1] {
                                        continue;
                                    }
                                    let weight = ((out * group_in + channel) * spec.kernel[0] + i)
                                        * spec.kernel[1]
                                        + j;
                                    let pixel = (plane + row) * self.size[1] + column;
                                    terms.push(
                                        f64::from(values.x[pixel])
                                            * f64::from(values.weights[weight]),
                                    );
                                }
                            }
                        }
                        let sum = terms.iter().sum();
                        all.push(Expected {
                            value: activate(self.activation, sum),
                            sum,
                            magnitude: terms.iter().map(|term: &f64| term.abs()).sum(),
                        });
                    }
                }
            }
        }
        all
    }
}

/// Returns `activation` of `x`.
pub(crate) fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Clamp { low, high } => x.max(low.into()).min(high.into()),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::LeakyRelu { slope } => x.max(0.0) + f64::from(slope) * x.min(0.0),
        Activation::HardSigmoid { alpha, beta } => {
            (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
        }
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => x * (1.0 + erf(x / 2.0_f64.sqrt())) / 2.0,
    }
}

/// The error function by its series of positive terms, `2 / sqrt(pi) * exp(-x^2) * sum of
/// 2^n x^(2n + 1) / (1 * 3 * 5 * ... * (2n + 1))`.
pub(crate) fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Returns the border whose sides are the sums of the sides of `a` and `b`.
fn sum(a: Border, b: Border) -> Border {
    Border {
        top: a.top + b.top,
        bottom: a.bottom + b.bottom,
        left: a.left + b.left,
        right: a.right + b.right,
    }
}

/// Strategy for borders of up to 2 rows or pixels on each side; three fifths are empty.
fn small_borders() -> impl Strategy<Value = Border> {
    let rows = borders(2).prop_map(|border| Border {
        left: 0,
        right: 0,
        ..border
    });
    prop_oneof![3 => Just(Border::default()), 1 => rows, 1 => borders(2)]
}

/// Strategy for borders of up to `max` rows or pixels on each side.
pub(crate) fn borders(max: usize) -> impl Strategy<Value = Border> {
    let sides = prop::array::uniform4(0..=max);
    sides.prop_map(|[top, bottom, left, right]| Border {
        top,
        bottom,
        left,
        right,
    })
}

/// Strategy for problems with blocked maps: the convolutions of `spec` on inputs that have
/// `extra_size` rows and columns more than the smallest input that the convolution accepts.
pub(crate) fn problems(
    spec: impl Strategy<Value = ConvSpec>,
    extra_size: impl Strategy<Value = [usize; 2]>,
) -> impl Strategy<Value = ConvProblem> {
    let activation = prop_oneof![
        Just(Activation::Identity),
        Just(Activation::Relu),
        Just(Activation::Clamp {
            low: -0.5,
            high: 0.75,
        }),
        Just(Activation::LeakyRelu { slope: 0.25 }),
    ];
    let margins = (small_borders(), prop::array::uniform2(0..=1_usize)).prop_map(
        |(border, neighbor_blocks)| Margins {
            border,
            neighbor_blocks,
        },
    );
    let flags = (any::<bool>(), any::<bool>());
    (
        (spec, extra_size),
        1..=3_usize,
        activation,
        flags,
        prop::array::uniform3(margins),
        any::<u32>(),
    )
        .prop_map(
            |((spec, extra_size), images, activation, (bias, residual), margins, seed)| {
                let Border {
                    top,
                    bottom,
                    left,
                    right,
                } = spec.padding;
                let padding = [top + bottom, left + right];
                let size = std::array::from_fn(|i| {
                    let extent = (spec.kernel[i] - 1) * spec.dilation[i] + 1;
                    extent.saturating_sub(padding[i]).max(1) + extra_size[i]
                });
                ConvProblem {
                    spec,
                    size,
                    images,
                    planar: false,
                    bias,
                    residual,
                    activation,
                    margins,
                    seed: seed.into(),
                }
            },
        )
}
