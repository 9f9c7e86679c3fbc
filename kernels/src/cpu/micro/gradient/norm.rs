//! Batch norm of one plane of a channel, and its gradient.

use std::marker::PhantomData;

use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::simd::{MAX_LANES, MicroKernel, Simd};

/// `activation(scale * (x - mean) + shift)`.
#[derive(Clone, Copy)]
pub(crate) struct Affine {
    pub mean: f32,
    pub scale: f32,
    pub shift: f32,
    pub activation: Activation,
}

/// Gradient of the input: `by_gradient * g + by_distance * (x - mean) + constant`.
#[derive(Clone, Copy)]
pub(crate) struct NormBackward {
    pub by_gradient: f32,
    pub by_distance: f32,
    pub constant: f32,
}

/// One plane.
pub(crate) struct NormArgs {
    x: *const f32,
    len: usize,
    /// Output gradient, as long as `x`, or null.
    gradient: *const f32,
    affine: Affine,
    back: NormBackward,
    /// Destination: as many elements as `x`, or two sums.
    to: *mut f32,
}

/// Entry points of an instruction set.
pub(crate) struct NormFns {
    moments: unsafe fn(&NormArgs),
    apply: unsafe fn(&NormArgs),
    gradient_sums: unsafe fn(&NormArgs),
    back: unsafe fn(&NormArgs),
}

const NOTHING: NormBackward = NormBackward {
    by_gradient: 0.0,
    by_distance: 0.0,
    constant: 0.0,
};

impl NormFns {
    pub fn of<S: Simd>() -> Self {
        Self {
            moments: S::entry::<Sums<Moments>>(),
            apply: S::entry::<Each<Apply>>(),
            gradient_sums: S::entry::<Sums<Gradients>>(),
            back: S::entry::<Each<InputGradient>>(),
        }
    }

    /// Sums of `x - about` and of its square.
    pub(crate) fn moments(&self, x: &[f32], about: f32) -> [f32; 2] {
        let affine = Affine {
            mean: about,
            scale: 0.0,
            shift: 0.0,
            activation: Activation::Identity,
        };
        self.sums(self.moments, x, &[], &affine)
    }

    /// Sums of the gradient before the activation, and of its product with `x - mean`.
    pub(crate) fn gradient_sums(&self, affine: &Affine, x: &[f32], gradient: &[f32]) -> [f32; 2] {
        self.sums(self.gradient_sums, x, gradient, affine)
    }

    fn sums(
        &self,
        code: unsafe fn(&NormArgs),
        x: &[f32],
        gradient: &[f32],
        affine: &Affine,
    ) -> [f32; 2] {
        let mut sums = [0.0; 2];
        let args = NormArgs {
            x: x.as_ptr(),
            len: x.len(),
            gradient: match gradient {
                [] => std::ptr::null(),
                _ => gradient.as_ptr(),
            },
            affine: *affine,
            back: NOTHING,
            to: sums.as_mut_ptr(),
        };
        // SAFETY: the slices have the same length, and `sums` has two elements.
        unsafe { code(&args) };
        sums
    }

    /// Writes the normalized and activated plane to `to`.
    ///
    /// # Safety
    ///
    /// `to` has as many writable elements as `x`.
    pub(crate) unsafe fn apply(&self, affine: &Affine, x: &[f32], to: *mut f32) {
        let args = NormArgs {
            x: x.as_ptr(),
            len: x.len(),
            gradient: std::ptr::null(),
            affine: *affine,
            back: NOTHING,
            to,
        };
        // SAFETY: as the caller guarantees.
        unsafe { (self.apply)(&args) };
    }

    /// Writes the gradient of the plane to `to`.
    ///
    /// # Safety
    ///
    /// `gradient` is as long as `x`, and `to` has as many writable elements.
    pub(crate) unsafe fn back(
        &self,
        affine: &Affine,
        back: &NormBackward,
        x: &[f32],
        gradient: &[f32],
        to: *mut f32,
    ) {
        let args = NormArgs {
            x: x.as_ptr(),
            len: x.len(),
            gradient: gradient.as_ptr(),
            affine: *affine,
            back: *back,
            to,
        };
        // SAFETY: as the caller guarantees.
        unsafe { (self.back)(&args) };
    }
}

/// Elements of a plane as whole vectors, the last one filled up.
struct Vectors<'a> {
    args: &'a NormArgs,
    /// Elements of the whole vectors, and the elements after them.
    whole: usize,
    rest: usize,
}

impl<'a> Vectors<'a> {
    #[inline(always)]
    fn new<S: Simd>(args: &'a NormArgs) -> Self {
        let whole = args.len / S::LANES * S::LANES;
        Self {
            args,
            whole,
            rest: args.len - whole,
        }
    }

    /// Values and gradients (0 without a gradient) at offset `at`.
    #[inline(always)]
    unsafe fn at<S: Simd>(&self, s: S, at: usize) -> [S::Vector; 2] {
        // SAFETY: as the caller guarantees.
        unsafe {
            let gradient = match self.args.gradient.is_null() {
                true => s.zero(),
                false => s.load(self.args.gradient.add(at)),
            };
            [s.load(self.args.x.add(at)), gradient]
        }
    }

    /// The last elements: values filled up with the mean, gradients with zeros.
    #[inline(always)]
    unsafe fn last<S: Simd>(&self, s: S) -> [S::Vector; 2] {
        let mut x = [self.args.affine.mean; MAX_LANES];
        let mut gradient = [0.0; MAX_LANES];
        // SAFETY: as the caller guarantees.
        unsafe {
            for i in 0..self.rest {
                x[i] = *self.args.x.add(self.whole + i);
                if !self.args.gradient.is_null() {
                    gradient[i] = *self.args.gradient.add(self.whole + i);
                }
            }
            [s.load(x.as_ptr()), s.load(gradient.as_ptr())]
        }
    }
}

/// A function of a value and its gradient.
trait Elementwise<const N: usize>: 'static {
    /// Implementations are `#[inline(always)]`.
    fn of<S: Simd>(s: S, a: &NormArgs, x: S::Vector, gradient: S::Vector) -> [S::Vector; N];
}

/// Sums over a plane of two functions.
///
/// # Safety
///
/// All memory that [`NormArgs`] describes is readable, and `to` has two writable elements.
struct Sums<F>(PhantomData<F>);

impl<F: Elementwise<2>> MicroKernel for Sums<F> {
    type Args = NormArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &NormArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let vectors = Vectors::new::<S>(a);
            // Four accumulators of each hide the latency of additions.
            let mut sums = [[s.zero(); 2]; 4];
            let mut at = 0;
            while at + 4 * S::LANES <= vectors.whole {
                for sum in &mut sums {
                    let [x, gradient] = vectors.at::<S>(s, at);
                    let [first, second] = F::of::<S>(s, a, x, gradient);
                    *sum = [s.add(sum[0], first), s.add(sum[1], second)];
                    at += S::LANES;
                }
            }
            let sum = &mut sums[0];
            while at < vectors.whole {
                let [x, gradient] = vectors.at::<S>(s, at);
                let [first, second] = F::of::<S>(s, a, x, gradient);
                *sum = [s.add(sum[0], first), s.add(sum[1], second)];
                at += S::LANES;
            }
            if vectors.rest > 0 {
                let [x, gradient] = vectors.last::<S>(s);
                let [first, second] = F::of::<S>(s, a, x, gradient);
                *sum = [s.add(sum[0], first), s.add(sum[1], second)];
            }
            for i in 0..2 {
                let low = s.add(sums[0][i], sums[1][i]);
                let high = s.add(sums[2][i], sums[3][i]);
                let mut values = [0.0_f32; MAX_LANES];
                s.store(values.as_mut_ptr(), s.add(low, high));
                *a.to.add(i) = values.iter().sum();
            }
        }
    }
}

/// A function of each element of a plane.
///
/// # Safety
///
/// All memory that [`NormArgs`] describes is readable, and `to` has as many writable elements as
/// `x`.
struct Each<F>(PhantomData<F>);

impl<F: Elementwise<1>> MicroKernel for Each<F> {
    type Args = NormArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &NormArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let vectors = Vectors::new::<S>(a);
            let mut at = 0;
            while at < vectors.whole {
                let [x, gradient] = vectors.at::<S>(s, at);
                let [y] = F::of::<S>(s, a, x, gradient);
                s.store(a.to.add(at), y);
                at += S::LANES;
            }
            if vectors.rest > 0 {
                let [x, gradient] = vectors.last::<S>(s);
                let [y] = F::of::<S>(s, a, x, gradient);
                let mut values = [0.0; MAX_LANES];
                s.store(values.as_mut_ptr(), y);
                let to = a.to.add(vectors.whole);
                to.copy_from_nonoverlapping(values.as_ptr(), vectors.rest);
            }
        }
    }
}

/// Distance from the mean, and its square.
struct Moments;

impl Elementwise<2> for Moments {
    #[inline(always)]
    fn of<S: Simd>(s: S, a: &NormArgs, x: S::Vector, _: S::Vector) -> [S::Vector; 2] {
        let distance = s.sub(x, s.splat(a.affine.mean));
        [distance, s.mul(distance, distance)]
    }
}

/// Result before the activation.
#[inline(always)]
fn scaled<S: Simd>(s: S, affine: &Affine, x: S::Vector) -> S::Vector {
    let distance = s.sub(x, s.splat(affine.mean));
    s.mul_add(distance, s.splat(affine.scale), s.splat(affine.shift))
}

/// Gradient before the activation.
#[inline(always)]
fn masked<S: Simd>(s: S, affine: &Affine, x: S::Vector, gradient: S::Vector) -> S::Vector {
    match affine.activation {
        Activation::Relu => s.where_positive(scaled::<S>(s, affine, x), gradient),
        Activation::Clamp { low, high } => {
            let y = scaled::<S>(s, affine, x);
            let above = s.where_positive(s.sub(y, s.splat(low)), gradient);
            s.where_positive(s.sub(s.splat(high), y), above)
        }
        _ => gradient,
    }
}

/// Batch norm and activation.
struct Apply;

impl Elementwise<1> for Apply {
    #[inline(always)]
    fn of<S: Simd>(s: S, a: &NormArgs, x: S::Vector, _: S::Vector) -> [S::Vector; 1] {
        [a.affine
            .activation
            .apply::<S>(s, scaled::<S>(s, &a.affine, x))]
    }
}

/// Gradient before the activation, and its product with the distance from the mean.
struct Gradients;

impl Elementwise<2> for Gradients {
    #[inline(always)]
    fn of<S: Simd>(s: S, a: &NormArgs, x: S::Vector, gradient: S::Vector) -> [S::Vector; 2] {
        let gradient = masked::<S>(s, &a.affine, x, gradient);
        let distance = s.sub(x, s.splat(a.affine.mean));
        [gradient, s.mul(gradient, distance)]
    }
}

/// Gradient of the input.
struct InputGradient;

impl Elementwise<1> for InputGradient {
    #[inline(always)]
    fn of<S: Simd>(s: S, a: &NormArgs, x: S::Vector, gradient: S::Vector) -> [S::Vector; 1] {
        let NormBackward {
            by_gradient,
            by_distance,
            constant,
        } = a.back;
        {
            let gradient = masked::<S>(s, &a.affine, x, gradient);
            let distance = s.sub(x, s.splat(a.affine.mean));
            let rest = s.mul_add(s.splat(by_distance), distance, s.splat(constant));
            [s.mul_add(s.splat(by_gradient), gradient, rest)]
        }
    }
}
