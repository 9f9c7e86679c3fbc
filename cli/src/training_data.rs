//! The labelled images that `receptive train` names.

use std::path::PathBuf;

use receptive_train::TrainError;
use receptive_train::data::{DataSplits, Holdout, PublicDataset};
use receptive_train::recipe::Recipe;

use crate::args::{DownloadName, TrainArgs};
use crate::digits;
use crate::error::CliError;
use crate::progress::download_bar;
use crate::registry::Model;

/// Opens the data of `--data` or `--download`, or else the embedded digits for networks with grey
/// input.
///
/// # Errors
///
/// [`CliError::NoData`] without any data, [`CliError::ClassCount`] when `--classes` is not the
/// number of classes of the data, [`CliError::Train`] when the data cannot be read.
pub fn open(args: &TrainArgs, model: &Model, recipe: &Recipe) -> Result<DataSplits, CliError> {
    let downloaded = args.download.map(download).transpose()?;
    let data = match args.data.as_ref().or(downloaded.as_ref()) {
        Some(folder) => DataSplits::open(
            folder,
            Holdout {
                fraction: recipe.data.holdout,
                seed: recipe.seed,
            },
        )
        .map_err(TrainError::from)?,
        None if model.input.channels == 1 => digits::open().map_err(TrainError::from)?,
        None => return Err(CliError::NoData { model: model.name }),
    };
    match args.classes {
        Some(requested) if requested != data.classes.len() => Err(CliError::ClassCount {
            requested,
            found: data.classes.len(),
        }),
        _ => Ok(data),
    }
}

/// Returns the folder of a dataset in the cache folder, and downloads the dataset if it is missing.
fn download(dataset: DownloadName) -> Result<PathBuf, CliError> {
    let bar = download_bar();
    let mut report = |name: &str, done: u64, total: Option<u64>| {
        bar.set_message(name.to_owned());
        bar.set_length(total.unwrap_or(done));
        bar.set_position(done);
    };
    let published = match dataset {
        DownloadName::Mnist => PublicDataset::Mnist,
        DownloadName::Cifar10 => PublicDataset::Cifar10,
        DownloadName::Cifar100 => PublicDataset::Cifar100,
    };
    let folder = published.fetch(&mut report).map_err(TrainError::from);
    bar.finish_and_clear();
    Ok(folder?)
}
