//! Explanations: the relevance of each place of an image for the score of a class.
//!
//! | method | computation | needs |
//! |---|---|---|
//! | class activation map ([`ClassWeights`]) | the feature maps, weighted by the weights of the class (Zhou et al. 2016) | global mean pooling before the last layer: ResNet, GoogLeNet, MobileNet |
//! | Grad-CAM (`InputGradients::grad_cam`) | the feature maps, weighted by the means of the score's gradients (Selvaraju et al. 2017) | feature `autodiff` |
//! | occlusion ([`Occlusion`]) | the decrease of the score when a window is covered (Zeiler and Fergus 2014) | one run for each place |
//! | integrated gradients (`InputGradients::integrated_gradients`) | the image times the mean gradient between a baseline and the image (Sundararajan et al. 2017) | feature `autodiff` |
//!
//! The result of each method is a [`Heatmap`], which [`Heatmap::draw`] draws over the photo. The scores are those
//! before softmax.
//!
//! ```
//! use receptive_layers::explain::Heatmap;
//!
//! let map = Heatmap::new(1, 2, vec![-1.0, 3.0]);
//! assert_eq!((map.peak().column, map.peak().value), (1, 3.0));
//! assert_eq!(map.positive().normalized().values(), [0.0, 1.0]);
//! ```

mod class_weights;
#[cfg(feature = "autodiff")]
mod gradients;
mod heatmap;
mod occlusion;

pub use class_weights::ClassWeights;
#[cfg(feature = "autodiff")]
pub use gradients::InputGradients;
pub use heatmap::{Heatmap, Place};
pub use occlusion::Occlusion;
