//! The option that chooses a dictionary of a weight file.

use clap::Args;

/// Choice of a dictionary of a weight file.
#[derive(Debug, Clone, Args)]
pub struct WeightsKeyArgs {
    /// Key of the weights in a checkpoint with several, such as model_ema [default: state_dict, model,
    /// or the first averaged weights]
    #[arg(long, value_name = "KEY")]
    pub weights_key: Option<String>,
}

impl WeightsKeyArgs {
    /// Returns the key, if one is given.
    pub fn key(&self) -> Option<&str> {
        self.weights_key.as_deref()
    }
}
