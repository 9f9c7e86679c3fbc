//! The images that a network accepts.

/// The images that a network accepts: `[batch, channels, height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputSpec {
    /// Channels: 3 for RGB, 1 for greyscale.
    pub channels: usize,
    /// The published height and width, in pixels.
    pub size: usize,
    /// The sizes that the network accepts.
    pub accepts: Sizes,
}

/// The image sizes that a network accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Only the published size: a fully connected layer of fixed width reads the feature maps.
    Published,
    /// Any height and width of at least this many pixels.
    AtLeast(usize),
}

impl InputSpec {
    /// Returns `[1, channels, size, size]`: one image of the published size.
    pub const fn shape(&self) -> [usize; 4] {
        [1, self.channels, self.size, self.size]
    }

    /// Checks that the network accepts images of this shape.
    ///
    /// # Errors
    ///
    /// [`InputError`] when the batch is empty, or the channels or the size differ.
    pub fn check(&self, shape: [usize; 4]) -> Result<(), InputError> {
        let [batch, channels, height, width] = shape;
        let smallest = height.min(width);
        let fits = match self.accepts {
            Sizes::Published => height == self.size && width == self.size,
            Sizes::AtLeast(least) => smallest >= least,
        };
        if batch == 0 || channels != self.channels || !fits {
            return Err(InputError {
                found: shape,
                expected: *self,
            });
        }
        Ok(())
    }
}

/// The network does not accept an input of this shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input is {found:?}, expected {}", describe(.expected))]
pub struct InputError {
    /// The input's shape.
    pub found: [usize; 4],
    /// The images that the network accepts.
    pub expected: InputSpec,
}

fn describe(spec: &InputSpec) -> String {
    let channels = spec.channels;
    match spec.accepts {
        Sizes::Published => format!("[batch, {channels}, {0}, {0}]", spec.size),
        Sizes::AtLeast(least) => {
            format!("[batch, {channels}, height, width] with height and width of at least {least}")
        }
    }
}
