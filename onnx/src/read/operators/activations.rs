//! Element-wise functions of one tensor.

use receptive_layers::graph::{Arithmetic, Function, Op};

use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape;
use crate::read::tensor::widened;

/// `Relu`, `Sigmoid` and other functions with parameters as attributes.
pub fn function(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let float = |name: &str, default: f32| call.attributes.float(name, default);
    let function = match call.operator {
        "Relu" => return Ok(vec![call.map(&x, Op::Relu)?]),
        "Sigmoid" => return Ok(vec![call.map(&x, Op::Sigmoid)?]),
        "Tanh" => return Ok(vec![call.map(&x, Op::Tanh)?]),
        "Swish" => return swish(call, &x),
        "LeakyRelu" => Function::LeakyRelu {
            slope: float("alpha", 0.01)?,
        },
        "ThresholdedRelu" => Function::ThresholdedRelu {
            alpha: float("alpha", 1.0)?,
        },
        "HardSigmoid" => Function::HardSigmoid {
            alpha: float("alpha", 0.2)?,
            beta: float("beta", 0.5)?,
        },
        "Elu" => Function::Elu {
            alpha: float("alpha", 1.0)?,
        },
        "Selu" => Function::Selu {
            alpha: float("alpha", 1.673_263_2)?,
            scale: float("gamma", 1.050_701)?,
        },
        "Celu" => Function::Celu {
            alpha: float("alpha", 1.0)?,
        },
        "Gelu" => match call.attributes.text("approximate", "none")? {
            "none" => Function::Gelu,
            "tanh" => Function::GeluTanh,
            other => {
                return invalid(format!(
                    "the attribute approximate is \"{other}\", expected none or tanh"
                ));
            }
        },
        "HardSwish" => Function::HardSwish,
        "Mish" => Function::Mish,
        "Softplus" => Function::Softplus,
        "Softsign" => Function::Softsign,
        "Erf" => Function::Erf,
        "Exp" => Function::Exp,
        "Log" => Function::Ln,
        "Sqrt" => Function::Sqrt,
        "Abs" => Function::Abs,
        "Neg" => Function::Neg,
        "Reciprocal" => Function::Reciprocal,
        "Sign" => Function::Sign,
        "Floor" => Function::Floor,
        "Ceil" => Function::Ceil,
        "Round" => Function::Round,
        "Sin" => Function::Sin,
        "Cos" => Function::Cos,
        other => return invalid(format!("{other} is no function")),
    };
    Ok(vec![call.map(&x, Op::Function(function))?])
}

/// `x * sigmoid(alpha * x)`.
fn swish(call: &mut Call<'_, '_>, x: &Operand) -> Result<Vec<Operand>> {
    let alpha = call.attributes.float("alpha", 1.0)?;
    if alpha == 1.0 {
        return Ok(vec![call.map(x, Op::Function(Function::Silu))?]);
    }
    let scaled = call.scalar(x, Arithmetic::Mul, alpha)?;
    let gate = call.map(&scaled, Op::Sigmoid)?;
    Ok(vec![call.binary(x, &gate, Arithmetic::Mul)?])
}

/// `PRelu`, whose slope is broadcast to the shape of `x`. Files of the first opsets have a list of one slope for each
/// channel.
pub fn prelu(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, slope) = (call.input(0)?, call.input(1)?);
    let target = call.shape(&x);
    let own = call.shape(&slope);
    let is_broadcast = shape::broadcast(&own, &target).is_ok_and(|shape| shape == target);
    let slope = match (is_broadcast, &own[..], &target[..]) {
        (true, ..) => call.with_rank(&slope, target.len())?,
        (false, &[count], &[_, channels, ..]) if count == channels => {
            let mut shape = vec![1; target.len()];
            shape[1] = channels;
            call.reshape(&slope, shape)?
        }
        _ => return invalid(format!("a slope of shape {own:?} for shape {target:?}")),
    };
    Ok(vec![call.node(Op::Prelu, &[&x, &slope], target)?])
}

/// `Clip`, with bounds as attributes or operands.
pub fn clip(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    if call.opset < 11 {
        let min = call.attributes.float("min", f32::MIN)?;
        let max = call.attributes.float("max", f32::MAX)?;
        return Ok(vec![clamp(call, &x, min, max)?]);
    }
    let [min, max] = [call.optional(1), call.optional(2)];
    let number = |bound: &Option<Operand>, missing: f64| match bound {
        None => Some(missing),
        Some(bound) => bound.tensor()?.any_number(),
    };
    let numbers = (number(&min, f64::NEG_INFINITY), number(&max, f64::INFINITY));
    if let (Some(min), Some(max)) = numbers {
        return Ok(vec![clamp(call, &x, min, max)?]);
    }
    let mut y = x;
    if let Some(min) = min {
        y = call.binary(&y, &min, Arithmetic::Max)?;
    }
    if let Some(max) = max {
        y = call.binary(&y, &max, Arithmetic::Min)?;
    }
    Ok(vec![y])
}

/// `min(max(x, min), max)`. The largest numbers of float32 are no bounds.
fn clamp(call: &mut Call<'_, '_>, x: &Operand, min: f64, max: f64) -> Result<Operand> {
    let min = if min <= widened(f32::MIN) {
        f64::NEG_INFINITY
    } else {
        min
    };
    let max = if max >= widened(f32::MAX) {
        f64::INFINITY
    } else {
        max
    };
    if (min, max) == (f64::NEG_INFINITY, f64::INFINITY) {
        return Ok(x.clone());
    }
    call.map(x, Op::Clamp { min, max })
}
