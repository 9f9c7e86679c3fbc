//! The settings that determine the rows of a run, except its images.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use receptive_kernels::cpu::Isa;
use receptive_layers::metadata::VERSION;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::sha256;

use crate::args::{ComputeArgs, Engine, InputArgs, ModelArgs};
use crate::device;
use crate::error::CliError;

/// Settings of a run, by name. The format of the file is added when it is opened. An interrupted run is only continued with the same settings.
pub type Settings = BTreeMap<String, String>;

/// Returns the settings that `classify` and `embed` have in common. `file` is the network, if it is an ONNX file.
///
/// # Errors
///
/// [`CliError`] when the weight file cannot be read, or the engine cannot be chosen.
pub fn settings(
    command: &str,
    model: &ModelArgs,
    file: Option<&Path>,
    compute: &ComputeArgs,
    input: &InputArgs,
    preprocessing: &Preprocessing,
) -> Result<Settings, CliError> {
    let weights = match file.or(model.weights.as_deref()) {
        Some(path) => {
            let digest = File::open(path).and_then(sha256::of_reader);
            let digest = digest.map_err(|source| CliError::Archive {
                path: path.to_owned(),
                source,
            })?;
            format!("of SHA-256 {digest}")
        }
        None => "as published".to_owned(),
    };
    let mut settings = BTreeMap::from([
        ("command".to_owned(), command.to_owned()),
        ("network".to_owned(), model.name.clone()),
        ("weights".to_owned(), weights),
        ("version".to_owned(), VERSION.to_owned()),
    ]);
    let engine = match compute.engine()? {
        Engine::Compiled => {
            let isa = Isa::detect().map_err(|source| CliError::Compile {
                model: model.name.clone(),
                source: source.into(),
            })?;
            let tuning = &compute.tuning;
            format!(
                "compiled, {isa}, {:?}, {:?}",
                tuning.precision, tuning.tuning
            )
            .to_lowercase()
        }
        Engine::Eager => match compute.device {
            Some(device) => format!("eager, {device}"),
            None => format!("eager, {:?}", device::open(None)?),
        },
    };
    settings.insert("engine".to_owned(), engine);
    let scaled = input.scale_on_decode.to_string();
    settings.insert("scale-on-decode".to_owned(), scaled);
    let column = input.image_column.clone();
    settings.insert("image column".to_owned(), column);
    let preprocessing = serde_json::to_string(preprocessing)?;
    settings.insert("preprocessing".to_owned(), preprocessing);
    if let Some(key) = model.key.key() {
        settings.insert("weights key".to_owned(), key.to_owned());
    }
    if let Some(shard) = input.shard {
        let shard = format!("{}/{}", shard.number, shard.count);
        settings.insert("shard".to_owned(), shard);
    }
    Ok(settings)
}
