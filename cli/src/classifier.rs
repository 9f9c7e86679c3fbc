//! A network with its weights, the preparation of its images and the names of its classes.

use receptive_layers::compile::Compiled;
use receptive_layers::image::{self, RgbImage};
use receptive_layers::labels;
use receptive_layers::preprocessing::Preprocessing;

use crate::args::ClassifyArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::pretrained::{self, Pretrained};
use crate::registry;

/// Turns photos into probabilities.
pub struct Classifier {
    /// The network's name.
    pub model: &'static str,
    runner: Runner,
    preprocessing: Preprocessing,
    channels: usize,
    labels: Vec<String>,
}

impl Classifier {
    /// The network that the command line asks for, ready to run.
    pub fn open(args: &ClassifyArgs) -> Result<Self, CliError> {
        let model = registry::model(&args.model)?;
        let channels = model.input.channels;
        let image =
            |preprocessing: &Preprocessing| [channels, preprocessing.crop, preprocessing.crop];
        let (runner, preprocessing, classes) = match args.weights.as_deref() {
            Some(path) if Compiled::is_file(path) => {
                let preprocessing = pretrained::preprocessing(&model, path);
                let input = image(&preprocessing);
                let runner = Runner::open(path, &model, input, &args.compute)?;
                let classes = runner.classes().unwrap_or(model.classes);
                (runner, preprocessing, classes)
            }
            file => {
                let pretrained = pretrained::find(&model, file)?;
                let [c, h, w] = image(&pretrained.preprocessing);
                let Pretrained {
                    weights, origin, ..
                } = &pretrained;
                let runner = Runner::new(&model, weights, origin, [1, c, h, w], &args.compute)?;
                let classes = model.classes_of(weights);
                (runner, pretrained.preprocessing, classes)
            }
        };

        let labels = match &args.labels {
            None if classes == model.classes => {
                let names = model.labels.names().into_iter();
                names.map(str::to_owned).collect()
            }
            None => Vec::new(),
            Some(path) => {
                let labels = labels::open(path)?;
                if labels.len() != classes {
                    return Err(CliError::LabelCount {
                        path: path.clone(),
                        found: labels.len(),
                        classes,
                    });
                }
                labels
            }
        };
        Ok(Self {
            model: model.name,
            runner,
            preprocessing,
            channels,
            labels,
        })
    }

    /// The probability of every class.
    pub fn probabilities(&mut self, photo: &RgbImage) -> Result<Vec<f32>, CliError> {
        let values = if self.channels == 1 {
            image::preprocess_grey(photo, &self.preprocessing)
        } else {
            image::preprocess(photo, &self.preprocessing)
        };
        let crop = self.preprocessing.crop;
        let logits = self
            .runner
            .logits(&values, [1, self.channels, crop, crop])?;
        let probabilities = labels::softmax(&logits);
        if probabilities.iter().any(|p| !p.is_finite()) {
            return Err(CliError::NotFinite);
        }
        Ok(probabilities)
    }

    /// The name of a class, or its number where it has none.
    pub fn label(&self, class: usize) -> String {
        self.labels
            .get(class)
            .cloned()
            .unwrap_or_else(|| format!("class {class}"))
    }
}
