//! From a drawing to what a network is given.

use crate::error::Error;

/// How a square drawing lies in the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    /// Height and width of the drawing, in pixels.
    pub size: usize,
    /// Pixels of paper around it.
    pub padding: usize,
    /// Subtracted from the ink.
    pub mean: f32,
    /// Divides it after that.
    pub std: f32,
}

impl Frame {
    /// MNIST's 28x28 digits in the middle of 32x32, paper at -0.1 and ink at 1.175 (Gradient-Based Learning
    /// Applied to Document Recognition, section II.B): what `recipes/lenet5-mnist.toml` evaluates on.
    pub const LENET5: Self = Self {
        size: 28,
        padding: 2,
        mean: 0.078_431_375,
        std: 0.784_313_74,
    };

    /// Values of a drawing.
    pub const fn len(&self) -> usize {
        self.size * self.size
    }

    /// Writes the network's input for a drawing, 0 (paper) to 1 (ink).
    pub(super) fn fill(&self, drawing: &[f32], input: &mut [f32]) -> Result<(), Error> {
        if drawing.len() != self.len() {
            return Err(Error::DrawingSize {
                found: drawing.len(),
                expected: self.len(),
            });
        }
        let outside = |ink: &f32| !(0.0..=1.0).contains(ink);
        if let Some(index) = drawing.iter().position(outside) {
            let found = drawing[index];
            return Err(Error::Ink { index, found });
        }
        let normalise = |ink: f32| (ink - self.mean) / self.std;
        input.fill(normalise(0.0));
        let Self { size, padding, .. } = *self;
        let rows = input.chunks_exact_mut(size + 2 * padding).skip(padding);
        for (to, from) in rows.zip(drawing.chunks_exact(size)) {
            for (to, &ink) in to[padding..].iter_mut().zip(from) {
                *to = normalise(ink);
            }
        }
        Ok(())
    }
}
