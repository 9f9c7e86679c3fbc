//! Radial basis layers, which files contain as differences, squares and sums.

use receptive_layers::graph::{Arithmetic, Node, Op, ParameterKind, Reduction};

use crate::read::call::Call;
use crate::read::fault::Result;
use crate::read::operand::{Constant, Operand};

/// Returns the squared distances of `[batch, in]` to centres if `x` are the squares of their differences, as
/// [`write`](crate::write()) writes them, and the sum along `axes` is taken.
///
/// # Errors
///
/// A limit is exceeded.
pub fn distances(
    call: &mut Call<'_, '_>,
    x: &Operand,
    reduction: Reduction,
    axes: &[usize],
) -> Result<Option<Operand>> {
    let graph = call.state.builder.graph();
    let (&Operand::Value(squares), Reduction::Sum, [2]) = (x, reduction, axes) else {
        return Ok(None);
    };
    let [.., row, difference, square] = &graph.nodes[..] else {
        return Ok(None);
    };
    let is = |node: &Node, op: Op| node.op == op;
    let is_square = is(row, Op::Reshape)
        && is(difference, Op::Binary(Arithmetic::Sub))
        && is(square, Op::Binary(Arithmetic::Mul))
        && difference.inputs[0] == row.outputs[0]
        && square.inputs == [difference.outputs[0]; 2]
        && square.outputs == [squares];
    let (x, centers) = (row.inputs[0], difference.inputs[1]);
    let (&[images, 1, length], &[batch, same]) = (graph.shape(row.outputs[0]), graph.shape(x))
    else {
        return Ok(None);
    };
    let (&[1, count, width], Some(tensor)) = (graph.shape(centers), call.state.elements(centers))
    else {
        return Ok(None);
    };
    if !is_square || [images, length] != [batch, same] || width != length {
        return Ok(None);
    }
    let name = graph.value(centers).parameter();
    let centers = Operand::Constant(Constant {
        tensor: tensor.reshaped(vec![count, width]),
        name: name.map(|(name, _)| name.into()),
    });
    let centers = call.id_of_kind(&centers, ParameterKind::Fixed)?;
    let result = call
        .state
        .node(Op::RadialBasis, vec![x, centers], vec![batch, count])?;
    Ok(Some(Operand::Value(result)))
}
