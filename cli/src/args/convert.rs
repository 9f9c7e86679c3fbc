//! Options of `convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::weights_key::WeightsKeyArgs;

/// Options of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Weight file to read
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// Weight file to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Name of the network, as `models` lists it
    #[arg(long, value_name = "NAME")]
    pub model: String,

    /// Type of the numbers in OUT
    #[arg(long, value_enum, default_value_t = Dtype::F32)]
    pub dtype: Dtype,
}

/// Number types of a weight file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    /// IEEE single precision, 32 bits
    F32,
    /// IEEE half precision, 16 bits
    F16,
    /// bfloat16, 16 bits
    Bf16,
}
