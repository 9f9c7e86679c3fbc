//! Padding and normalisation of a drawing into a network's input.

use crate::error::Error;

/// Padding and normalisation that turn a square drawing into a network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InputFrame {
    /// Height and width of the drawing, in pixels.
    pub size: usize,
    /// Pixels of paper added on each side.
    pub padding: usize,
    /// Mean that normalisation subtracts.
    pub mean: f32,
    /// Standard deviation that normalisation divides by.
    pub std: f32,
}

impl InputFrame {
    /// Input of LeNet-5: a 28x28 MNIST digit in the middle of 32x32 pixels, paper at -0.1 and ink
    /// at 1.175 (Gradient-Based Learning Applied to Document Recognition, section II.B).
    /// `arch-lenet/recipes/lenet5-mnist.toml` evaluates with the same numbers.
    pub const LENET5: Self = Self {
        size: 28,
        padding: 2,
        mean: 0.078_431_375,
        std: 0.784_313_74,
    };

    /// Number of pixels of a drawing.
    pub const fn len(&self) -> usize {
        self.size * self.size
    }

    /// Writes the network's input for a drawing with values from 0 (paper) to 1 (ink).
    pub(crate) fn fill(&self, drawing: &[f32], input: &mut [f32]) -> Result<(), Error> {
        if drawing.len() != self.len() {
            return Err(Error::DrawingSize {
                found: drawing.len(),
                expected: self.len(),
            });
        }
        let out_of_range = |ink: &f32| !(0.0..=1.0).contains(ink);
        if let Some(index) = drawing.iter().position(out_of_range) {
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
