//! What the ranks of a run agree on.

use receptive_layers::metadata::Metadata;
use receptive_layers::weights::StateDict;
use serde::{Deserialize, Serialize};

use super::state::State;
use super::{Outcome, Run};
use crate::cluster::{ClusterError, gather, share};
use crate::error::TrainError;

/// What must be equal on all ranks.
#[derive(Serialize, Deserialize)]
struct Identity {
    version: String,
    network: String,
    recipe_sha256: String,
    images: [usize; 2],
    data_sha256: String,
    isa: String,
}

impl Identity {
    /// Compares the values of `rank` with those of rank 0.
    fn check(&self, rank: usize, first: &Self) -> Result<(), ClusterError> {
        let images = |[train, validation]: [usize; 2]| format!("{train} + {validation}");
        for (property, found, expected) in [
            ("the version", &self.version, &first.version),
            ("the network", &self.network, &first.network),
            (
                "the SHA-256 of the recipe",
                &self.recipe_sha256,
                &first.recipe_sha256,
            ),
            (
                "the number of training and validation images",
                &images(self.images),
                &images(first.images),
            ),
            (
                "the digest of the images' names, sizes and order",
                &self.data_sha256,
                &first.data_sha256,
            ),
            ("the instruction set", &self.isa, &first.isa),
        ] {
            if found != expected {
                let short = |value: &String| value.chars().take(16).collect();
                return Err(ClusterError::Mismatch {
                    property,
                    rank,
                    found: short(found),
                    expected: short(expected),
                });
            }
        }
        Ok(())
    }
}

impl Run<'_> {
    /// Whether this rank uses the output folder.
    pub(super) fn is_writer(&self) -> bool {
        self.cluster.rank() == 0
    }

    /// Checks that all ranks run the same, and that there is a part for each.
    pub(super) fn check_ranks(&self, state: &State, metadata: &Metadata) -> Result<(), TrainError> {
        let ranks = self.cluster.ranks();
        let own = Identity {
            version: metadata.version.clone().unwrap_or_default(),
            network: self.name.to_owned(),
            recipe_sha256: metadata.recipe_sha256.clone().unwrap_or_default(),
            images: state.images,
            data_sha256: state.data_sha256.clone(),
            isa: state.isa.clone(),
        };
        let all = gather(self.cluster, &own)?;
        for (rank, identity) in all.iter().enumerate().skip(1) {
            identity.check(rank, &all[0])?;
        }
        let parts = self.recipe.parts;
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
        let bytes = share(self.cluster, bytes)?;
        if !self.is_writer() {
            let weights = StateDict::from_bytes(bytes)?;
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
        if let Err(error) = &outcome
            && !matches!(error, TrainError::Cluster(ClusterError::Failed { .. }))
        {
            self.cluster.abort(error);
        }
        outcome
    }
}
