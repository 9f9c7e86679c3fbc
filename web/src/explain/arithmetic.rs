//! Arithmetic of one unit: the terms whose sum is the unit's value.

use receptive_kernels::geometry::Window;
use receptive_layers::graph::{Conv2d, Graph, Op, ValueData, ValueId};

use super::explanation::{Rect, Term, Unit};
use crate::chain::LayerInfo;
use crate::error::Error;

/// The feature maps of a layer.
pub(super) struct FeatureMaps<'a> {
    /// `[channels, height, width]`.
    shape: [usize; 3],
    values: &'a [f32],
}

impl<'a> FeatureMaps<'a> {
    pub fn new(info: &LayerInfo, values: &'a [f32]) -> Self {
        let shape = info.shape;
        Self { shape, values }
    }

    pub fn get(&self, [channel, row, column]: [usize; 3]) -> f32 {
        let [_, height, width] = self.shape;
        self.values[(channel * height + row) * width + column]
    }
}

/// Operands of a unit.
#[derive(Default)]
pub(super) struct Arithmetic {
    /// Window in the feature maps that the unit reads.
    pub patch: Option<Rect>,
    pub terms: Vec<Term>,
    pub bias: Option<f32>,
}

/// A unit, the node that computes it, and the feature maps that the node reads.
pub(super) struct NodeUnit<'a> {
    pub graph: &'a Graph,
    /// Index of the node in the graph.
    pub node: usize,
    pub input: FeatureMaps<'a>,
    pub unit: Unit,
}

impl NodeUnit<'_> {
    /// Returns the arithmetic of the unit, which belongs to the layer `info`.
    pub fn arithmetic(&self, info: &LayerInfo) -> Result<Arithmetic, Error> {
        let node = &self.graph.nodes[self.node];
        let unsupported = || Error::UnsupportedLayer {
            layer: node.name.clone(),
            operation: info.label.clone(),
        };
        let parameter = |input: usize| -> Result<Vec<f32>, Error> {
            elements(self.graph, node.inputs[input]).ok_or_else(unsupported)
        };
        let bias = || -> Result<Option<f32>, Error> {
            Ok(match node.inputs.len() {
                3 => parameter(2)?.get(self.unit.channel).copied(),
                _ => None,
            })
        };
        match (&node.op, self.graph.windows(node)) {
            (Op::Conv2d(conv), Some(windows)) => Ok(Arithmetic {
                bias: bias()?,
                ..self.convolution(conv, windows, &parameter(1)?, info.shape[0])?
            }),
            (Op::Linear, _) => Ok(Arithmetic {
                bias: bias()?,
                ..self.linear(&parameter(1)?, info.shape[0])
            }),
            (Op::MaxPool2d { .. }, Some(windows)) => self.max_pool(windows),
            (
                Op::AvgPool2d {
                    count_include_pad, ..
                },
                Some(windows),
            ) => self.average_pool(windows, *count_include_pad),
            _ if node.op.is_activation() => Ok(self.activation()),
            _ => Err(unsupported()),
        }
    }

    /// Returns the rows and the columns that the unit's window reads; negative in the padding.
    fn taps(&self, windows: [Window; 2]) -> Result<[Vec<i64>; 2], Error> {
        let axis = |window: Window, at: usize, len: usize| -> Result<Vec<i64>, Error> {
            let (before, _) = window.padding_around(len)?;
            let start = (at * window.stride) as i64 - before as i64;
            Ok((0..window.kernel)
                .map(|tap| start + (tap * window.dilation) as i64)
                .collect())
        };
        let [_, height, width] = self.input.shape;
        let [rows, columns] = windows;
        Ok([
            axis(rows, self.unit.row, height)?,
            axis(columns, self.unit.column, width)?,
        ])
    }

    /// Returns the values of `channel` at the taps, row by row; zero outside the feature map.
    fn patch(&self, channel: usize, [rows, columns]: &[Vec<i64>; 2]) -> Vec<f32> {
        let [_, height, width] = self.input.shape;
        let inside = |at: i64, len: usize| usize::try_from(at).ok().filter(|&at| at < len);
        let pairs = (rows.iter()).flat_map(|&row| columns.iter().map(move |&column| (row, column)));
        pairs
            .map(|(row, column)| {
                inside(row, height)
                    .zip(inside(column, width))
                    .map_or(0.0, |(row, column)| self.input.get([channel, row, column]))
            })
            .collect()
    }

    /// `weights` is `[channels_out, channels_in / groups, kernel_height, kernel_width]`.
    fn convolution(
        &self,
        conv: &Conv2d,
        windows: [Window; 2],
        weights: &[f32],
        channels_out: usize,
    ) -> Result<Arithmetic, Error> {
        let taps = self.taps(windows)?;
        let kernel_area = taps[0].len() * taps[1].len();
        let group_inputs = self.input.shape[0] / conv.groups;
        let group_outputs = channels_out / conv.groups;
        let first = self.unit.channel / group_outputs * group_inputs;
        let kernels = weights
            .chunks_exact(kernel_area)
            .skip(self.unit.channel * group_inputs);
        let channels = first..first + group_inputs;
        let terms = channels.zip(kernels).map(|(channel, kernel)| {
            product_term(channel, &taps, self.patch(channel, &taps), kernel.to_vec())
        });
        Ok(Arithmetic {
            terms: terms.collect(),
            patch: Some(bounding_rect(&taps)),
            bias: None,
        })
    }

    /// `weights` is `[inputs, outputs]`.
    fn linear(&self, weights: &[f32], outputs: usize) -> Arithmetic {
        let [channels, height, width] = self.input.shape;
        let taps = [height, width].map(|len| (0..len as i64).collect::<Vec<_>>());
        let area = height * width;
        let kernel = |channel: usize| {
            let inputs = channel * area..(channel + 1) * area;
            inputs.map(|input| weights[input * outputs + self.unit.channel])
        };
        let terms = (0..channels).map(|channel| {
            let patch = self.patch(channel, &taps);
            product_term(channel, &taps, patch, kernel(channel).collect())
        });
        Arithmetic {
            terms: terms.collect(),
            patch: Some(bounding_rect(&taps)),
            bias: None,
        }
    }

    fn max_pool(&self, windows: [Window; 2]) -> Result<Arithmetic, Error> {
        let channel = self.unit.channel;
        let taps = self.without_padding(self.taps(windows)?);
        let patch = self.patch(channel, &taps);
        let largest = patch.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Ok(Arithmetic {
            patch: Some(bounding_rect(&taps)),
            terms: vec![Term {
                channel,
                rows: taps[0].len(),
                columns: taps[1].len(),
                patch,
                kernel: None,
                sum: largest.into(),
            }],
            bias: None,
        })
    }

    /// `count_include_pad`: whether the divisor counts taps in the padding.
    fn average_pool(
        &self,
        windows: [Window; 2],
        count_include_pad: bool,
    ) -> Result<Arithmetic, Error> {
        let all_taps = self.taps(windows)?;
        let taps = self.without_padding(all_taps.clone());
        let divisor = if count_include_pad {
            // In ceil mode the last window may extend beyond the padding; such taps do not count.
            let [_, height, width] = self.input.shape;
            let mut count = 1;
            for (axis, len) in [height, width].into_iter().enumerate() {
                let (_, after) = windows[axis].padding_around(len)?;
                let end = (len + after) as i64;
                count *= all_taps[axis].iter().filter(|&&at| at < end).count();
            }
            count
        } else {
            taps[0].len() * taps[1].len()
        };
        let channel = self.unit.channel;
        let patch = self.patch(channel, &taps);
        let kernel = vec![1.0 / divisor as f32; patch.len()];
        Ok(Arithmetic {
            patch: Some(bounding_rect(&taps)),
            terms: vec![product_term(channel, &taps, patch, kernel)],
            bias: None,
        })
    }

    /// Returns the taps that lie inside the feature map.
    fn without_padding(&self, [rows, columns]: [Vec<i64>; 2]) -> [Vec<i64>; 2] {
        let [_, height, width] = self.input.shape;
        let inside = |axis: Vec<i64>, len: usize| {
            let is_inside = |at: &i64| (0..len as i64).contains(at);
            axis.into_iter().filter(is_inside).collect()
        };
        [inside(rows, height), inside(columns, width)]
    }

    fn activation(&self) -> Arithmetic {
        let Unit {
            channel,
            row,
            column,
            ..
        } = self.unit;
        let argument = self.input.get([channel, row, column]);
        let taps = [vec![row as i64], vec![column as i64]];
        Arithmetic {
            patch: Some(bounding_rect(&taps)),
            terms: vec![Term {
                channel,
                rows: 1,
                columns: 1,
                patch: vec![argument],
                kernel: None,
                sum: argument.into(),
            }],
            bias: None,
        }
    }
}

/// Returns the term of `channel`: the sum of the products of `patch` and `kernel`, in double
/// precision.
fn product_term(channel: usize, taps: &[Vec<i64>; 2], patch: Vec<f32>, kernel: Vec<f32>) -> Term {
    let products = patch.iter().zip(&kernel);
    let sum = products.map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
    Term {
        channel,
        rows: taps[0].len(),
        columns: taps[1].len(),
        patch,
        kernel: Some(kernel),
        sum,
    }
}

/// Returns the smallest rectangle that contains all taps.
fn bounding_rect([rows, columns]: &[Vec<i64>; 2]) -> Rect {
    let span = |axis: &[i64]| match (axis.first(), axis.last()) {
        (Some(&first), Some(&last)) => (first, (last - first + 1) as usize),
        _ => (0, 0),
    };
    let ((top, height), (left, width)) = (span(rows), span(columns));
    Rect {
        top,
        left,
        height,
        width,
    }
}

/// Returns the elements of a parameter, or `None` if the graph has no `f32` data for the value.
fn elements(graph: &Graph, id: ValueId) -> Option<Vec<f32>> {
    let value = graph.value(id);
    match value.data.as_ref()? {
        ValueData::Elements(data) => data.as_slice::<f32>().ok().map(<[f32]>::to_vec),
        ValueData::Fill(fill) => Some(vec![*fill as f32; value.len()]),
    }
}
