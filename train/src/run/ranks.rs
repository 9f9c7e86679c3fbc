//! Checks that the ranks of a run agree, and the checkpoint that they start from.

use receptive_layers::metadata::Metadata;
use receptive_layers::weights::StateDict;

use super::state::State;
use super::{Outcome, Run};
use crate::cluster::{ClusterError, broadcast, check_equal};
use crate::error::TrainError;

impl Run<'_> {
    /// Whether this rank uses the output folder.
    pub(super) fn is_writer(&self) -> bool {
        self.cluster.rank() == 0
    }

    /// Checks that all ranks run the same, and that there is a part for each.
    pub(super) fn check_ranks(&self, state: &State, metadata: &Metadata) -> Result<(), TrainError> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let [train, validation] = state.images;
        check_equal(
            self.cluster,
            &[
                ("the version", text(&metadata.version)),
                ("the network", self.name.to_owned()),
                ("the SHA-256 of the recipe", text(&metadata.recipe_sha256)),
                (
                    "the number of training and validation images",
                    format!("{train} + {validation}"),
                ),
                (
                    "the digest of the images' names, sizes and order",
                    state.data_sha256.clone(),
                ),
                ("the instruction set", state.isa.clone()),
                (
                    "the number of compute threads",
                    rayon::current_num_threads().to_string(),
                ),
            ],
        )?;
        let (parts, ranks) = (self.recipe.parts, self.cluster.ranks());
        match ranks > parts {
            true => Err(ClusterError::TooManyRanks { parts, ranks }.into()),
            false => Ok(()),
        }
    }

    /// Gives the other ranks the checkpoint of rank 0.
    pub(super) fn share_checkpoint(&mut self, state: &mut State) -> Result<(), TrainError> {
        if self.cluster.ranks() == 1 {
            return Ok(());
        }
        let bytes = match self.is_writer() {
            true => self.folder.checkpoint_bytes()?,
            false => Vec::new(),
        };
        let bytes = broadcast(self.cluster, bytes)?;
        if !self.is_writer() {
            let weights = StateDict::from_bytes(&bytes[..])?;
            *state = self.folder.state_of(&weights)?;
            self.network.restore(&weights)?;
        }
        Ok(())
    }

    /// Tells the other ranks if the run failed here.
    pub(super) fn report_error(
        &self,
        outcome: Result<Outcome, TrainError>,
    ) -> Result<Outcome, TrainError> {
        if let Err(error) = &outcome {
            self.cluster.abort(error);
        }
        outcome
    }
}
