//! The terms that a unit's value is the sum of.

use receptive_kernels::geometry::Window;
use receptive_layers::graph::{Conv2d, Data, Graph, Op, ValueId};

use super::{Rect, Term, Unit};
use crate::error::Error;
use crate::explorer::LayerInfo;

/// The values of a layer.
pub(super) struct Map<'a> {
    shape: [usize; 3],
    values: &'a [f32],
}

impl<'a> Map<'a> {
    pub fn of(info: &LayerInfo, values: &'a [f32]) -> Self {
        let shape = info.shape;
        Self { shape, values }
    }

    pub fn at(&self, [channel, row, column]: [usize; 3]) -> f32 {
        let [_, height, width] = self.shape;
        self.values[(channel * height + row) * width + column]
    }
}

/// What a layer does for one unit.
#[derive(Default)]
pub(super) struct Arithmetic {
    pub patch: Option<Rect>,
    pub terms: Vec<Term>,
    pub bias: Option<f32>,
}

/// Reads what one unit of one node is computed from.
pub(super) struct Reader<'a> {
    pub graph: &'a Graph,
    pub node: usize,
    /// Of the layer that it reads.
    pub map: Map<'a>,
    pub unit: Unit,
}

impl Reader<'_> {
    /// What the unit, of the layer `info`, is computed from.
    pub fn arithmetic(&self, info: &LayerInfo) -> Result<Arithmetic, Error> {
        let node = &self.graph.nodes[self.node];
        let unexplained = || Error::Unexplained {
            layer: node.name.clone(),
            operation: info.label.clone(),
        };
        let weights = |place: usize| -> Result<Vec<f32>, Error> {
            floats(self.graph, node.inputs[place]).ok_or_else(unexplained)
        };
        let bias = || -> Result<Option<f32>, Error> {
            Ok(match node.inputs.len() {
                3 => weights(2)?.get(self.unit.channel).copied(),
                _ => None,
            })
        };
        match (&node.op, self.graph.windows(node)) {
            (Op::Conv2d(conv), Some(windows)) => Ok(Arithmetic {
                bias: bias()?,
                ..self.convolution(conv, windows, &weights(1)?, info.shape[0])?
            }),
            (Op::Linear, _) => Ok(Arithmetic {
                bias: bias()?,
                ..self.linear(&weights(1)?, info.shape[0])
            }),
            (Op::MaxPool2d { .. }, Some(windows)) => self.max_pool(windows),
            (
                Op::AvgPool2d {
                    count_include_pad, ..
                },
                Some(windows),
            ) => self.mean_pool(windows, *count_include_pad),
            _ if node.op.is_activation() => Ok(self.activation()),
            _ => Err(unexplained()),
        }
    }

    /// Where the taps of the unit's window are, along height and width.
    fn taps(&self, windows: [Window; 2]) -> Result<[Vec<i64>; 2], Error> {
        let axis = |window: Window, at: usize, len: usize| -> Result<Vec<i64>, Error> {
            let (before, _) = window.padding_around(len)?;
            let start = (at * window.stride) as i64 - before as i64;
            Ok((0..window.kernel)
                .map(|tap| start + (tap * window.dilation) as i64)
                .collect())
        };
        let [_, height, width] = self.map.shape;
        let [rows, columns] = windows;
        Ok([
            axis(rows, self.unit.row, height)?,
            axis(columns, self.unit.column, width)?,
        ])
    }

    /// The values of a channel at the taps; zeros outside of the map.
    fn patch(&self, channel: usize, [rows, columns]: &[Vec<i64>; 2]) -> Vec<f32> {
        let [_, height, width] = self.map.shape;
        let inside = |at: i64, len: usize| usize::try_from(at).ok().filter(|&at| at < len);
        let pairs = (rows.iter()).flat_map(|&row| columns.iter().map(move |&column| (row, column)));
        pairs
            .map(|(row, column)| {
                inside(row, height)
                    .zip(inside(column, width))
                    .map_or(0.0, |(row, column)| self.map.at([channel, row, column]))
            })
            .collect()
    }

    fn convolution(
        &self,
        conv: &Conv2d,
        windows: [Window; 2],
        weights: &[f32],
        channels_out: usize,
    ) -> Result<Arithmetic, Error> {
        let taps = self.taps(windows)?;
        let area = taps[0].len() * taps[1].len();
        let seen = self.map.shape[0] / conv.groups;
        let first = self.unit.channel / (channels_out / conv.groups) * seen;
        let kernels = weights.chunks_exact(area).skip(self.unit.channel * seen);
        let terms = (first..first + seen).zip(kernels).map(|(channel, kernel)| {
            product(channel, &taps, self.patch(channel, &taps), kernel.to_vec())
        });
        Ok(Arithmetic {
            terms: terms.collect(),
            patch: Some(around(&taps)),
            bias: None,
        })
    }

    /// `weights` are `[in, out]`.
    fn linear(&self, weights: &[f32], outputs: usize) -> Arithmetic {
        let [channels, height, width] = self.map.shape;
        let taps = [height, width].map(|len| (0..len as i64).collect::<Vec<_>>());
        let area = height * width;
        let kernel = |channel: usize| {
            let inputs = channel * area..(channel + 1) * area;
            inputs.map(|input| weights[input * outputs + self.unit.channel])
        };
        let terms = (0..channels).map(|channel| {
            let patch = self.patch(channel, &taps);
            product(channel, &taps, patch, kernel(channel).collect())
        });
        Arithmetic {
            terms: terms.collect(),
            patch: Some(around(&taps)),
            bias: None,
        }
    }

    fn max_pool(&self, windows: [Window; 2]) -> Result<Arithmetic, Error> {
        let channel = self.unit.channel;
        let taps = self.inside(self.taps(windows)?);
        let patch = self.patch(channel, &taps);
        let largest = patch.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Ok(Arithmetic {
            patch: Some(around(&taps)),
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

    fn mean_pool(&self, windows: [Window; 2], with_padding: bool) -> Result<Arithmetic, Error> {
        let all = self.taps(windows)?;
        let taps = self.inside(all.clone());
        let counted = if with_padding {
            // A last window that hangs over the padding too counts what is within it.
            let [_, height, width] = self.map.shape;
            let mut count = 1;
            for (axis, len) in [height, width].into_iter().enumerate() {
                let (_, after) = windows[axis].padding_around(len)?;
                let end = (len + after) as i64;
                count *= all[axis].iter().filter(|&&at| at < end).count();
            }
            count
        } else {
            taps[0].len() * taps[1].len()
        };
        let channel = self.unit.channel;
        let patch = self.patch(channel, &taps);
        let shares = vec![1.0 / counted as f32; patch.len()];
        Ok(Arithmetic {
            patch: Some(around(&taps)),
            terms: vec![product(channel, &taps, patch, shares)],
            bias: None,
        })
    }

    /// The taps that lie within the map.
    fn inside(&self, [rows, columns]: [Vec<i64>; 2]) -> [Vec<i64>; 2] {
        let [_, height, width] = self.map.shape;
        let within = |axis: Vec<i64>, len: usize| {
            let inside = |at: &i64| (0..len as i64).contains(at);
            axis.into_iter().filter(inside).collect()
        };
        [within(rows, height), within(columns, width)]
    }

    fn activation(&self) -> Arithmetic {
        let Unit {
            channel,
            row,
            column,
            ..
        } = self.unit;
        let argument = self.map.at([channel, row, column]);
        let taps = [vec![row as i64], vec![column as i64]];
        Arithmetic {
            patch: Some(around(&taps)),
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

fn product(channel: usize, taps: &[Vec<i64>; 2], patch: Vec<f32>, kernel: Vec<f32>) -> Term {
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

/// From the first tap to the last.
fn around([rows, columns]: &[Vec<i64>; 2]) -> Rect {
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

/// The elements of a parameter.
fn floats(graph: &Graph, id: ValueId) -> Option<Vec<f32>> {
    let value = graph.value(id);
    match value.data.as_ref()? {
        Data::Elements(data) => data.as_slice::<f32>().ok().map(<[f32]>::to_vec),
        Data::Fill(fill) => Some(vec![*fill as f32; value.len()]),
    }
}
