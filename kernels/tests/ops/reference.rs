//! Reference implementations of the operations as loops in float64.

use crate::{Conv, Norm};

/// AlexNet's local response normalization (section 3.3).
pub fn local_response_norm(norm: &Norm) -> Vec<f64> {
    let [batch, channels, height, width] = norm.shape;
    let area = height * width;
    let mut output = norm.x.clone();
    for image in 0..batch {
        for i in 0..channels {
            let first = i.saturating_sub(norm.size / 2);
            let last = (i + norm.size / 2).min(channels - 1);
            for position in 0..area {
                let at = |channel: usize| norm.x[(image * channels + channel) * area + position];
                let sum: f64 = (first..=last).map(|j| at(j) * at(j)).sum();
                output[(image * channels + i) * area + position] =
                    at(i) / (norm.k + norm.alpha * sum).powf(norm.beta);
            }
        }
    }
    output
}

/// LeNet-5's radial basis functions (equation 7).
pub fn radial_basis(x: &[f64], centers: &[f64], features: usize) -> Vec<f64> {
    let mut output = Vec::new();
    for row in x.chunks(features) {
        for center in centers.chunks(features) {
            output.push(row.iter().zip(center).map(|(a, b)| (a - b).powi(2)).sum());
        }
    }
    output
}

/// Two-dimensional convolution. Returns the shape and the values of the output.
pub fn conv2d(conv: &Conv) -> ([usize; 4], Vec<f64>) {
    let [batch, c_in, height, width] = conv.shape;
    let [c_out, c_group, k_h, k_w] = conv.weight_shape;
    let output_len = |axis: usize, input: usize, kernel: usize| {
        let (before, after) = conv.padding[axis];
        let extent = conv.dilation[axis] * (kernel - 1) + 1;
        (input + before + after - extent) / conv.stride[axis] + 1
    };
    let (rows, columns) = (output_len(0, height, k_h), output_len(1, width, k_w));
    let mut output = Vec::new();
    for image in 0..batch {
        for o in 0..c_out {
            let group = o / (c_out / conv.groups);
            for row in 0..rows {
                for column in 0..columns {
                    let mut sum = conv.bias.as_ref().map_or(0.0, |bias| bias[o]);
                    for i in 0..c_group {
                        for u in 0..k_h {
                            for v in 0..k_w {
                                let y = row * conv.stride[0] + u * conv.dilation[0];
                                let x = column * conv.stride[1] + v * conv.dilation[1];
                                let y = y.wrapping_sub(conv.padding[0].0);
                                let x = x.wrapping_sub(conv.padding[1].0);
                                if y < height && x < width {
                                    let channel = image * c_in + group * c_group + i;
                                    sum += conv.x[(channel * height + y) * width + x]
                                        * conv.weight[((o * c_group + i) * k_h + u) * k_w + v];
                                }
                            }
                        }
                    }
                    output.push(sum);
                }
            }
        }
    }
    ([batch, c_out, rows, columns], output)
}
