//! Command-line arguments: one file for each command, and the options that several commands share.

mod bench;
mod classify;
mod command;
mod compile;
mod completions;
mod compute;
mod convert;
mod draw;
mod duplicates;
mod embed;
#[cfg(feature = "train")]
mod eval;
mod explain;
mod export;
mod inputs;
mod inspect;
mod model;
mod models;
mod parse;
mod preprocessing;
mod probe;
#[cfg(feature = "train")]
mod ranks;
mod run;
mod similar;
mod summary;
#[cfg(feature = "train")]
mod train;
mod weights_key;

pub use bench::BenchArgs;
pub use classify::ClassifyArgs;
pub use command::{Cli, Command};
pub use compile::CompileArgs;
pub use completions::CompletionsArgs;
pub use compute::{ComputeArgs, Engine, PlanPrecision, PlanTuning, TuningArgs};
pub use convert::{ConvertArgs, Dtype};
pub use draw::{DrawArgs, DrawFormat, DrawStyle};
pub use duplicates::{DuplicatesArgs, GroupFormat};
pub use embed::EmbedArgs;
#[cfg(feature = "train")]
pub use eval::EvalArgs;
pub use explain::{ExplainArgs, Method};
pub use export::{ExportArgs, ExportBatch};
pub use inputs::{InputArgs, OutputArgs, RowFormat, Shard};
pub use inspect::InspectArgs;
pub use model::{ClassifierArgs, ModelArgs, VectorArgs};
pub use models::ModelsArgs;
pub use preprocessing::PreprocessingArgs;
pub use probe::ProbeArgs;
#[cfg(feature = "train")]
pub use ranks::RankArgs;
pub use run::RunArgs;
pub use similar::{Metric, SimilarArgs};
pub use summary::SummaryArgs;
#[cfg(feature = "train")]
pub use train::{DownloadName, TrainArgs};
pub use weights_key::WeightsKeyArgs;
