//! Matrix products.

use receptive_layers::graph::{Arithmetic, Op};

use crate::cells::shares;
use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape;

/// `Gemm`: `alpha * a * b + beta * c`, with transposed matrices.
pub fn gemm(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let attributes = call.attributes;
    let alpha = attributes.float("alpha", 1.0)?;
    let beta = attributes.float("beta", 1.0)?;
    let mut a = call.input(0)?;
    let mut b = call.input(1)?;
    if call.shape(&a).len() != 2 || call.shape(&b).len() != 2 {
        return invalid(format!(
            "operands of shapes {:?} and {:?}, expected matrices",
            call.shape(&a),
            call.shape(&b)
        ));
    }
    if attributes.flag("transA", false)? {
        a = call.permute(&a, vec![1, 0])?;
    }
    if attributes.flag("transB", false)? {
        b = call.transpose_weight(&b)?;
    }
    if alpha != 1.0 {
        // The weight is scaled if it is a constant.
        let factor = if b.tensor().is_some() { &mut b } else { &mut a };
        *factor = call.scalar(factor, Arithmetic::Mul, alpha)?;
    }
    let product = product(call, &a, &b)?;
    let Some(c) = call.optional(2).filter(|_| beta != 0.0) else {
        return Ok(vec![product]);
    };
    let target = call.shape(&product);
    if shape::broadcast(&target, &call.shape(&c))? != target {
        return invalid(format!(
            "a sum of shapes {target:?} and {:?}",
            call.shape(&c)
        ));
    }
    let mut c = match beta == 1.0 {
        true => c,
        false => call.scalar(&c, Arithmetic::Mul, beta)?,
    };
    // A number is the bias of every output.
    if c.tensor().is_some_and(|tensor| tensor.len() == 1) {
        let number = call.reshape(&c, vec![1])?;
        c = call.expand(&number, vec![target[1]])?;
    }
    let c = call.with_rank(&c, 2)?;
    Ok(vec![call.node(
        Op::Binary(Arithmetic::Add),
        &[&product, &c],
        target,
    )?])
}

/// `MatMul`, with other leading axes broadcast.
pub fn matmul(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (mut a, mut b) = (call.input(0)?, call.input(1)?);
    let shapes = [call.shape(&a), call.shape(&b)];
    if shapes.iter().any(Vec::is_empty) {
        return invalid("an operand is a number");
    }
    // Vectors are matrices of one row or column, which the result has not.
    if let [length] = shapes[0][..] {
        a = call.reshape(&a, vec![1, length])?;
    }
    if let [length] = shapes[1][..] {
        b = call.reshape(&b, vec![length, 1])?;
    }
    let mut product = product(call, &a, &b)?;
    let mut shape = call.shape(&product);
    if shapes[1].len() == 1 {
        shape.pop();
    }
    if shapes[0].len() == 1 {
        let row = shape.len() - if shapes[1].len() == 1 { 1 } else { 2 };
        shape.remove(row);
    }
    product = call.reshape(&product, shape)?;
    Ok(vec![product])
}

/// The product of matrices, in the last two axes.
fn product(call: &mut Call<'_, '_>, a: &Operand, b: &Operand) -> Result<Operand> {
    let [left, right] = [call.shape(a), call.shape(b)];
    let (&[.., rows, inner], &[.., same, columns]) = (&left[..], &right[..]) else {
        return invalid("an operand is no matrix");
    };
    if inner != same {
        return invalid(format!("a product of shapes {left:?} and {right:?}"));
    }
    let outer = shape::broadcast(&left[..left.len() - 2], &right[..right.len() - 2])?;
    let mut target = outer;
    target.extend([rows, columns]);
    if right.len() == 2 && b.tensor().is_some() {
        if let Some((x, cells)) = adaptive_mean(call, a, b) {
            let op = Op::AdaptiveAvgPool2d { output: cells };
            return call.node(op, &[&x], target);
        }
        return call.node(Op::Linear, &[a, b], target);
    }
    let a = call.with_rank(a, target.len())?;
    let b = call.with_rank(b, target.len())?;
    call.node(Op::Matmul, &[&a, &b], target)
}

/// Returns `x` and the numbers of cells if `a * b` is `rows * x * columns`, where both matrices compute means over nearly
/// equal cells, as [`write`](crate::write()) writes them.
fn adaptive_mean(call: &Call<'_, '_>, a: &Operand, b: &Operand) -> Option<(Operand, [usize; 2])> {
    let (&Operand::Value(product), Some(columns)) = (a, b.tensor()) else {
        return None;
    };
    let last = call.state.builder.graph().nodes.last()?;
    let (Op::Matmul, &[rows, x]) = (&last.op, &last.inputs[..]) else {
        return None;
    };
    let rows = call
        .state
        .elements(rows)
        .filter(|_| last.outputs == [product])?;
    let (&[_, _, height, width], &[.., first, _]) = (call.state.shape(x), &rows.shape[..]) else {
        return None;
    };
    let &[_, second] = &columns.shape[..] else {
        return None;
    };
    let is_mean = first <= height
        && second <= width
        && rows.as_floats() == Some(&shares(first, height))
        && columns.transposed().as_floats() == Some(&shares(second, width));
    is_mean.then_some((Operand::Value(x), [first, second]))
}
