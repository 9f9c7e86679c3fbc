//! A mean over windows that lie within the map, and its gradient.

use crate::threads::{Shared, run_team};

/// A mean over windows: planes of `size` become planes of `windows`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Means {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub size: [usize; 2],
    pub windows: [usize; 2],
}

impl Means {
    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn count(&self) -> usize {
        self.windows[0] * self.windows[1]
    }

    fn check(&self, x: usize, y: usize) -> usize {
        let planes = x / self.area();
        let fits = (0..2).all(|axis| {
            (self.windows[axis] - 1) * self.stride[axis] + self.kernel[axis] <= self.size[axis]
        });
        assert!(
            fits && x == planes * self.area() && y == planes * self.count(),
            "windows beyond the map, or arrays of other lengths than the pool's"
        );
        planes
    }

    fn factor(&self) -> f32 {
        1.0 / (self.kernel[0] * self.kernel[1]) as f32
    }

    /// The first element of each tap of a row of windows.
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

    /// The mean of each window.
    pub fn of(&self, threads: usize, x: &[f32]) -> Vec<f32> {
        let planes = x.len() / self.area();
        let mut y = vec![0.0; planes * self.count()];
        self.check(x.len(), y.len());
        let to = Shared::new(&mut y);
        run_team(threads, &|team| {
            for plane in team.static_range(planes) {
                let first = plane * self.count();
                // SAFETY: the plane is this thread's.
                let y = unsafe { std::slice::from_raw_parts_mut(to.at(first), self.count()) };
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

    /// The gradient of the input where `gradient` is that of the means.
    pub fn gradient(&self, threads: usize, gradient: &[f32]) -> Vec<f32> {
        let planes = gradient.len() / self.count();
        let mut x = vec![0.0; planes * self.area()];
        self.check(x.len(), gradient.len());
        let to = Shared::new(&mut x);
        run_team(threads, &|team| {
            for plane in team.static_range(planes) {
                let first = plane * self.area();
                // SAFETY: the plane is this thread's.
                let x = unsafe { std::slice::from_raw_parts_mut(to.at(first), self.area()) };
                let gradient = &gradient[plane * self.count()..][..self.count()];
                for (row, gradient) in gradient.chunks_exact(self.windows[1]).enumerate() {
                    for first in self.taps(row) {
                        let places = x[first..].iter_mut().step_by(self.stride[1]);
                        let pairs = places.zip(gradient);
                        pairs.for_each(|(x, gradient)| *x += gradient * self.factor());
                    }
                }
            }
        });
        x
    }
}
