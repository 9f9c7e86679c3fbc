//! The layers of a convolutional network as plain loops over float64, each straight from its
//! definition: what every backend is held against.

/// A map `[batch, channels, height, width]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Batch, channels, height, width.
    pub shape: [usize; 4],
    /// Row-major.
    pub values: Vec<f64>,
}

/// Kernel, stride and zero padding of a window, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Added on every side.
    pub padding: usize,
}

impl Window {
    /// Kernel, stride, padding.
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel,
            stride,
            padding,
        }
    }

    /// The rows (or columns) of an input of `len` that output `o` sees, with their place in the
    /// kernel; padding left out.
    fn taps(self, o: usize, len: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        (0..self.kernel).filter_map(move |k| {
            let row = (o * self.stride + k).checked_sub(self.padding)?;
            (row < len).then_some((row, k))
        })
    }

    /// `floor((len + 2p - k) / s) + 1`.
    pub fn output(self, len: usize) -> usize {
        (len + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// `ceil((len + 2p - k) / s) + 1`, less a last window that would start in the padding at the
    /// end, as PyTorch has it.
    pub fn output_ceil(self, len: usize) -> usize {
        let out = (len + 2 * self.padding - self.kernel).div_ceil(self.stride) + 1;
        out - usize::from((out - 1) * self.stride >= len + self.padding)
    }
}

impl Map {
    /// The map whose value at `[n, c, y, x]` is `f([n, c, y, x])`.
    pub fn from_fn(shape: [usize; 4], mut f: impl FnMut([usize; 4]) -> f64) -> Self {
        let mut values = Vec::with_capacity(shape.iter().product());
        for n in 0..shape[0] {
            for c in 0..shape[1] {
                for y in 0..shape[2] {
                    for x in 0..shape[3] {
                        values.push(f([n, c, y, x]));
                    }
                }
            }
        }
        Self { shape, values }
    }

    /// The value at `[n, c, y, x]`.
    pub fn at(&self, [n, c, y, x]: [usize; 4]) -> f64 {
        let [_, channels, height, width] = self.shape;
        self.values[((n * channels + c) * height + y) * width + x]
    }

    /// `f` of each value.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            shape: self.shape,
            values: self.values.iter().map(|&v| f(v)).collect(),
        }
    }

    /// Element by element.
    pub fn add(&self, other: &Self) -> Self {
        assert_eq!(self.shape, other.shape);
        Self::from_fn(self.shape, |at| self.at(at) + other.at(at))
    }

    /// One after another along the channels.
    pub fn concatenate(maps: &[Self]) -> Self {
        let [n, _, h, w] = maps[0].shape;
        let owner: Vec<(usize, usize)> = maps
            .iter()
            .enumerate()
            .flat_map(|(i, map)| (0..map.shape[1]).map(move |c| (i, c)))
            .collect();
        Self::from_fn([n, owner.len(), h, w], |[n, c, y, x]| {
            let (map, channel) = owner[c];
            maps[map].at([n, channel, y, x])
        })
    }

    /// Convolution with `weight` `[c_out, c_in / groups, k, k]` and a bias for each output channel.
    pub fn convolve(&self, weight: &Self, bias: &[f64], window: Window, groups: usize) -> Self {
        let [n, _, h, w] = self.shape;
        let [c_out, group_in, _, _] = weight.shape;
        let group_out = c_out / groups;
        let shape = [n, c_out, window.output(h), window.output(w)];
        Self::from_fn(shape, |[n, o, y, x]| {
            let first = o / group_out * group_in;
            let mut sum = bias[o];
            for c in 0..group_in {
                for (row, i) in window.taps(y, h) {
                    for (column, j) in window.taps(x, w) {
                        sum += self.at([n, first + c, row, column]) * weight.at([o, c, i, j]);
                    }
                }
            }
            sum
        })
    }

    /// `(x - mean) / sqrt(variance + epsilon) * scale + shift`, each per channel.
    pub fn normalize(&self, norm: &Norm) -> Self {
        Self::from_fn(self.shape, |at| {
            let c = at[1];
            (self.at(at) - norm.mean[c]) / (norm.variance[c] + norm.epsilon).sqrt() * norm.scale[c]
                + norm.shift[c]
        })
    }

    /// `a_i / (k + alpha * sum a_j^2)^beta`, `j` over the `size` channels around `i`.
    pub fn respond_locally(&self, size: usize, alpha: f64, beta: f64, k: f64) -> Self {
        Self::from_fn(self.shape, |[n, c, y, x]| {
            let neighbours = c.saturating_sub(size / 2)..=(c + size / 2).min(self.shape[1] - 1);
            let sum: f64 = neighbours.map(|j| self.at([n, j, y, x]).powi(2)).sum();
            self.at([n, c, y, x]) / (k + alpha * sum).powf(beta)
        })
    }

    /// The largest value of each window; `ceil` keeps a last window that does not fill.
    pub fn max_pool(&self, window: Window, ceil: bool) -> Self {
        let [n, c, h, w] = self.shape;
        let output = |len| match ceil {
            true => window.output_ceil(len),
            false => window.output(len),
        };
        Self::from_fn([n, c, output(h), output(w)], |[n, c, y, x]| {
            let rows = window.taps(y, h);
            rows.flat_map(|(row, _)| window.taps(x, w).map(move |(column, _)| (row, column)))
                .map(|(row, column)| self.at([n, c, row, column]))
                .fold(f64::NEG_INFINITY, f64::max)
        })
    }

    /// The mean of each window, which must lie within the map.
    pub fn average_pool(&self, window: Window) -> Self {
        let [n, c, h, w] = self.shape;
        assert_eq!(window.padding, 0);
        let shape = [n, c, window.output(h), window.output(w)];
        Self::from_fn(shape, |[n, c, y, x]| {
            let rows = window.taps(y, h);
            rows.flat_map(|(row, _)| window.taps(x, w).map(move |(column, _)| (row, column)))
                .map(|(row, column)| self.at([n, c, row, column]))
                .sum::<f64>()
                / (window.kernel * window.kernel) as f64
        })
    }
}

/// Batch norm in inference, each array with a value for each channel.
#[derive(Debug, Clone)]
pub struct Norm {
    /// Running mean.
    pub mean: Vec<f64>,
    /// Running variance.
    pub variance: Vec<f64>,
    /// Multiplies.
    pub scale: Vec<f64>,
    /// Is added last.
    pub shift: Vec<f64>,
    /// Is added to the variance.
    pub epsilon: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(shape: [usize; 4]) -> Map {
        let mut next = 0.0;
        Map::from_fn(shape, |_| {
            next += 1.0;
            next
        })
    }

    // Computed by hand: [1..9] as 3x3, a 2x2 kernel of ones.
    #[test]
    fn loops_agree_with_hand_computed_maps() {
        let x = ramp([1, 1, 3, 3]);
        let ones = Map::from_fn([1, 1, 2, 2], |_| 1.0);
        let window = Window::new(2, 1, 0);
        let convolved = x.convolve(&ones, &[0.5], window, 1);
        assert_eq!(convolved.values, [12.5, 16.5, 24.5, 28.5]);
        assert_eq!(x.average_pool(window).values, [3.0, 4.0, 6.0, 7.0]);

        let padded = Window::new(2, 2, 1);
        let convolved = x.convolve(&ones, &[0.0], padded, 1);
        assert_eq!(convolved.values, [1.0, 5.0, 11.0, 28.0]);
        assert_eq!(x.max_pool(padded, false).values, [1.0, 3.0, 7.0, 9.0]);

        let strided = Window::new(2, 2, 0);
        assert_eq!(x.max_pool(strided, false).values, [5.0]);
        assert_eq!(x.max_pool(strided, true).values, [5.0, 6.0, 8.0, 9.0]);
    }

    // Two channels, one group each: the second output sees the second channel alone.
    #[test]
    fn groups_do_not_see_each_other() {
        let x = ramp([1, 2, 1, 1]);
        let weight = Map::from_fn([2, 1, 1, 1], |[o, ..]| 10.0 + o as f64);
        let window = Window::new(1, 1, 0);
        assert_eq!(
            x.convolve(&weight, &[0.0; 2], window, 2).values,
            [10.0, 22.0]
        );
        assert_eq!(
            x.respond_locally(3, 0.5, 1.0, 2.0).values,
            [1.0 / 4.5, 2.0 / 4.5]
        );
    }
}
