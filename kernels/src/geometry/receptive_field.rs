//! How much of the network's input one output sees.

use super::error::GeometryError;
use super::window::Window;

/// Which input positions the outputs of a stack of windows see, along one axis.
///
/// Output `i` sees `size` positions from `i * jump - padding`; those outside the input are padding
/// (Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, section 2;
/// `jump` and `padding` are their effective stride and effective padding).
///
/// ```
/// use receptive_kernels::geometry::{ReceptiveField, Window};
///
/// // Two 3x3 layers see what one 5x5 layer sees.
/// let (two, _) = ReceptiveField::of_stack(&[Window::new(3); 2], 32)?;
/// let (one, _) = ReceptiveField::of_stack(&[Window::new(5)], 32)?;
/// assert_eq!(two, one);
/// assert_eq!(two.size, 5);
/// # Ok::<(), receptive_kernels::geometry::GeometryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceptiveField {
    /// Input positions that one output sees.
    pub size: usize,
    /// Input positions between the fields of two neighbouring outputs.
    pub jump: usize,
    /// Positions before the input at which the first output's field starts.
    pub padding: usize,
}

impl ReceptiveField {
    /// The input itself: every position sees itself.
    pub const INPUT: Self = Self {
        size: 1,
        jump: 1,
        padding: 0,
    };

    /// The field of a stack of windows over an input of this length, and the output's length.
    ///
    /// # Errors
    ///
    /// As [`Window::output`], for the first layer that has no output.
    pub fn of_stack(windows: &[Window], input: usize) -> Result<(Self, usize), GeometryError> {
        windows
            .iter()
            .try_fold((Self::INPUT, input), |(field, input), window| {
                Ok((field.then(window, input)?, window.output(input)?))
            })
    }

    /// The field after one more layer, whose own input has this length: the size grows by
    /// `(extent - 1) * jump`, the padding by `padding * jump`, the jump by the stride.
    ///
    /// # Errors
    ///
    /// As [`Window::padding_around`].
    pub fn then(self, window: &Window, input: usize) -> Result<Self, GeometryError> {
        let extent = window.extent()?;
        let (before, _) = window.padding_around(input)?;
        let grown = |length: usize, by: usize| {
            by.checked_mul(self.jump)
                .and_then(|by| by.checked_add(length))
                .ok_or(GeometryError::Overflow {
                    length: "the receptive field",
                })
        };
        Ok(Self {
            size: grown(self.size, extent - 1)?,
            jump: grown(0, window.stride)?,
            padding: grown(self.padding, before)?,
        })
    }

    /// What an output sees that is computed from both: where branches meet, by addition or
    /// concatenation. Branches that meet have the same jump; the larger counts if not.
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
