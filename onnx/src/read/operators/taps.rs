//! Weights of interpolation along an axis.

use super::coordinates::{Axis, Transformation};
use crate::read::fault::{Result, invalid};

/// Rounding of coordinates to the nearest element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; the lower of two.
    PreferFloor,
    /// To the nearest; the upper of two.
    PreferCeil,
    /// Down.
    Floor,
    /// Up.
    Ceil,
    /// Up if the axis becomes shorter, else down: `Resize` of opset 10.
    Simple,
}

impl Rounding {
    /// Returns the rounding of an attribute.
    ///
    /// # Errors
    ///
    /// The text is not a rounding.
    pub fn new(text: &str) -> Result<Self> {
        Ok(match text {
            "round_prefer_floor" => Self::PreferFloor,
            "round_prefer_ceil" => Self::PreferCeil,
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            other => return invalid(format!("nearest_mode is \"{other}\"")),
        })
    }
}

/// How elements are interpolated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// The nearest element.
    Nearest(Rounding),
    /// Of two elements; of more with antialiasing.
    Linear,
    /// Of four elements with Keys' kernel; of more with antialiasing.
    Cubic {
        /// Coefficient of the kernel.
        coefficient: f64,
    },
}

/// Interpolation along axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interpolation {
    /// How elements are interpolated.
    pub mode: Mode,
    /// The coordinates.
    pub transformation: Transformation,
    /// Whether the kernel is widened by the scale if an axis becomes shorter.
    pub antialias: bool,
    /// Whether elements outside of the input have no weight, rather than the value of the first or last element.
    pub exclude_outside: bool,
}

/// The taps of an output element: indices with weights.
pub type Taps = Vec<(usize, f64)>;

impl Interpolation {
    /// Returns the index of the nearest element for each element of the output.
    pub fn nearest(&self, axis: Axis, rounding: Rounding) -> Vec<usize> {
        let last = axis.input.saturating_sub(1);
        let index = |output: usize| {
            let x = axis.coordinate(self.transformation, output);
            let index = match rounding {
                Rounding::PreferFloor => (x - 0.5).ceil(),
                Rounding::PreferCeil => (x + 0.5).floor(),
                Rounding::Simple if axis.scale < 1.0 => x.ceil(),
                Rounding::Floor | Rounding::Simple => x.floor(),
                Rounding::Ceil => x.ceil(),
            };
            // Negative numbers become 0.
            (index as usize).min(last)
        };
        (0..axis.output).map(index).collect()
    }

    /// Returns the taps of each element of the output.
    pub fn taps(&self, axis: Axis) -> Vec<Taps> {
        let tap = |output: usize| match self.mode {
            Mode::Nearest(_) => Taps::new(),
            Mode::Linear => self.sampled(axis, output, 1.0, |x| (1.0 - x.abs()).max(0.0)),
            Mode::Cubic { coefficient } => {
                self.sampled(axis, output, 2.0, |x| cubic(x.abs(), coefficient))
            }
        };
        match self.mode {
            Mode::Nearest(rounding) => {
                let indices = self.nearest(axis, rounding);
                indices
                    .into_iter()
                    .map(|index| vec![(index, 1.0)])
                    .collect()
            }
            _ => (0..axis.output).map(tap).collect(),
        }
    }

    /// Returns the greatest number of taps of an output element.
    pub fn width(&self, axis: Axis) -> usize {
        let support = match self.mode {
            Mode::Nearest(_) => 0.5,
            Mode::Linear => 1.0,
            Mode::Cubic { .. } => 2.0,
        };
        let stretch = f64::from(self.shrinkage(axis)).max(1e-9);
        ((2.0 * support / stretch).ceil() as usize).saturating_add(2)
    }

    /// Returns the factor that distances are multiplied by.
    fn shrinkage(&self, axis: Axis) -> f32 {
        if self.antialias {
            axis.scale.min(1.0)
        } else {
            1.0
        }
    }

    /// Returns taps whose weights are `kernel` of their distances, up to `support`.
    fn sampled(
        &self,
        axis: Axis,
        output: usize,
        support: f64,
        kernel: impl Fn(f64) -> f64,
    ) -> Taps {
        let x = f64::from(axis.coordinate(self.transformation, output));
        let shrinkage = f64::from(self.shrinkage(axis));
        let first = (x - support / shrinkage).floor() as i64;
        let last = (x + support / shrinkage).ceil() as i64;
        let end = axis.input as i64 - 1;
        let mut taps = Taps::new();
        let mut sum = 0.0;
        for position in first..=last {
            let weight = kernel((position as f64 - x) * shrinkage);
            let is_outside = !(0..=end).contains(&position);
            if weight == 0.0 || is_outside && self.exclude_outside {
                continue;
            }
            sum += weight;
            let index = position.clamp(0, end) as usize;
            // Indices ascend.
            match taps.last_mut() {
                Some((last, sum)) if *last == index => *sum += weight,
                _ => taps.push((index, weight)),
            }
        }
        // Without weights, all elements are outside.
        if taps.is_empty() {
            return vec![((x.max(0.0) as usize).min(end as usize), 1.0)];
        }
        for (_, weight) in &mut taps {
            *weight /= sum;
        }
        taps
    }
}

/// Keys' cubic convolution kernel at distance `x`.
fn cubic(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}
