//! The outputs of a run, by name.

use std::ops::Index;
use std::sync::Arc;

/// The outputs of a [`Compiled`](super::Compiled) network for a batch of images, each under its name:
/// `logits`, `embedding`, the name of a stage, or `output0`, `output1`, … for a graph without names.
///
/// Each output is `[images, ..]` in row-major order. Indexing by an unknown name panics;
/// [`get`](Self::get) does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    pub(super) names: Arc<[String]>,
    pub(super) values: Vec<Vec<f32>>,
}

impl Outputs {
    /// Returns the output called `name`.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let mut outputs = self.iter();
        outputs.find_map(|(known, values)| (known == name).then_some(values))
    }

    /// Iterates over the names and values, in the order of
    /// [`Compiled::output_names`](super::Compiled::output_names).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.values.iter().map(Vec::as_slice))
    }

    /// An output called `name`.
    #[cfg(feature = "image")]
    pub(crate) fn single(name: &str, values: Vec<f32>) -> Self {
        Self {
            names: [name.to_owned()].into(),
            values: vec![values],
        }
    }

    /// Moves the output called `name`, if there is one, before the others.
    #[cfg(feature = "image")]
    pub(crate) fn with_first(mut self, name: &str) -> Self {
        let index = self.names.iter().position(|known| known == name);
        if let Some(index) = index.filter(|&index| index > 0) {
            let mut names = self.names.to_vec();
            names[..=index].rotate_right(1);
            self.names = names.into();
            self.values[..=index].rotate_right(1);
        }
        self
    }

    /// Returns the values of the first output, which are the logits of a classifier.
    pub fn into_first(mut self) -> Vec<f32> {
        self.values.swap_remove(0)
    }
}

impl Index<&str> for Outputs {
    type Output = [f32];

    /// Returns the output called `name`.
    ///
    /// # Panics
    ///
    /// If no output is called `name`.
    fn index(&self, name: &str) -> &[f32] {
        self.get(name).unwrap_or_else(|| {
            panic!(
                "no output is called {name:?}; the outputs are {:?}",
                self.names
            )
        })
    }
}
