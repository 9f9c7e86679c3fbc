//! Sliding window along one axis of an input.

use std::ops::Range;

use super::error::GeometryError;

/// Sliding window of a convolution or a pool along one axis of its input.
///
/// The fields are public; start from [`Window::new`] and set the fields that differ:
///
/// ```
/// use receptive_kernels::geometry::{Rounding, Window};
///
/// // The overlapping pools of AlexNet and GoogLeNet.
/// let pool = Window { stride: 2, ..Window::new(3) };
/// assert_eq!(pool.output(55)?, 27);
/// let ceil = Window { rounding: Rounding::Ceil, ..pool };
/// assert_eq!(ceil.output(112)?, 56);
/// # Ok::<(), receptive_kernels::geometry::GeometryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Positions that the window reads, at least 1.
    pub kernel: usize,
    /// Distance between the starts of adjacent windows, at least 1.
    pub stride: usize,
    /// Positions added around the input.
    pub padding: Padding,
    /// Distance between adjacent positions that the window reads, at least 1.
    pub dilation: usize,
    /// Treatment of a last window that exceeds the end of the padded input.
    pub rounding: Rounding,
}

/// Positions added around an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Explicit numbers of positions.
    Explicit {
        /// Positions before the first: above, or to the left.
        before: usize,
        /// Positions after the last: below, or to the right.
        after: usize,
    },
    /// The fewest positions that give `ceil(input / stride)` windows (TensorFlow's `SAME`). An odd
    /// number has the extra position after the input.
    Same,
    /// No padding (TensorFlow's `VALID`).
    Valid,
}

impl Padding {
    /// `padding` positions on both sides.
    pub const fn symmetric(padding: usize) -> Self {
        Self::Explicit {
            before: padding,
            after: padding,
        }
    }
}

/// Treatment of a last window that exceeds the end of the padded input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rounding {
    /// The window is dropped.
    #[default]
    Floor,
    /// The window counts if it starts within the input or the padding before it (PyTorch's
    /// `ceil_mode`).
    Ceil,
}

impl Window {
    /// A window of `kernel` adjacent positions with stride 1 and no padding.
    pub const fn new(kernel: usize) -> Self {
        Self {
            kernel,
            stride: 1,
            padding: Padding::Valid,
            dilation: 1,
            rounding: Rounding::Floor,
        }
    }

    /// Returns the length from the first to the last position that the window reads, both included:
    /// `dilation * (kernel - 1) + 1`.
    ///
    /// ```
    /// use receptive_kernels::geometry::Window;
    ///
    /// let dilated = Window { dilation: 2, ..Window::new(3) };
    /// assert_eq!(dilated.extent()?, 5);
    /// # Ok::<(), receptive_kernels::geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`GeometryError::Zero`] for a kernel, stride or dilation of 0, [`GeometryError::Overflow`].
    pub fn extent(&self) -> Result<usize, GeometryError> {
        for (length, value) in [
            ("kernel", self.kernel),
            ("stride", self.stride),
            ("dilation", self.dilation),
        ] {
            if value == 0 {
                return Err(GeometryError::Zero { length });
            }
        }
        (self.kernel - 1)
            .checked_mul(self.dilation)
            .and_then(|gaps| gaps.checked_add(1))
            .ok_or(GeometryError::Overflow {
                length: "the dilated kernel",
            })
    }

    /// Returns the padding before and after an input of length `input`.
    ///
    /// ```
    /// use receptive_kernels::geometry::{Padding, Window};
    ///
    /// // TensorFlow's MobileNet pads 224 pixels by 0 and 1, PyTorch's by 1 and 1.
    /// let stem = Window { stride: 2, padding: Padding::Same, ..Window::new(3) };
    /// assert_eq!(stem.padding_around(224)?, (0, 1));
    /// # Ok::<(), receptive_kernels::geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`extent`](Self::extent), and [`GeometryError::Zero`] for an input of 0.
    pub fn padding_around(&self, input: usize) -> Result<(usize, usize), GeometryError> {
        let extent = self.extent()?;
        if input == 0 {
            return Err(GeometryError::Zero { length: "input" });
        }
        match self.padding {
            Padding::Explicit { before, after } => Ok((before, after)),
            Padding::Valid => Ok((0, 0)),
            Padding::Same => {
                let last_start = (input.div_ceil(self.stride) - 1) * self.stride;
                let end = last_start
                    .checked_add(extent)
                    .ok_or(GeometryError::Overflow {
                        length: "the padded input",
                    })?;
                let total = end.saturating_sub(input);
                Ok((total / 2, total - total / 2))
            }
        }
    }

    /// Returns the range of input positions, without padding, that the windows of `outputs` cover,
    /// where the input has length `input`. The range is empty if the windows cover only padding.
    ///
    /// ```
    /// use receptive_kernels::geometry::{Padding, Window};
    ///
    /// let stem = Window { stride: 2, padding: Padding::symmetric(1), ..Window::new(3) };
    /// assert_eq!(stem.seen(0..1, 224)?, 0..2);
    /// assert_eq!(stem.seen(1..4, 224)?, 1..8);
    /// # Ok::<(), receptive_kernels::geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`padding_around`](Self::padding_around).
    pub fn seen(&self, outputs: Range<usize>, input: usize) -> Result<Range<usize>, GeometryError> {
        let extent = self.extent()?;
        let (before, _) = self.padding_around(input)?;
        let end = before.checked_add(input).ok_or(GeometryError::Overflow {
            length: "the padded input",
        })?;
        // Windows before `first` end before the input, windows from `beyond` on start after it.
        let first = (before.saturating_add(1).saturating_sub(extent)).div_ceil(self.stride);
        let beyond = end.div_ceil(self.stride);
        let outputs = outputs.start.max(first)..outputs.end.min(beyond);
        if outputs.is_empty() {
            return Ok(0..0);
        }
        let within = |position: usize| position.saturating_sub(before).min(input);
        let last = (outputs.end - 1) * self.stride;
        Ok(within(outputs.start * self.stride)..within(last.saturating_add(extent)))
    }

    /// Returns the length of the output for an input of length `input`: the number of windows.
    ///
    /// An input of `n` positions with padding `b` before and `a` after, and a window of
    /// [`extent`](Self::extent) `e`, give `(n + b + a - e) / stride + 1`, where
    /// [`rounding`](Self::rounding) determines the rounding of the quotient.
    ///
    /// # Errors
    ///
    /// As [`padding_around`](Self::padding_around), and [`GeometryError::DoesNotFit`] if no window
    /// fits.
    pub fn output(&self, input: usize) -> Result<usize, GeometryError> {
        let extent = self.extent()?;
        let (before, after) = self.padding_around(input)?;
        let padded = input
            .checked_add(before)
            .and_then(|length| length.checked_add(after))
            .ok_or(GeometryError::Overflow {
                length: "the padded input",
            })?;
        let windows = match (padded.checked_sub(extent), self.rounding) {
            (Some(travel), Rounding::Floor) => travel / self.stride + 1,
            (Some(travel), Rounding::Ceil) => {
                let last = travel.div_ceil(self.stride);
                let starts_within = last
                    .checked_mul(self.stride)
                    .is_some_and(|start| start < input + before);
                if starts_within { last + 1 } else { last }
            }
            // One window may exceed the padded input by less than a stride.
            (None, Rounding::Ceil) if extent - padded < self.stride => 1,
            (None, _) => 0,
        };
        if windows == 0 {
            return Err(GeometryError::DoesNotFit {
                input,
                before,
                after,
                window: extent,
            });
        }
        Ok(windows)
    }
}
