//! Decoding and preprocessing of images.
//!
//! [`decode`] decodes an image file. [`preprocess`] resizes, crops and normalizes an image with the
//! parameters of a set of weights. Both functions follow Pillow and torchvision, with which the
//! published accuracies were measured: the resize equals Pillow's bit for bit. [`list`] finds the images
//! of a folder.
//!
//! ```
//! use receptive_layers::image;
//! use receptive_layers::preprocessing::Preprocessing;
//!
//! let bmp = [
//!     &b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0"[..],
//!     b"\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0",
//!     &[0; 24],
//!     b"\0\x80\xff\0",
//! ]
//! .concat();
//! let photo = image::decode(&bmp)?;
//! assert_eq!(photo.get_pixel(0, 0).0, [255, 128, 0]);
//!
//! let input = image::preprocess(&photo, &Preprocessing::IMAGENET);
//! assert_eq!(input.len(), 3 * 224 * 224);
//! # Ok::<(), image::ImageError>(())
//! ```

mod crop;
mod decode;
mod error;
mod format;
mod gif;
mod jpeg;
mod limit;
mod list;
mod orientation;
mod paper;
mod preprocess;
mod resample;
mod upright;

pub use ::image::RgbImage;
pub use crop::centre_crop_start;
pub use decode::{EXTENSIONS, decode, decode_reduced, decode_with_limit, open, open_reduced};
pub use error::{ImageError, OpenError};
pub use limit::MAX_BYTES;
pub use list::{LeftOut, ListError, Listing, has_image_extension, list};
pub use paper::{invert, is_on_light_paper};
pub use preprocess::{
    Region, luma, normalize, preprocess, preprocess_channels, preprocess_grey, resize_and_crop,
    resized_size, seen_region,
};
pub use resample::{Raster, resize};
