//! Text form of a network, for tests and for inspecting the result of a pass.

use std::fmt;

use receptive_kernels::cpu::{Activation, Border, ConvSpec, PoolWindow};

use super::net::{Layer, LayerOp, MapId, Net};
use super::weights::{Affine, Weights};

/// Writes one line per layer: `map = name: operation (inputs) + residual, activation [shape]`.
impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} = input {:?}", self.input, self.shape(self.input))?;
        for layer in &self.layers {
            let inputs: Vec<String> = layer.inputs.iter().map(MapId::to_string).collect();
            let Layer { name, output, .. } = layer;
            write!(f, "{output} = {name}: {} ({})", layer.op, inputs.join(", "))?;
            if let Some(residual) = layer.residual {
                write!(f, " + {residual}")?;
            }
            activation(f, layer.activation)?;
            writeln!(f, " {:?}", self.shape(*output))?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(MapId::to_string).collect();
        writeln!(f, "output {}", outputs.join(", "))
    }
}

fn activation(f: &mut fmt::Formatter<'_>, activation: Activation) -> fmt::Result {
    match activation {
        Activation::Identity => Ok(()),
        Activation::Clamp { low, high } => write!(f, ", clamp {low} {high}"),
        activation => write!(f, ", {}", format!("{activation:?}").to_lowercase()),
    }
}

fn convolution(f: &mut fmt::Formatter<'_>, spec: &ConvSpec, weights: &Weights) -> fmt::Result {
    write!(f, "conv {}x{}", spec.kernel[0], spec.kernel[1])?;
    if spec.stride != [1, 1] {
        write!(f, " stride {:?}", spec.stride)?;
    }
    if !spec.padding.is_empty() {
        let Border {
            top,
            bottom,
            left,
            right,
        } = spec.padding;
        write!(f, " padding {top} {bottom} {left} {right}")?;
    }
    if spec.dilation != [1, 1] {
        write!(f, " dilation {:?}", spec.dilation)?;
    }
    if spec.groups != 1 {
        write!(f, " groups {}", spec.groups)?;
    }
    write!(f, " {weights}")
}

impl fmt::Display for MapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

impl fmt::Display for LayerOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv { spec, weights } => convolution(f, spec, weights),
            Self::Separable {
                first,
                spec,
                weights,
            } => {
                convolution(f, &first.spec, &first.weights)?;
                activation(f, first.activation)?;
                f.write_str(", ")?;
                convolution(f, spec, weights)
            }
            Self::Affine(affine) => {
                let words: Vec<String> = affine.iter().map(Affine::to_string).collect();
                write!(f, "affine [{}]", words.join(", "))
            }
            Self::Pad(b) => write!(f, "pad {} {} {} {}", b.top, b.bottom, b.left, b.right),
            Self::Slice(slice) => match slice.first_of_run() {
                Some(first) => write!(f, "slice {first}.. {:?} {:?}", slice.start, slice.step),
                None => write!(f, "slice {:?} {:?}", slice.start, slice.step),
            },
            Self::MaxPool(window) => pool(f, "max", window),
            Self::MeanPool { window, .. } => pool(f, "mean", window),
            Self::AdaptiveMean => f.write_str("adaptive mean"),
            Self::Lrn { size, .. } => write!(f, "lrn {size}"),
            Self::RadialBasis { .. } => f.write_str("radial basis"),
            Self::Binary(arithmetic) => write!(f, "{}", format!("{arithmetic:?}").to_lowercase()),
            Self::Activation => f.write_str("activation"),
            Self::Function(function) => {
                write!(f, "{}", format!("{function:?}").to_lowercase())
            }
            Self::Softmax => f.write_str("softmax"),
            Self::Concat => f.write_str("concat"),
            Self::Rearrange(_) => f.write_str("copy"),
            Self::Reduce { reduction, .. } => {
                write!(f, "{}", format!("{reduction:?}").to_lowercase())
            }
            Self::Contract { .. } => f.write_str("product"),
            Self::Resample { .. } => f.write_str("interpolation"),
            Self::Constant(_) => f.write_str("constant"),
        }
    }
}

fn pool(f: &mut fmt::Formatter<'_>, name: &str, window: &PoolWindow) -> fmt::Result {
    let PoolWindow {
        kernel,
        stride,
        padding,
        ..
    } = window;
    write!(
        f,
        "{name} {}x{} stride {stride:?} padding {padding:?}",
        kernel[0], kernel[1]
    )
}
