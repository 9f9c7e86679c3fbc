//! The choice of images that are inverted, which several commands share.

use clap::Args;

/// Images that are inverted.
#[derive(Debug, Clone, Copy, Args)]
pub struct InversionArgs {
    /// Invert every image, for networks that were trained on light ink on a dark background
    #[arg(long, conflicts_with = "no_invert")]
    pub invert: bool,

    /// Never invert an image [default: invert images with a light border for MNIST's classes]
    #[arg(long)]
    pub no_invert: bool,
}
