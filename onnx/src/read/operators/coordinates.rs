//! Coordinates of resized axes.

use crate::read::fault::{Result, invalid};

/// How indices of the output are mapped to coordinates of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transformation {
    /// The edges of the first and last element are kept.
    HalfPixel,
    /// As `HalfPixel`, with the centres of input and output kept.
    HalfPixelSymmetric,
    /// As `HalfPixel`; a single element is the first one.
    PytorchHalfPixel,
    /// The centres of the first and last element are kept.
    AlignCorners,
    /// Multiples of the inverse scale.
    Asymmetric,
    /// As `HalfPixel`, with the coordinates half an element further on.
    TfHalfPixelForNn,
    /// A part of the input.
    TfCropAndResize,
}

impl Transformation {
    /// Returns the transformation of an attribute.
    ///
    /// # Errors
    ///
    /// The text is not a transformation.
    pub fn new(text: &str) -> Result<Self> {
        Ok(match text {
            "half_pixel" => Self::HalfPixel,
            "half_pixel_symmetric" => Self::HalfPixelSymmetric,
            "pytorch_half_pixel" => Self::PytorchHalfPixel,
            "align_corners" => Self::AlignCorners,
            "asymmetric" => Self::Asymmetric,
            "tf_half_pixel_for_nn" => Self::TfHalfPixelForNn,
            "tf_crop_and_resize" => Self::TfCropAndResize,
            other => return invalid(format!("coordinate_transformation_mode is \"{other}\"")),
        })
    }
}

/// An axis that is resized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Length of the input.
    pub input: usize,
    /// Length of the output.
    pub output: usize,
    /// Length of the output, divided by that of the input.
    pub scale: f32,
    /// Part of the input, from 0 to 1, for [`Transformation::TfCropAndResize`].
    pub region: [f32; 2],
}

impl Axis {
    /// Returns the coordinate in the input of the element `index` of the output. Runtimes compute it in float32.
    pub fn coordinate(&self, transformation: Transformation, index: usize) -> f32 {
        let x = index as f32;
        let (input, output) = (self.input as f32, self.output as f32);
        let half_pixel = (x + 0.5) / self.scale - 0.5;
        match transformation {
            Transformation::HalfPixel => half_pixel,
            Transformation::HalfPixelSymmetric => {
                let adjustment = output / (self.scale * input);
                let offset = input / 2.0 * (1.0 - adjustment);
                offset + half_pixel
            }
            Transformation::PytorchHalfPixel if self.output > 1 => half_pixel,
            Transformation::PytorchHalfPixel => 0.0,
            // The length of the output, also if the scale is that of a fraction of an element more: PyTorch,
            // whose files have such scales, and ONNX Runtime compute so, unlike ONNX's reference.
            Transformation::AlignCorners if self.output > 1 => x * (input - 1.0) / (output - 1.0),
            Transformation::AlignCorners => 0.0,
            Transformation::Asymmetric => x / self.scale,
            Transformation::TfHalfPixelForNn => (x + 0.5) / self.scale,
            Transformation::TfCropAndResize => {
                let [start, end] = self.region;
                match self.output > 1 {
                    true => {
                        start * (input - 1.0) + x * (end - start) * (input - 1.0) / (output - 1.0)
                    }
                    false => 0.5 * (start + end) * (input - 1.0),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coordinates(transformation: &str, input: usize, output: usize) -> Vec<f32> {
        let axis = Axis {
            input,
            output,
            scale: output as f32 / input as f32,
            region: [0.25, 0.75],
        };
        let transformation = Transformation::new(transformation).expect("a transformation");
        (0..output)
            .map(|index| axis.coordinate(transformation, index))
            .collect()
    }

    #[test]
    fn the_corners_are_aligned_for_scales_of_a_fraction_of_an_element() {
        let axis = Axis {
            input: 4,
            output: 6,
            scale: 1.7,
            region: [0.0, 1.0],
        };
        assert_eq!(axis.coordinate(Transformation::AlignCorners, 5), 3.0);
    }

    #[test]
    fn coordinates_are_those_of_the_specification() {
        assert_eq!(coordinates("half_pixel", 2, 4), [-0.25, 0.25, 0.75, 1.25]);
        assert_eq!(
            coordinates("half_pixel_symmetric", 2, 4),
            [-0.25, 0.25, 0.75, 1.25]
        );
        assert_eq!(coordinates("pytorch_half_pixel", 3, 1), [0.0]);
        assert_eq!(
            coordinates("align_corners", 3, 5),
            [0.0, 0.5, 1.0, 1.5, 2.0]
        );
        assert_eq!(coordinates("align_corners", 3, 1), [0.0]);
        assert_eq!(coordinates("asymmetric", 2, 4), [0.0, 0.5, 1.0, 1.5]);
        assert_eq!(
            coordinates("tf_half_pixel_for_nn", 2, 4),
            [0.25, 0.75, 1.25, 1.75]
        );
        assert_eq!(coordinates("tf_crop_and_resize", 5, 3), [1.0, 2.0, 3.0]);
        assert_eq!(coordinates("tf_crop_and_resize", 5, 1), [2.0]);
        assert!(Transformation::new("cubic").is_err());
    }
}
