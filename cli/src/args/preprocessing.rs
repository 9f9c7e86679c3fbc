//! Preprocessing of images for an ONNX file.

use clap::Args;

use super::parse;
use crate::error::CliError;

/// Heading of the options in the help text.
const HEADING: &str = "Preprocessing for an ONNX file";

/// Preprocessing of images for an ONNX file: what is missing is stored in the file, or is that of ImageNet.
#[derive(Debug, Args)]
pub struct PreprocessingArgs {
    /// Length of the shorter side after the resize, in pixels [default: stored in the file, or 256/224 of the crop for
    /// three channels and the crop for one]
    #[arg(help_heading = HEADING, long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub resize: Option<usize>,

    /// Height and width of the centre crop, in pixels, if the file leaves them open [default: those of the file]
    #[arg(help_heading = HEADING, long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub crop: Option<usize>,

    /// Mean of each channel, or of all, of samples from 0 to 1 [default: stored in the file, or that of ImageNet for
    /// three channels and 0 for one]
    #[arg(help_heading = HEADING, long, value_name = "R,G,B", value_parser = parse::channels, allow_hyphen_values = true)]
    pub mean: Option<[f32; 3]>,

    /// Standard deviation of each channel, or of all [default: stored in the file, or that of ImageNet for three channels
    /// and 1 for one]
    #[arg(help_heading = HEADING, long, value_name = "R,G,B", value_parser = parse::channels, allow_hyphen_values = true)]
    pub std: Option<[f32; 3]>,
}

impl PreprocessingArgs {
    /// Returns an error if an option is given, for a network called `model` that is not an ONNX file.
    ///
    /// # Errors
    ///
    /// [`CliError::OnlyForFiles`].
    pub fn refuse(&self, model: &'static str) -> Result<(), CliError> {
        let options = [
            ("--resize", self.resize.is_some()),
            ("--crop", self.crop.is_some()),
            ("--mean", self.mean.is_some()),
            ("--std", self.std.is_some()),
        ];
        match options.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(CliError::OnlyForFiles {
                option,
                model,
                reason: "; its preprocessing is that of its weights",
            }),
            None => Ok(()),
        }
    }
}
