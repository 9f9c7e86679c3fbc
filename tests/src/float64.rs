//! The layers of a convolutional network as float64 loops, written from their definitions. The
//! results are the reference for every backend.

/// Feature maps `[batch, channels, height, width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Batch, channels, height, width.
    pub shape: [usize; 4],
    /// The elements, row-major.
    pub values: Vec<f64>,
}

/// A window with the same kernel, stride and padding in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Vertical and horizontal stride.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
}

impl Window {
    /// Creates a window.
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel,
            stride,
            padding,
        }
    }

    /// Returns the rows (or columns) of an input of `len` in the window of output `o`, each with
    /// its index in the kernel. Padding is omitted.
    fn taps(self, o: usize, len: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        (0..self.kernel).filter_map(move |k| {
            let row = (o * self.stride + k).checked_sub(self.padding)?;
            (row < len).then_some((row, k))
        })
    }

    /// Returns the output size `floor((len + 2p - k) / s) + 1`.
    pub fn output(self, len: usize) -> usize {
        (len + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Returns the output size with PyTorch's ceil mode: `ceil((len + 2p - k) / s) + 1`, without a
    /// last window that starts in the padding at the end.
    pub fn output_ceil(self, len: usize) -> usize {
        let out = (len + 2 * self.padding - self.kernel).div_ceil(self.stride) + 1;
        out - usize::from((out - 1) * self.stride >= len + self.padding)
    }
}

impl Map {
    /// Creates maps whose value at `[n, c, y, x]` is `f([n, c, y, x])`.
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

    /// Returns the value at `[n, c, y, x]`.
    pub fn at(&self, [n, c, y, x]: [usize; 4]) -> f64 {
        let [_, channels, height, width] = self.shape;
        self.values[((n * channels + c) * height + y) * width + x]
    }

    /// Applies `f` to each value.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            shape: self.shape,
            values: self.values.iter().map(|&v| f(v)).collect(),
        }
    }

    /// Adds two maps of the same shape element by element.
    pub fn add(&self, other: &Self) -> Self {
        assert_eq!(self.shape, other.shape);
        Self::from_fn(self.shape, |at| self.at(at) + other.at(at))
    }

    /// Concatenates maps along the channels.
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

    /// Convolves the maps with `weight` `[c_out, c_in / groups, k, k]` and adds a bias per output
    /// channel.
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

    /// Computes `(x - mean) / sqrt(variance + epsilon) * scale + shift` with a norm per channel.
    pub fn normalize(&self, norm: &Norm) -> Self {
        Self::from_fn(self.shape, |at| {
            let c = at[1];
            (self.at(at) - norm.mean[c]) / (norm.variance[c] + norm.epsilon).sqrt() * norm.scale[c]
                + norm.shift[c]
        })
    }

    /// Computes `a_i / (k + alpha * sum a_j^2)^beta`, where `j` runs over the `size` channels
    /// around `i`.
    pub fn respond_locally(&self, size: usize, alpha: f64, beta: f64, k: f64) -> Self {
        Self::from_fn(self.shape, |[n, c, y, x]| {
            let neighbours = c.saturating_sub(size / 2)..=(c + size / 2).min(self.shape[1] - 1);
            let sum: f64 = neighbours.map(|j| self.at([n, j, y, x]).powi(2)).sum();
            self.at([n, c, y, x]) / (k + alpha * sum).powf(beta)
        })
    }

    /// Computes the largest value of each window; with `ceil`, a last window may be partial.
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

    /// Computes the mean of each window. The window must have no padding.
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

/// Batch norm in inference. Each array has a value per channel.
#[derive(Debug, Clone)]
pub struct Norm {
    /// Running mean.
    pub mean: Vec<f64>,
    /// Running variance.
    pub variance: Vec<f64>,
    /// Factor of the normalized value.
    pub scale: Vec<f64>,
    /// Added to the scaled value.
    pub shift: Vec<f64>,
    /// Added to the variance.
    pub epsilon: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns maps with the values 1, 2, 3, ...
    fn ramp(shape: [usize; 4]) -> Map {
        let mut next = 0.0;
        Map::from_fn(shape, |_| {
            next += 1.0;
            next
        })
    }

    // The input is 1 to 9 as a 3x3 map, the kernel 2x2 ones; the expected values are computed by
    // hand.
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

    // Two channels, one per group: the second output reads only the second channel.
    #[test]
    fn an_output_channel_reads_only_its_group() {
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
