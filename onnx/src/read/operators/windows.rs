//! Windows of convolutions and pools: attributes, padding and output sizes.

use crate::read::call::Call;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape::length;

/// Attributes of a window along one or two axes. A window along one axis has a second one of length 1.
#[derive(Debug, Clone)]
pub struct Windows {
    /// Axes of the window in the file.
    pub axes: usize,
    /// Kernel size.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Distance between neighbouring taps.
    pub dilation: [usize; 2],
    /// Padding, if it does not depend on the input.
    padding: AutoPad,
    /// Whether the output size is rounded up.
    pub ceil: bool,
}

/// Rule of the padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoPad {
    /// The given padding.
    Explicit([[usize; 2]; 2]),
    /// Padding for `ceil(input / stride)` windows; an odd number has the extra element at the end.
    SameUpper,
    /// As `SameUpper`, with the extra element at the start.
    SameLower,
}

impl Windows {
    /// Reads the attributes of an operator on `x`, whose kernel has size `kernel` if the attribute is missing.
    ///
    /// # Errors
    ///
    /// The operator has three axes or an attribute is out of range.
    pub fn new(call: &Call<'_, '_>, x: &Operand, kernel: Option<&[usize]>) -> Result<Self> {
        let rank = call.shape(x).len();
        let axes = match rank {
            3 | 4 => rank - 2,
            5.. => return unsupported(format!("windows along {} axes", rank - 2)),
            _ => return invalid(format!("an operand of {rank} axes, expected 3 or 4")),
        };
        let attributes = call.attributes;
        let list = |name: &str, default: usize, least: usize| -> Result<[usize; 2]> {
            let Some(values) = attributes.integers(name)? else {
                // The second axis has length 1.
                return Ok(if axes == 1 {
                    [default, 1]
                } else {
                    [default; 2]
                });
            };
            if values.len() != axes {
                return invalid(format!(
                    "{name} has {} elements, expected {axes}",
                    values.len()
                ));
            }
            let mut lengths = [1; 2];
            for (length, &value) in lengths.iter_mut().zip(values) {
                *length = self::length(value, name)?;
                if *length < least || *length > MAX_LENGTH {
                    return invalid(format!(
                        "{name} is {value}, expected {least} to {MAX_LENGTH}"
                    ));
                }
            }
            Ok(lengths)
        };
        let mut size = list("kernel_shape", 0, 1)?;
        if size[0] == 0 {
            let Some(kernel) = kernel else {
                return invalid("the attribute kernel_shape is missing");
            };
            size = [kernel[0], kernel.get(1).copied().unwrap_or(1)];
        }
        Ok(Self {
            axes,
            kernel: size,
            stride: list("strides", 1, 1)?,
            dilation: list("dilations", 1, 1)?,
            padding: padding(call, axes)?,
            ceil: attributes.flag("ceil_mode", false)?,
        })
    }

    /// Returns the rule of the padding.
    pub fn auto_pad(&self) -> AutoPad {
        self.padding
    }

    /// Returns the length from the first to the last tap along an axis.
    pub fn extent(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// Returns the padding of an input of size `input`, before and after each axis.
    pub fn padding(&self, input: [usize; 2]) -> [[usize; 2]; 2] {
        let same = |axis: usize, extra_first: bool| {
            let windows = input[axis].div_ceil(self.stride[axis]).max(1);
            let end = (windows - 1) * self.stride[axis] + self.extent(axis);
            let total = end.saturating_sub(input[axis]);
            let less = total / 2;
            if extra_first {
                [total - less, less]
            } else {
                [less, total - less]
            }
        };
        match self.padding {
            AutoPad::Explicit(padding) => padding,
            AutoPad::SameUpper => [0, 1].map(|axis| same(axis, false)),
            AutoPad::SameLower => [0, 1].map(|axis| same(axis, true)),
        }
    }

    /// Returns the number of windows along each axis of an input of size `input`.
    ///
    /// # Errors
    ///
    /// The kernel is larger than the padded input.
    pub fn output(&self, input: [usize; 2]) -> Result<[usize; 2]> {
        let padding = self.padding(input);
        let mut output = [0; 2];
        for axis in [0, 1] {
            let [before, after] = padding[axis];
            let padded = input[axis] + before + after;
            let Some(free) = padded.checked_sub(self.extent(axis)) else {
                return invalid(format!(
                    "a window of {} elements on {padded} elements",
                    self.extent(axis)
                ));
            };
            let stride = self.stride[axis];
            output[axis] = match self.ceil {
                false => free / stride + 1,
                true => {
                    let windows = free.div_ceil(stride) + 1;
                    // A last window that starts in the padding after the input is dropped.
                    let starts_inside = (windows - 1) * stride < input[axis] + before;
                    if starts_inside { windows } else { windows - 1 }
                }
            };
        }
        Ok(output)
    }
}

/// Longest kernel, stride, dilation or padding. Products of two are exact.
const MAX_LENGTH: usize = 1 << 20;

/// Reads `auto_pad` and `pads`.
fn padding(call: &Call<'_, '_>, axes: usize) -> Result<AutoPad> {
    let explicit = |pads: Option<&[i64]>| {
        let Some(pads) = pads else {
            return Ok([[0; 2]; 2]);
        };
        if pads.len() != 2 * axes {
            return invalid(format!(
                "pads has {} elements, expected {}",
                pads.len(),
                2 * axes
            ));
        }
        let mut padding = [[0; 2]; 2];
        for axis in 0..axes {
            for (side, &value) in [pads[axis], pads[axes + axis]].iter().enumerate() {
                padding[axis][side] = length(value, "padding")?;
                if padding[axis][side] > MAX_LENGTH {
                    return invalid(format!("padding is {value}, expected 0 to {MAX_LENGTH}"));
                }
            }
        }
        Ok(padding)
    };
    match call.attributes.text("auto_pad", "NOTSET")? {
        "NOTSET" | "" => Ok(AutoPad::Explicit(explicit(
            call.attributes.integers("pads")?,
        )?)),
        "VALID" => Ok(AutoPad::Explicit([[0; 2]; 2])),
        "SAME_UPPER" => Ok(AutoPad::SameUpper),
        "SAME_LOWER" => Ok(AutoPad::SameLower),
        other => invalid(format!("auto_pad is \"{other}\"")),
    }
}

/// Returns `x` with a trailing axis of length 1 if it has three axes.
///
/// # Errors
///
/// A limit is exceeded.
pub fn as_maps(call: &mut Call<'_, '_>, x: &Operand) -> Result<Operand> {
    let mut shape = call.shape(x);
    if shape.len() == 3 {
        shape.push(1);
    }
    call.reshape(x, shape)
}

/// Returns maps without their trailing axis if the operator's operand had three axes.
///
/// # Errors
///
/// A limit is exceeded.
pub fn as_operand(call: &mut Call<'_, '_>, maps: &Operand, axes: usize) -> Result<Operand> {
    let mut shape = call.shape(maps);
    if axes == 1 {
        shape.pop();
    }
    call.reshape(maps, shape)
}
