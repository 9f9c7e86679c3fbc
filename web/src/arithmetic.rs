//! The arithmetic of one layer, for numbers as a page has them.

use receptive_kernels::cost::{Convolution, Cost, DepthwiseSeparable};
use receptive_kernels::geometry::{Padding, Window};
use serde::Serialize;

use crate::error::Error;

/// The largest number that is taken for a length: far more than any map has.
const MOST: usize = 1 << 24;
/// The largest number of a [`Sliding`]: more than can be followed by eye.
const MOST_BY_HAND: usize = 64;

/// `value` as a whole number from `least` to 2^24.
///
/// # Errors
///
/// [`Error::Number`] names it where it is none.
pub fn whole(name: &'static str, value: f64, least: usize) -> Result<usize, Error> {
    within(name, value, least, MOST)
}

fn within(name: &'static str, value: f64, least: usize, most: usize) -> Result<usize, Error> {
    let fits = value.fract() == 0.0 && (least as f64..=most as f64).contains(&value);
    if !fits {
        return Err(Error::Number {
            name,
            found: value,
            least,
            most,
        });
    }
    Ok(value as usize)
}

/// A square map and a window that slides over it; at least one window fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sliding {
    /// The map's height and width, from 1 to 64.
    pub(crate) input: usize,
    /// Along both axes: kernel, stride and dilation from 1 to 64, padding to 64 on each side.
    pub(crate) window: Window,
    /// Positions added on each side.
    pub(crate) padding: usize,
}

impl Sliding {
    /// The window of these sizes.
    ///
    /// # Errors
    ///
    /// [`Error::Geometry`] where it does not fit, [`Error::Number`] which number is not in its range.
    pub fn new(
        input: f64,
        kernel: f64,
        stride: f64,
        padding: f64,
        dilation: f64,
    ) -> Result<Self, Error> {
        let by_hand = |name, value, least| within(name, value, least, MOST_BY_HAND);
        let padding = by_hand("padding", padding, 0)?;
        let sliding = Self {
            input: by_hand("input", input, 1)?,
            window: Window {
                stride: by_hand("stride", stride, 1)?,
                padding: Padding::symmetric(padding),
                dilation: by_hand("dilation", dilation, 1)?,
                ..Window::new(by_hand("kernel", kernel, 1)?)
            },
            padding,
        };
        sliding.output()?;
        Ok(sliding)
    }

    /// How many windows there are along one axis: `(n + 2p - d(k - 1) - 1) / s + 1`, rounded down.
    ///
    /// # Errors
    ///
    /// [`Error::Geometry`] says why there is none.
    fn output(&self) -> Result<usize, Error> {
        Ok(self.window.output(self.input)?)
    }
}

/// A standard convolution beside a depthwise and a pointwise one in its place, without biases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// The standard one.
    pub standard: LayerCost,
    /// The other two together.
    pub separable: LayerCost,
    /// The multiply-adds of the two by those of the standard one: `1/c_out + 1/k^2` (MobileNets,
    /// section 3.1).
    pub ratio: f64,
}

/// What a layer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerCost {
    /// Trainable values.
    pub parameters: u64,
    /// For one image.
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

/// The costs of both with an output of this height and width.
///
/// # Errors
///
/// [`Error::Number`] which number is no length, [`Error::Cost`] where a cost does not fit 64 bits.
pub fn convolution_costs(
    channels_in: f64,
    channels_out: f64,
    kernel: f64,
    height: f64,
    width: f64,
) -> Result<Comparison, Error> {
    let channels = [
        whole("channels in", channels_in, 1)?,
        whole("channels out", channels_out, 1)?,
    ];
    let kernel = whole("kernel", kernel, 1)?;
    let output = [whole("height", height, 1)?, whole("width", width, 1)?];
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
    fn windows_that_do_not_fit_are_explained() {
        let sliding = Sliding::new(32.0, 5.0, 1.0, 0.0, 1.0).unwrap();
        assert_eq!(sliding.output().unwrap(), 28);
        let message = Sliding::new(3.0, 5.0, 1.0, 0.0, 1.0)
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
            let message = Sliding::new(8.0, 3.0, number, 0.0, 1.0)
                .unwrap_err()
                .to_string();
            let expected = format!("stride is {word}, expected a whole number from 1 to 64");
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn costs_that_do_not_fit_are_errors() {
        let most = MOST as f64;
        assert!(convolution_costs(most, most, most, most, most).is_err());
        assert!(convolution_costs(0.0, 1.0, 1.0, 1.0, 1.0).is_err());
    }

    proptest! {
        #[test]
        fn the_ratio_is_that_of_the_costs(
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
        fn every_window_that_is_counted_lies_within_and_one_more_does_not(
            input in 1_usize..64, kernel in 1_usize..9, stride in 1_usize..6,
            padding in 0_usize..5, dilation in 1_usize..4,
        ) {
            let numbers = [input, kernel, stride, padding, dilation].map(|n| n as f64);
            let [n, k, s, p, d] = numbers;
            let padded = input + 2 * padding;
            let ends = |windows: usize| (windows - 1) * stride + dilation * (kernel - 1) + 1;
            match Sliding::new(n, k, s, p, d) {
                Ok(sliding) => {
                    let windows = sliding.output().unwrap();
                    prop_assert!(ends(windows) <= padded && padded < ends(windows + 1));
                }
                Err(_) => prop_assert!(ends(1) > padded),
            }
        }
    }
}
