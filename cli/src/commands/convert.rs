//! `receptive convert`: the same weights in another format or precision.

use receptive_layers::weights::{self, Format, StateDict};

use crate::args::{ConvertArgs, Precision};
use crate::device;
use crate::error::CliError;
use crate::registry;

/// Reads the file, checks it against the model and writes it under the reference's names.
pub fn run(args: &ConvertArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let format = Format::from_extension(&args.output).ok_or_else(|| CliError::Format {
        path: args.output.clone(),
    })?;
    let file = StateDict::open(&args.input)?;
    let network = model.load_whole(
        &file,
        &args.input.display().to_string(),
        &device::open(None)?,
    )?;
    let precision = match args.dtype {
        Precision::F32 => weights::Precision::F32,
        Precision::F16 => weights::Precision::F16,
        Precision::Bf16 => weights::Precision::BF16,
    };
    network.state_dict().save(&args.output, format, precision)?;
    Ok(())
}
