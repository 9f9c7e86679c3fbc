//! Options of `inspect`.

use std::path::PathBuf;

use clap::Args;

use super::weights_key::WeightsKeyArgs;

/// Options of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Name of the network, as `models` lists it
    pub model: String,

    /// Weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Image whose feature maps are drawn
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<PathBuf>,

    /// Folder for the pictures, created if missing
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
}
