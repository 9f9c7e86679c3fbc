//! Convolutions to be tried, and what they should give.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Isa, Output};
use super::{Maps, Place, Trial, noise};
use crate::plan::Step;

/// Half a unit in the last place of 1: the relative error of one rounding.
pub(crate) const ROUNDING: f64 = 0.5 * f32::EPSILON as f64;

/// A convolution of noise.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub spec: ConvSpec,
    /// Height and width of the input.
    pub size: [usize; 2],
    pub images: usize,
    /// Whether the input map is planar.
    pub planar: bool,
    pub bias: bool,
    pub residual: bool,
    pub activation: Activation,
    /// What the borders of input, output and residual have beyond what is needed.
    pub spare: [Border; 3],
    /// The blocks around each in a wider map.
    pub around: [[usize; 2]; 3],
    pub seed: u64,
}

/// What an algorithm makes its step from.
pub(crate) struct Partition<'a> {
    pub maps: &'a Maps,
    pub output: Output,
    /// `[out, in / groups, height, width]`.
    pub weights: &'a [f32],
    pub bias: Option<&'a [f32]>,
}

/// An output as it should be.
pub(crate) struct Expected {
    /// After the activation.
    pub value: f64,
    /// Before it.
    pub sum: f64,
    /// The sum of what was added, without signs.
    pub magnitude: f64,
}

/// The values that a problem's seed stands for.
struct Values {
    x: Vec<f32>,
    weights: Vec<f32>,
    bias: Option<Vec<f32>>,
    residual: Option<Vec<f32>>,
}

impl Problem {
    /// `spec` over an image of `size` and nothing else.
    pub fn of(spec: ConvSpec, size: [usize; 2]) -> Self {
        Self {
            spec,
            size,
            images: 1,
            planar: false,
            bias: false,
            residual: false,
            activation: Activation::Identity,
            spare: [Border::default(); 3],
            around: [[0, 0]; 3],
            seed: 1,
        }
    }

    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        self.spec.output(self.size)
    }

    /// Terms of each sum.
    pub fn terms(&self) -> usize {
        let [height, width] = self.spec.kernel;
        self.spec.channels_in / self.spec.groups * height * width
    }

    fn values(&self) -> Values {
        let [height, width] = self.output();
        let len_in = self.images * self.spec.channels_in * self.size[0] * self.size[1];
        let len_out = self.images * self.spec.channels_out * height * width;
        Values {
            x: noise(self.seed, len_in),
            weights: noise(self.seed + 1, self.spec.weights()),
            bias: self
                .bias
                .then(|| noise(self.seed + 2, self.spec.channels_out)),
            residual: self.residual.then(|| noise(self.seed + 3, len_out)),
        }
    }

    /// The outputs of the step that `build` makes, `[images, channels, height, width]`. Its weights
    /// take `weights` elements, its input has `border`.
    pub fn run(
        &self,
        isa: Isa,
        weights: usize,
        border: Border,
        build: impl Fn(&Partition, &mut [f32]) -> Step,
    ) -> Vec<f32> {
        let values = self.values();
        let place = |channels, [height, width]: [usize; 2], index: usize| Place {
            shape: [channels, height, width],
            border: self.spare[index],
            planar: false,
            around: self.around[index],
        };
        let x = Place {
            border: sum(self.spare[0], border),
            planar: self.planar,
            ..place(self.spec.channels_in, self.size, 0)
        };
        let y = place(self.spec.channels_out, self.output(), 1);
        let residual = place(self.spec.channels_out, self.output(), 2);
        let trial = Trial {
            images: self.images,
            inputs: [
                Some((x, &values.x)),
                values.residual.as_ref().map(|values| (residual, values)),
            ]
            .into_iter()
            .flatten()
            .map(|(place, values)| (place, &values[..]))
            .collect(),
            outputs: vec![y],
            weights,
            ..Trial::new(isa)
        };
        let written = trial.run(|maps, packed| {
            let parts = Partition {
                maps,
                output: Output {
                    y: maps.outputs[0],
                    residual: maps.inputs.get(1).copied(),
                    activation: self.activation,
                },
                weights: &values.weights,
                bias: values.bias.as_deref(),
            };
            build(&parts, packed)
        });
        written.maps.into_iter().next().expect("one output")
    }

    /// The outputs by the definition.
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
                            value: activated(self.activation, sum),
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

fn activated(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Clamp { low, high } => x.max(low.into()).min(high.into()),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

fn sum(a: Border, b: Border) -> Border {
    Border {
        top: a.top + b.top,
        bottom: a.bottom + b.bottom,
        left: a.left + b.left,
        right: a.right + b.right,
    }
}

/// Borders of up to 2 on each side, mostly none.
fn spare() -> impl Strategy<Value = Border> {
    let rows = borders(2).prop_map(|border| Border {
        left: 0,
        right: 0,
        ..border
    });
    prop_oneof![3 => Just(Border::default()), 1 => rows, 1 => borders(2)]
}

/// Borders of up to `most` on each side.
pub(crate) fn borders(most: usize) -> impl Strategy<Value = Border> {
    let sides = prop::array::uniform4(0..=most);
    sides.prop_map(|[top, bottom, left, right]| Border {
        top,
        bottom,
        left,
        right,
    })
}

/// Convolutions by `spec` of inputs `more` rows and columns larger than the smallest. Their maps are
/// in blocks.
pub(crate) fn problems(
    spec: impl Strategy<Value = ConvSpec>,
    more: impl Strategy<Value = [usize; 2]>,
) -> impl Strategy<Value = Problem> {
    let activation = prop_oneof![
        Just(Activation::Identity),
        Just(Activation::Relu),
        Just(Activation::Clamp {
            low: -0.5,
            high: 0.75,
        }),
    ];
    let spare = prop::array::uniform3(spare());
    let around = prop::array::uniform3(prop::array::uniform2(0..=1_usize));
    let flags = (any::<bool>(), any::<bool>());
    (
        (spec, more),
        1..=3_usize,
        activation,
        flags,
        spare,
        around,
        any::<u32>(),
    )
        .prop_map(
            |((spec, more), images, activation, (bias, residual), spare, around, seed)| {
                let Border {
                    top,
                    bottom,
                    left,
                    right,
                } = spec.padding;
                let padding = [top + bottom, left + right];
                let size = std::array::from_fn(|i| {
                    let extent = (spec.kernel[i] - 1) * spec.dilation[i] + 1;
                    extent.saturating_sub(padding[i]).max(1) + more[i]
                });
                Problem {
                    spec,
                    size,
                    images,
                    planar: false,
                    bias,
                    residual,
                    activation,
                    spare,
                    around,
                    seed: seed.into(),
                }
            },
        )
}
