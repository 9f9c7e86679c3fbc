//! The windows that nodes slide over their input.

use receptive_kernels::geometry::{Padding, Rounding, Window};

use super::{Graph, Node, Op};

impl Graph {
    /// The windows of a convolution or pool, along height and width; none of other nodes.
    pub fn windows(&self, node: &Node) -> Option<[Window; 2]> {
        let pool = |window: &super::Window, dilation: [usize; 2]| {
            [0, 1].map(|axis| Window {
                kernel: window.kernel[axis],
                stride: window.stride[axis],
                padding: Padding::symmetric(window.padding[axis]),
                dilation: dilation[axis],
                rounding: if window.ceil {
                    Rounding::Ceil
                } else {
                    Rounding::Floor
                },
            })
        };
        match &node.op {
            Op::Conv2d(conv) => {
                let &[.., height, width] = self.shape(node.inputs[1]) else {
                    return None;
                };
                Some([(0, height), (1, width)].map(|(axis, kernel)| Window {
                    kernel,
                    stride: conv.stride[axis],
                    padding: Padding::Explicit {
                        before: conv.padding[axis][0],
                        after: conv.padding[axis][1],
                    },
                    dilation: conv.dilation[axis],
                    rounding: Rounding::Floor,
                }))
            }
            Op::MaxPool2d { window, dilation } => Some(pool(window, *dilation)),
            Op::AvgPool2d { window, .. } => Some(pool(window, [1, 1])),
            _ => None,
        }
    }
}
