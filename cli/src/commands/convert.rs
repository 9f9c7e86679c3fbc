//! `receptive convert`: writes a weight file in another format or floating-point type.

use receptive_layers::weights::{FloatType, Format};

use crate::args::{ConvertArgs, Dtype};
use crate::device;
use crate::error::CliError;
use crate::registry;
use crate::weights::ModelWeights;

/// Reads the weights, checks them against the network and writes them under the reference
/// implementation's names.
///
/// # Errors
///
/// [`CliError`] when the weights do not fit the network, the format of the output is unknown, or
/// the output cannot be written.
pub fn run(args: &ConvertArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let format = Format::from_extension(&args.output).ok_or_else(|| CliError::Format {
        path: args.output.clone(),
    })?;
    let weights = ModelWeights::open(&model, &args.input, args.key.key())?;
    let network = weights.load_whole(&device::open(None)?)?;
    let float_type = match args.dtype {
        Dtype::F32 => FloatType::F32,
        Dtype::F16 => FloatType::F16,
        Dtype::Bf16 => FloatType::BF16,
    };
    network
        .state_dict()
        .with_metadata(weights.description.metadata())
        .save(&args.output, format, float_type)?;
    Ok(())
}
