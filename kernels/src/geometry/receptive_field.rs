//! Receptive fields of a stack of windows.

use super::error::GeometryError;
use super::window::Window;

/// Receptive field of the outputs of a stack of windows, along one axis.
///
/// Output `i` depends on the `size` input positions from `i * jump - padding` on. Positions outside
/// the input are padding (Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural
/// Networks, section 2; `jump` and `padding` are their effective stride and effective padding).
///
/// ```
/// use receptive_kernels::geometry::{ReceptiveField, Window};
///
/// // Two 3x3 layers have the receptive field of one 5x5 layer.
/// let (two, _) = ReceptiveField::of_stack(&[Window::new(3); 2], 32)?;
/// let (one, _) = ReceptiveField::of_stack(&[Window::new(5)], 32)?;
/// assert_eq!(two, one);
/// assert_eq!(two.size, 5);
/// # Ok::<(), receptive_kernels::geometry::GeometryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceptiveField {
    /// Input positions that one output depends on.
    pub size: usize,
    /// Distance between the receptive fields of adjacent outputs, in input positions.
    pub jump: usize,
    /// Positions of the first output's receptive field that lie before the input.
    pub padding: usize,
}

impl ReceptiveField {
    /// Receptive field of the input: every position depends on itself.
    pub const INPUT: Self = Self {
        size: 1,
        jump: 1,
        padding: 0,
    };

    /// Returns the receptive field of a stack of windows over an input of length `input`, and the
    /// length of the output.
    ///
    /// # Errors
    ///
    /// The error of [`Window::output`] for the first layer whose window does not fit.
    pub fn of_stack(windows: &[Window], input: usize) -> Result<(Self, usize), GeometryError> {
        windows
            .iter()
            .try_fold((Self::INPUT, input), |(field, input), window| {
                Ok((field.then(window, input)?, window.output(input)?))
            })
    }

    /// Returns the receptive field after one more layer, whose input has length `input`: the size
    /// grows by `(extent - 1) * jump`, the padding by `padding * jump`, and the jump is multiplied by
    /// the stride.
    ///
    /// # Errors
    ///
    /// As [`Window::padding_around`].
    pub fn then(self, window: &Window, input: usize) -> Result<Self, GeometryError> {
        let extent = window.extent()?;
        let (before, _) = window.padding_around(input)?;
        let grow = |length: usize, steps: usize| {
            steps
                .checked_mul(self.jump)
                .and_then(|growth| growth.checked_add(length))
                .ok_or(GeometryError::Overflow {
                    length: "the receptive field",
                })
        };
        Ok(Self {
            size: grow(self.size, extent - 1)?,
            jump: grow(0, window.stride)?,
            padding: grow(self.padding, before)?,
        })
    }

    /// Returns the smallest receptive field that contains both: the field of an addition or a
    /// concatenation of two branches. Branches of a network have the same jump; if not, the larger
    /// jump is returned.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`].
    pub fn union(self, other: Self) -> Result<Self, GeometryError> {
        let padding = self.padding.max(other.padding);
        let end = |field: Self| {
            field
                .size
                .checked_add(padding - field.padding)
                .ok_or(GeometryError::Overflow {
                    length: "the receptive field",
                })
        };
        Ok(Self {
            size: end(self)?.max(end(other)?),
            jump: self.jump.max(other.jump),
            padding,
        })
    }
}
