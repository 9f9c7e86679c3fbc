//! Pools.

use receptive_layers::graph::{Arithmetic, Op, Pool2d, Reduction};

use super::lp::window_sums;
use super::windows::{Windows, as_maps, as_operand};
use crate::read::call::Call;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::tensor::Tensor;

/// The window of a pool on maps of size `input`.
fn pool(windows: &Windows, input: [usize; 2]) -> Pool2d {
    Pool2d {
        kernel: windows.kernel,
        stride: windows.stride,
        padding: windows.padding(input),
        ceil: windows.ceil,
    }
}

/// `MaxPool`.
pub fn max(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    if call.is_used(1) {
        return unsupported("the indices of the largest elements");
    }
    let x = call.input(0)?;
    let windows = Windows::new(call, &x, None)?;
    let maps = as_maps(call, &x)?;
    let &[images, channels, height, width] = &call.shape(&maps)[..] else {
        return invalid("the operand is not maps");
    };
    let [rows, columns] = windows.output([height, width])?;
    let op = Op::MaxPool2d {
        window: pool(&windows, [height, width]),
        dilation: windows.dilation,
    };
    let result = call.node(op, &[&maps], vec![images, channels, rows, columns])?;
    Ok(vec![as_operand(call, &result, windows.axes)?])
}

/// `AveragePool`.
pub fn average(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let windows = Windows::new(call, &x, None)?;
    let count_include_pad = call.attributes.flag("count_include_pad", false)?;
    let maps = as_maps(call, &x)?;
    let &[images, channels, height, width] = &call.shape(&maps)[..] else {
        return invalid("the operand is not maps");
    };
    let output @ [rows, columns] = windows.output([height, width])?;
    // Means over equal cells, as `write` writes them.
    let is_grid = !call.attributes.has("pads")
        && windows.kernel == windows.stride
        && windows.kernel == [height / rows, width / columns]
        && [height, width] == [rows * windows.kernel[0], columns * windows.kernel[1]];
    let result = if is_grid && windows.axes == 2 && windows.dilation == [1, 1] {
        let op = Op::AdaptiveAvgPool2d { output };
        call.node(op, &[&maps], vec![images, channels, rows, columns])?
    } else if windows.dilation == [1, 1] {
        let op = Op::AvgPool2d {
            window: pool(&windows, [height, width]),
            count_include_pad,
        };
        call.node(op, &[&maps], vec![images, channels, rows, columns])?
    } else {
        let sums = window_sums(call, &maps, &windows)?;
        let taps = rows
            .saturating_mul(windows.kernel[0])
            .saturating_add(columns.saturating_mul(windows.kernel[1]));
        call.state
            .fold(taps.saturating_add(rows.saturating_mul(columns)), 0)?;
        let counts = [0, 1].map(|axis| {
            let input = [height, width][axis];
            counts(&windows, axis, input, output[axis], count_include_pad)
        });
        let shares = counts[0].iter().flat_map(|&row| {
            let columns = counts[1].iter();
            columns.map(move |&column| 1.0 / (row * column).max(1) as f32)
        });
        let shares = Tensor::floats(vec![1, 1, rows, columns], shares.collect());
        call.binary(&sums, &shares.into(), Arithmetic::Mul)?
    };
    Ok(vec![as_operand(call, &result, windows.axes)?])
}

/// Returns the number of elements that each window counts along an axis.
fn counts(
    windows: &Windows,
    axis: usize,
    input: usize,
    output: usize,
    count_include_pad: bool,
) -> Vec<usize> {
    let mut sizes = [1; 2];
    sizes[axis] = input;
    let [before, after] = windows.padding(sizes)[axis];
    let counted = match count_include_pad {
        true => 0..before + input + after,
        false => before..before + input,
    };
    let count = |window: usize| {
        let start = window * windows.stride[axis];
        let taps = (0..windows.kernel[axis]).map(|tap| start + tap * windows.dilation[axis]);
        taps.filter(|tap| counted.contains(tap)).count()
    };
    (0..output).map(count).collect()
}

/// Returns the axes of height and width, or of what there is instead.
fn spatial_axes(call: &Call<'_, '_>, x: &Operand) -> Result<Vec<usize>> {
    match call.shape(x).len() {
        rank @ 3.. => Ok((2..rank).collect()),
        rank => invalid(format!("an operand of {rank} axes, expected at least 3")),
    }
}

/// `GlobalAveragePool`.
pub fn global_average(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let axes = spatial_axes(call, &x)?;
    let shape = call.shape(&x);
    if let &[images, channels, _, _] = &shape[..] {
        let op = Op::AdaptiveAvgPool2d { output: [1, 1] };
        return Ok(vec![call.node(op, &[&x], vec![images, channels, 1, 1])?]);
    }
    Ok(vec![call.reduce(&x, Reduction::Mean, &axes)?])
}

/// `GlobalMaxPool`.
pub fn global_max(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let axes = spatial_axes(call, &x)?;
    Ok(vec![call.reduce(&x, Reduction::Max, &axes)?])
}
