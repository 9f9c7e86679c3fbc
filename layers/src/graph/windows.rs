//! Sliding windows of convolutions and pools.

use receptive_kernels::geometry::{Padding, Rounding, Window};

use super::op::{Op, Pool2d};
use super::structure::{Graph, Node};

impl Graph {
    /// Returns the sliding windows of a convolution or pool along height and width, or `None` for
    /// any other node.
    pub fn windows(&self, node: &Node) -> Option<[Window; 2]> {
        let pool = |pool: &Pool2d, dilation: [usize; 2]| {
            [0, 1].map(|axis| Window {
                kernel: pool.kernel[axis],
                stride: pool.stride[axis],
                padding: Padding::Explicit {
                    before: pool.padding[axis][0],
                    after: pool.padding[axis][1],
                },
                dilation: dilation[axis],
                rounding: if pool.ceil {
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
