//! Minimization by L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5).

use std::collections::VecDeque;

/// Pairs of steps and changes of the gradient that approximate the curvature.
const MEMORY: usize = 10;

/// Largest number of steps.
const MAX_STEPS: usize = 200;

/// Largest element of the gradient at the minimum.
const TOLERANCE: f64 = 1e-5;

/// Returns the parameters at the minimum of a convex loss, by L-BFGS from zero. `evaluate` returns the loss and
/// its gradient.
pub fn minimize(length: usize, mut evaluate: impl FnMut(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let mut parameters = vec![0.0; length];
    let (mut loss, mut gradient) = evaluate(&parameters);
    let mut history: VecDeque<Curvature> = VecDeque::new();
    for _ in 0..MAX_STEPS {
        if gradient.iter().all(|element| element.abs() <= TOLERANCE) {
            break;
        }
        let direction = direction(&history, &gradient);
        let slope = dot(&direction, &gradient);
        // Without history, the first step has length 1 or less.
        let mut step = match history.is_empty() {
            true => 1.0 / dot(&gradient, &gradient).sqrt().max(1.0),
            false => 1.0,
        };
        let next = loop {
            let moved = parameters.iter().zip(&direction).map(|(p, d)| p + step * d);
            let moved: Vec<f64> = moved.collect();
            let (new_loss, new_gradient) = evaluate(&moved);
            if new_loss <= loss + 1e-4 * step * slope {
                break Some((moved, new_loss, new_gradient));
            }
            step *= 0.5;
            // The loss is at the precision of its sums.
            if step < 1e-10 {
                break None;
            }
        };
        let Some((moved, new_loss, new_gradient)) = next else {
            break;
        };
        let curvature = Curvature::new(
            moved.iter().zip(&parameters).map(|(a, b)| a - b).collect(),
            new_gradient
                .iter()
                .zip(&gradient)
                .map(|(a, b)| a - b)
                .collect(),
        );
        history.extend(curvature);
        if history.len() > MEMORY {
            history.pop_front();
        }
        (parameters, loss, gradient) = (moved, new_loss, new_gradient);
    }
    parameters
}

/// A step and the change of the gradient along it.
struct Curvature {
    step: Vec<f64>,
    change: Vec<f64>,
    /// Inverse of their inner product, which is positive.
    inverse: f64,
}

impl Curvature {
    /// Returns `None` if the change is too small to divide by.
    fn new(step: Vec<f64>, change: Vec<f64>) -> Option<Self> {
        let product = dot(&step, &change);
        (product > f64::MIN_POSITIVE).then(|| Self {
            inverse: 1.0 / product,
            step,
            change,
        })
    }
}

/// Returns the direction of descent: minus the gradient times an approximation of the inverse Hessian.
fn direction(history: &VecDeque<Curvature>, gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|element| -element).collect();
    let mut factors = Vec::with_capacity(history.len());
    for curvature in history.iter().rev() {
        let factor = curvature.inverse * dot(&curvature.step, &direction);
        for (element, change) in direction.iter_mut().zip(&curvature.change) {
            *element -= factor * change;
        }
        factors.push(factor);
    }
    if let Some(last) = history.back() {
        let scale = 1.0 / (last.inverse * dot(&last.change, &last.change));
        for element in &mut direction {
            *element *= scale;
        }
    }
    for (curvature, factor) in history.iter().zip(factors.into_iter().rev()) {
        let correction = factor - curvature.inverse * dot(&curvature.change, &direction);
        for (element, step) in direction.iter_mut().zip(&curvature.step) {
            *element += correction * step;
        }
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
