//! `receptive embed`: the embeddings of images.

use std::process::ExitCode;

use crate::args::EmbedArgs;
use crate::embedder;
use crate::error::CliError;
use crate::inputs::Inputs;
use crate::predict::{self, Workers};
use crate::resolve::NetworkSource;
use crate::rows::{self, Columns};
use crate::same_file::check_output;

/// Embeds every image and writes a row for each to the file or to standard output. The exit code is 0 if
/// no image fails, 1 if some fail, 2 if all fail.
///
/// # Errors
///
/// [`CliError`] when there is no image, the network cannot be opened, or the output cannot be written.
pub fn run(args: &EmbedArgs) -> Result<ExitCode, CliError> {
    let source = NetworkSource::named(&args.vector.model.name)?;
    if let Some(output) = args.output.file() {
        let files = [source.path(), args.vector.model.weights.as_deref()];
        check_output(output, files.into_iter().flatten())?;
    }
    let inputs = Inputs::open(&args.input)?;
    let workers = Workers::new(None, &args.compute)?;
    let embedder = embedder::open(&source, &args.vector, workers.batch, &workers.compute)?;
    let columns = Columns::Vector {
        length: embedder.features()?,
    };
    let mut settings = rows::settings(
        "embed",
        &args.vector.model,
        source.path(),
        &args.compute,
        &args.input,
        embedder.preprocessing(),
    )?;
    let layer = args.vector.layer.as_deref().unwrap_or("embedding");
    settings.insert("layer".to_owned(), layer.to_owned());
    settings.insert("normalize".to_owned(), args.vector.normalize.to_string());
    let output = &args.output;
    let summary = predict::write(&embedder, inputs, &workers, output, columns, &settings)?;
    Ok(summary.map_or(ExitCode::SUCCESS, |summary| {
        summary.print(output.file().is_some(), true);
        summary.exit_code()
    }))
}
