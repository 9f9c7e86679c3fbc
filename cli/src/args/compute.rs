//! Options of the compiler, and the choice of engine, device and threads, which several commands
//! share.

use clap::{Args, ValueEnum};

use super::parse;
use crate::device::DeviceName;
use crate::error::CliError;

/// Engine, device and threads.
#[derive(Debug, Clone, Copy, Args)]
pub struct ComputeArgs {
    /// Burn backend of the eager engine; implies --engine eager
    #[arg(long, value_enum, value_name = "DEVICE")]
    pub device: Option<DeviceName>,

    /// Engine that runs the network [default: compiled, or eager with --device]
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub engine: Option<Engine>,

    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,

    /// Options of the compiler.
    #[command(flatten)]
    pub tuning: TuningArgs,
}

impl ComputeArgs {
    /// Returns the engine to run: the given engine, or else `Eager` with a device and `Compiled`
    /// without.
    ///
    /// # Errors
    ///
    /// [`CliError::CompiledDevice`] for the compiled engine with a device.
    pub fn engine(&self) -> Result<Engine, CliError> {
        match (self.engine, self.device) {
            (Some(Engine::Compiled), Some(device)) => Err(CliError::CompiledDevice { device }),
            (Some(engine), _) => Ok(engine),
            (None, Some(_)) => Ok(Engine::Eager),
            (None, None) => Ok(Engine::Compiled),
        }
    }
}

/// Ways to run a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// A plan compiled for this machine's CPU
    Compiled,
    /// One operation after the other, on a Burn backend
    Eager,
}

/// Options of the compiler.
#[derive(Debug, Clone, Copy, Args)]
pub struct TuningArgs {
    /// Numerical precision of the compiled network
    #[arg(long, value_enum, default_value_t = PlanPrecision::Fast)]
    pub precision: PlanPrecision,

    /// Method of choosing the algorithm of each convolution
    #[arg(long, value_enum, default_value_t = PlanTuning::Modelled)]
    pub tuning: PlanTuning,
}

/// Numerical precisions of a compiled network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanPrecision {
    /// Winograd and 24-bit fully connected weights where faster; error up to 1e-4 of the largest
    /// logit
    Fast,
    /// Direct convolution and 32-bit weights; error up to 1e-5 of the largest logit
    Exact,
}

/// Ways to choose the algorithm of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanTuning {
    /// By a cost model
    Modelled,
    /// By timing every candidate on this machine
    Measured,
}
