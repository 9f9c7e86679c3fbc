//! Output size and cost of a single layer, computed from JavaScript numbers.

use receptive_kernels::cost::{Convolution, Cost, DepthwiseSeparable};
use receptive_kernels::geometry::{Padding, Window};
use serde::Serialize;

use crate::error::Error;

/// Largest length, channel count or index that is accepted; larger than any feature map.
const MAX_LENGTH: usize = 1 << 24;
/// Largest setting of a [`SlidingWindow`].
const MAX_WINDOW_SETTING: usize = 64;

/// Returns `value` as an integer if it is one from `min` to 2^24.
///
/// # Errors
///
/// [`Error::Number`] with the `name` of the argument if `value` is not such an integer.
pub fn integer(name: &'static str, value: f64, min: usize) -> Result<usize, Error> {
    integer_in_range(name, value, min, MAX_LENGTH)
}

fn integer_in_range(
    name: &'static str,
    value: f64,
    min: usize,
    max: usize,
) -> Result<usize, Error> {
    let valid = value.fract() == 0.0 && (min as f64..=max as f64).contains(&value);
    if !valid {
        return Err(Error::Number {
            name,
            found: value,
            min,
            max,
        });
    }
    Ok(value as usize)
}

/// A window that slides over a square feature map. At least one window position fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindow {
    /// Height and width of the feature map, from 1 to 64.
    pub(crate) input: usize,
    /// Window along both axes: kernel size, stride and dilation from 1 to 64, padding to 64 a side.
    pub(crate) window: Window,
    /// Positions added on each side.
    pub(crate) padding: usize,
}

impl SlidingWindow {
    /// Returns a window with these settings over an `input` by `input` feature map.
    ///
    /// # Errors
    ///
    /// [`Error::Number`] if a setting is out of range, [`Error::Geometry`] if no window fits.
    pub fn new(
        input: f64,
        kernel: f64,
        stride: f64,
        padding: f64,
        dilation: f64,
    ) -> Result<Self, Error> {
        let setting = |name, value, min| integer_in_range(name, value, min, MAX_WINDOW_SETTING);
        let padding = setting("padding", padding, 0)?;
        let sliding = Self {
            input: setting("input", input, 1)?,
            window: Window {
                stride: setting("stride", stride, 1)?,
                padding: Padding::symmetric(padding),
                dilation: setting("dilation", dilation, 1)?,
                ..Window::new(setting("kernel", kernel, 1)?)
            },
            padding,
        };
        sliding.output()?;
        Ok(sliding)
    }

    /// Returns the output size along one axis: `(n + 2p - d(k - 1) - 1) / s + 1`, rounded down.
    ///
    /// # Errors
    ///
    /// [`Error::Geometry`] if no window fits.
    fn output(&self) -> Result<usize, Error> {
        Ok(self.window.output(self.input)?)
    }
}

/// Costs of a standard convolution and of the depthwise separable convolution (a depthwise
/// convolution followed by a pointwise one) that replaces it, both without biases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Cost of the standard convolution.
    pub standard: LayerCost,
    /// Cost of the depthwise separable convolution.
    pub separable: LayerCost,
    /// Multiply-adds of the separable convolution divided by the multiply-adds of the standard one:
    /// `1/c_out + 1/k^2` (MobileNets, section 3.1).
    pub ratio: f64,
}

/// Cost of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerCost {
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
}

impl From<Cost> for LayerCost {
    fn from(cost: Cost) -> Self {
        Self {
            parameters: cost.parameters,
            multiply_adds: cost.macs,
        }
    }
}

/// Compares a standard and a depthwise separable convolution with a `height` by `width` output.
///
/// # Errors
///
/// [`Error::Number`] if an argument is out of range, [`Error::Cost`] if a cost does not fit in 64
/// bits.
pub fn convolution_costs(
    channels_in: f64,
    channels_out: f64,
    kernel: f64,
    height: f64,
    width: f64,
) -> Result<Comparison, Error> {
    let channels = [
        integer("channels in", channels_in, 1)?,
        integer("channels out", channels_out, 1)?,
    ];
    let kernel = integer("kernel", kernel, 1)?;
    let output = [integer("height", height, 1)?, integer("width", width, 1)?];
    let standard = Convolution {
        bias: false,
        ..Convolution::new(channels, [kernel; 2])
    };
    let separable = DepthwiseSeparable { channels, kernel };
    Ok(Comparison {
        standard: standard.cost(output)?.into(),
        separable: separable.cost(output)?.into(),
        ratio: separable.ratio(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invalid_windows_are_errors_that_name_the_setting() {
        let sliding = SlidingWindow::new(32.0, 5.0, 1.0, 0.0, 1.0).unwrap();
        assert_eq!(sliding.output().unwrap(), 28);
        let message = SlidingWindow::new(3.0, 5.0, 1.0, 0.0, 1.0)
            .unwrap_err()
            .to_string();
        assert!(message.contains("a window of 5 does not fit"), "{message}");
        for (number, word) in [
            (-1.0, "-1"),
            (2.5, "2.5"),
            (f64::NAN, "NaN"),
            (0.0, "0"),
            (65.0, "65"),
        ] {
            let message = SlidingWindow::new(8.0, 3.0, number, 0.0, 1.0)
                .unwrap_err()
                .to_string();
            let expected = format!("stride is {word}, expected a whole number from 1 to 64");
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn costs_beyond_64_bits_are_errors() {
        let max = MAX_LENGTH as f64;
        assert!(convolution_costs(max, max, max, max, max).is_err());
        assert!(convolution_costs(0.0, 1.0, 1.0, 1.0, 1.0).is_err());
    }

    proptest! {
        #[test]
        fn the_ratio_equals_the_quotient_of_the_costs(
            c_in in 1_u16..512, c_out in 1_u16..512, kernel in 1_u8..12, side in 1_u16..256,
        ) {
            let side = f64::from(side);
            let costs =
                convolution_costs(c_in.into(), c_out.into(), kernel.into(), side, side).unwrap();
            let ratio = |cost: fn(&LayerCost) -> u64| {
                cost(&costs.separable) as f64 / cost(&costs.standard) as f64
            };
            prop_assert!((ratio(|cost| cost.multiply_adds) / costs.ratio - 1.0).abs() < 1e-12);
            prop_assert!((ratio(|cost| cost.parameters) / costs.ratio - 1.0).abs() < 1e-12);
        }

        #[test]
        fn the_last_window_fits_and_the_next_does_not(
            input in 1_usize..64, kernel in 1_usize..9, stride in 1_usize..6,
            padding in 0_usize..5, dilation in 1_usize..4,
        ) {
            let numbers = [input, kernel, stride, padding, dilation].map(|n| n as f64);
            let [n, k, s, p, d] = numbers;
            let padded = input + 2 * padding;
            let ends = |windows: usize| (windows - 1) * stride + dilation * (kernel - 1) + 1;
            match SlidingWindow::new(n, k, s, p, d) {
                Ok(sliding) => {
                    let windows = sliding.output().unwrap();
                    prop_assert!(ends(windows) <= padded && padded < ends(windows + 1));
                }
                Err(_) => prop_assert!(ends(1) > padded),
            }
        }
    }
}
