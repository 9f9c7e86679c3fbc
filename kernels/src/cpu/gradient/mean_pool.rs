//! Mean pooling without padding over planar maps, and its gradient.

use crate::threads::{Shared, run_team};

/// Mean pooling of planes of `size` to planes of `windows` windows, all within the plane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanarMeanPool {
    /// Height and width of a window.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Height and width of the output.
    pub windows: [usize; 2],
}

impl PlanarMeanPool {
    /// Pixels of an input plane.
    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Pixels of an output plane.
    fn window_count(&self) -> usize {
        self.windows[0] * self.windows[1]
    }

    /// Panics unless the windows lie within the input, and arrays of `x` input and `y` output
    /// elements have the same number of whole planes.
    fn check(&self, x: usize, y: usize) {
        let planes = x / self.area();
        let fits = (0..2).all(|axis| {
            (self.windows[axis] - 1) * self.stride[axis] + self.kernel[axis] <= self.size[axis]
        });
        assert!(
            fits && x == planes * self.area() && y == planes * self.window_count(),
            "arrays of {x} and {y} elements do not fit {self:?}"
        );
    }

    /// Weight of each pixel of a window.
    fn factor(&self) -> f32 {
        1.0 / (self.kernel[0] * self.kernel[1]) as f32
    }

    /// Offset in the plane of each tap of the first window of a row of windows.
    fn taps(&self, row: usize) -> impl Iterator<Item = usize> + use<> {
        let Self {
            kernel,
            stride,
            size,
            ..
        } = *self;
        (0..kernel[0] * kernel[1])
            .map(move |tap| (row * stride[0] + tap / kernel[1]) * size[1] + tap % kernel[1])
    }

    /// Returns the mean of each window.
    ///
    /// # Panics
    ///
    /// When `x` does not hold whole planes, or a window exceeds the plane.
    pub fn forward(&self, threads: usize, x: &[f32]) -> Vec<f32> {
        let planes = x.len() / self.area();
        let mut y = vec![0.0; planes * self.window_count()];
        self.check(x.len(), y.len());
        let output = Shared::new(&mut y);
        run_team(threads, &|part| {
            for plane in part.static_range(planes) {
                let first = plane * self.window_count();
                // SAFETY: `y` has `planes` planes, and only this thread uses this one.
                let y = unsafe {
                    std::slice::from_raw_parts_mut(output.at(first), self.window_count())
                };
                let x = &x[plane * self.area()..][..self.area()];
                for (row, y) in y.chunks_exact_mut(self.windows[1]).enumerate() {
                    for first in self.taps(row) {
                        let values = x[first..].iter().step_by(self.stride[1]);
                        y.iter_mut().zip(values).for_each(|(y, x)| *y += x);
                    }
                    y.iter_mut().for_each(|y| *y *= self.factor());
                }
            }
        });
        y
    }

    /// Returns the gradient of the input, where `gradient` is the gradient of the means.
    ///
    /// # Panics
    ///
    /// When `gradient` does not hold whole planes, or a window exceeds the plane.
    pub fn backward(&self, threads: usize, gradient: &[f32]) -> Vec<f32> {
        let planes = gradient.len() / self.window_count();
        let mut x = vec![0.0; planes * self.area()];
        self.check(x.len(), gradient.len());
        let output = Shared::new(&mut x);
        run_team(threads, &|part| {
            for plane in part.static_range(planes) {
                let first = plane * self.area();
                // SAFETY: `x` has `planes` planes, and only this thread uses this one.
                let x = unsafe { std::slice::from_raw_parts_mut(output.at(first), self.area()) };
                let gradient = &gradient[plane * self.window_count()..][..self.window_count()];
                for (row, gradient) in gradient.chunks_exact(self.windows[1]).enumerate() {
                    for first in self.taps(row) {
                        let pixels = x[first..].iter_mut().step_by(self.stride[1]);
                        let pixels = pixels.zip(gradient);
                        pixels.for_each(|(x, gradient)| *x += gradient * self.factor());
                    }
                }
            }
        });
        x
    }
}
