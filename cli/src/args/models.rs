//! Options of `models`.

use clap::Args;

/// Options of `models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
