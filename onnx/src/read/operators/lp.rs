//! Norms of vectors: pools and normalization.

use receptive_layers::graph::{Arithmetic, Conv2d, Function, Op, Reduction};

use super::windows::{Windows, as_maps, as_operand};
use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape;
use crate::read::tensor::Tensor;

/// `|x|^p`.
fn powers(call: &mut Call<'_, '_>, x: &Operand, p: f64) -> Result<Operand> {
    if p == 2.0 {
        return call.binary(x, x, Arithmetic::Mul);
    }
    let absolute = call.map(x, Op::Function(Function::Abs))?;
    match p == 1.0 {
        true => Ok(absolute),
        false => call.scalar(&absolute, Arithmetic::Pow, p),
    }
}

/// `x^(1 / p)`.
fn root(call: &mut Call<'_, '_>, x: &Operand, p: f64) -> Result<Operand> {
    if p == 1.0 {
        return Ok(x.clone());
    }
    match p == 2.0 {
        true => call.map(x, Op::Function(Function::Sqrt)),
        false => call.scalar(x, Arithmetic::Pow, 1.0 / p),
    }
}

/// Returns the exponent, an integer.
fn exponent(call: &Call<'_, '_>) -> Result<f64> {
    match call.attributes.integer("p", 2)? {
        p @ 1..=1024 => Ok(p as f64),
        p => invalid(format!("the exponent is {p}, expected 1 to 1024")),
    }
}

/// The sum of each window of maps: a convolution of every channel with ones.
pub fn window_sums(call: &mut Call<'_, '_>, maps: &Operand, windows: &Windows) -> Result<Operand> {
    let &[images, channels, height, width] = &call.shape(maps)[..] else {
        return invalid("the operand is not maps");
    };
    let output = windows.output([height, width])?;
    let mut padding = windows.padding([height, width]);
    for axis in [0, 1] {
        // A last window may extend past the padding.
        let end = (output[axis] - 1) * windows.stride[axis] + windows.extent(axis);
        let input = [height, width][axis];
        padding[axis][1] = padding[axis][1].max(end.saturating_sub(input + padding[axis][0]));
    }
    let shape = vec![channels, 1, windows.kernel[0], windows.kernel[1]];
    let ones = Operand::from(Tensor::filled(shape, 1.0));
    let op = Op::Conv2d(Conv2d {
        stride: windows.stride,
        padding,
        dilation: windows.dilation,
        groups: channels,
    });
    call.node(
        op,
        &[maps, &ones],
        vec![images, channels, output[0], output[1]],
    )
}

/// `LpPool`.
pub fn pool(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, p) = (call.input(0)?, exponent(call)?);
    let windows = Windows::new(call, &x, None)?;
    let maps = as_maps(call, &x)?;
    let powers = powers(call, &maps, p)?;
    let sums = window_sums(call, &powers, &windows)?;
    let norms = root(call, &sums, p)?;
    Ok(vec![as_operand(call, &norms, windows.axes)?])
}

/// `GlobalLpPool`.
pub fn global_pool(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, p) = (call.input(0)?, exponent(call)?);
    let axes: Vec<usize> = (2..call.shape(&x).len()).collect();
    Ok(vec![norm(call, &x, p, &axes)?])
}

/// `LpNormalization`. Vectors of zeros stay.
pub fn normalization(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, p) = (call.input(0)?, exponent(call)?);
    let axis = shape::axis(call.attributes.integer("axis", -1)?, call.shape(&x).len())?;
    let norm = norm(call, &x, p, &[axis])?;
    let positive = Op::Clamp {
        min: f64::from(f32::MIN_POSITIVE),
        max: f64::INFINITY,
    };
    let norm = call.map(&norm, positive)?;
    Ok(vec![call.binary(&x, &norm, Arithmetic::Div)?])
}

fn norm(call: &mut Call<'_, '_>, x: &Operand, p: f64, axes: &[usize]) -> Result<Operand> {
    if p == 1.0 {
        return call.reduce(x, Reduction::L1, axes);
    }
    if p == 2.0 {
        return call.reduce(x, Reduction::L2, axes);
    }
    let powers = powers(call, x, p)?;
    let sum = call.reduce(&powers, Reduction::Sum, axes)?;
    root(call, &sum, p)
}
