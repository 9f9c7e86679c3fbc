//! Image files in a folder for each class.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::seq::SliceRandom;
use receptive_layers::image;

use super::subset::Subset;
use super::{Data, DataError, Dataset, Holdout};
use crate::picture::Picture;
use crate::random::{Purpose, stream};

/// The names that the folder of the validation images may have.
const VALIDATION: [&str; 4] = ["val", "valid", "validation", "test"];

/// Image files with their classes.
struct Files {
    paths: Vec<PathBuf>,
    labels: Vec<usize>,
}

impl Dataset for Files {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        Ok(image::open(&self.paths[index])?.into())
    }
}

/// A class's folder and the images in it.
struct Class {
    name: String,
    folder: PathBuf,
    images: Vec<PathBuf>,
}

/// Where the images of a folder are.
enum Layout {
    /// To train on, to validate on.
    Separate(PathBuf, PathBuf),
    /// All in one place.
    Together(PathBuf),
}

pub fn open(folder: &Path, holdout: Holdout) -> Result<Data, DataError> {
    match layout(folder)? {
        Layout::Separate(train, validation) => separate(&train, &validation),
        Layout::Together(folder) => divided(&folder, holdout),
    }
}

pub fn open_for_judging(folder: &Path) -> Result<(Vec<String>, Arc<dyn Dataset>), DataError> {
    let (Layout::Separate(_, judged) | Layout::Together(judged)) = layout(folder)?;
    let classes = classes(&judged)?;
    let names = classes.iter().map(|class| class.name.clone()).collect();
    Ok((names, Arc::new(files(classes))))
}

fn layout(folder: &Path) -> Result<Layout, DataError> {
    let train = folder.join("train");
    let validation = VALIDATION
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_dir());
    Ok(match validation {
        Some(validation) if train.is_dir() => Layout::Separate(train, validation),
        // Else it is a class of trains.
        _ if train.is_dir() && images(&train)?.is_empty() => Layout::Together(train),
        _ => Layout::Together(folder.to_owned()),
    })
}

/// Training and validation images from two folders.
fn separate(train: &Path, validation: &Path) -> Result<Data, DataError> {
    let (learnt, judged) = (classes(train)?, classes(validation)?);
    let names = |classes: &[Class]| -> Vec<String> {
        classes.iter().map(|class| class.name.clone()).collect()
    };
    let (names, others) = (names(&learnt), names(&judged));
    if let Some(class) = names
        .iter()
        .find(|name| !others.contains(name))
        .or_else(|| others.iter().find(|name| !names.contains(name)))
    {
        return Err(DataError::Classes {
            train: train.to_owned(),
            validation: validation.to_owned(),
            class: class.clone(),
        });
    }
    Ok(Data {
        classes: names,
        train: Arc::new(files(learnt)),
        validation: Arc::new(files(judged)),
    })
}

/// Training and validation images from one folder: of each class, chosen by the seed, the part that
/// is held out (rounded, one image at least), but never all.
fn divided(folder: &Path, holdout: Holdout) -> Result<Data, DataError> {
    let classes = classes(folder)?;
    if let Some(class) = classes.iter().find(|class| class.images.len() < 2) {
        return Err(DataError::Few {
            path: class.folder.clone(),
            images: class.images.len(),
        });
    }
    let names = classes.iter().map(|class| class.name.clone()).collect();
    let (mut train, mut validation) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (number, class) in classes.iter().enumerate() {
        let count = class.images.len();
        let mut indices: Vec<usize> = (first..first + count).collect();
        let mut random = stream(holdout.seed, Purpose::Holdout, [number as u64, 0]);
        indices.shuffle(&mut random);
        let held = (count as f64 * holdout.fraction).round() as usize;
        let rest = indices.split_off(held.clamp(1, count - 1));
        validation.extend(indices);
        train.extend(rest);
        first += count;
    }
    train.sort_unstable();
    validation.sort_unstable();
    let whole: Arc<dyn Dataset> = Arc::new(files(classes));
    let subset = |indices| Subset {
        whole: Arc::clone(&whole),
        indices,
    };
    Ok(Data {
        classes: names,
        train: Arc::new(subset(train)),
        validation: Arc::new(subset(validation)),
    })
}

fn files(classes: Vec<Class>) -> Files {
    let mut files = Files {
        paths: Vec::new(),
        labels: Vec::new(),
    };
    for (label, class) in classes.into_iter().enumerate() {
        files.labels.extend(vec![label; class.images.len()]);
        files.paths.extend(class.images);
    }
    files
}

/// The class folders in `folder` by name, two or more, none of them empty.
fn classes(folder: &Path) -> Result<Vec<Class>, DataError> {
    let mut classes = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let images = images(&path)?;
        if images.is_empty() {
            return Err(DataError::EmptyClass { path });
        }
        classes.push(Class {
            name: name(&path),
            folder: path,
            images,
        });
    }
    match classes.len() {
        0 => Err(DataError::Unknown {
            path: folder.to_owned(),
        }),
        1 => Err(DataError::OneClass {
            path: folder.to_owned(),
            class: classes.remove(0).name,
        }),
        _ => Ok(classes),
    }
}

/// The image files in `folder`, by name.
fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_image = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let extension = extension.unwrap_or_default().to_ascii_lowercase();
        image::EXTENSIONS.contains(&extension.as_str()) && path.is_file()
    };
    Ok(entries(folder)?.into_iter().filter(is_image).collect())
}

/// What is in `folder`, by name, hidden entries left out.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
