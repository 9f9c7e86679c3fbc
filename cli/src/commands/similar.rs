//! `receptive similar`: the images of an index that are most similar to given images.

use std::collections::HashMap;
use std::io::Write;

use receptive_layers::printable;
use receptive_layers::vectors::Neighbour;
use serde::Serialize;

use crate::args::{Metric, SimilarArgs};
use crate::embedder;
use crate::error::CliError;
use crate::json::write_json;
use crate::resolve::NetworkSource;
use crate::vector_file::ImageVectors;

/// Number of images from which on an index in 8 bits saves time.
const INDEXED: usize = 8;

/// Prints the most similar images of each image.
///
/// # Errors
///
/// [`CliError`] when the index cannot be read, an image cannot be embedded, or its vector has another
/// length than those of the index.
pub fn run(args: &SimilarArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let index = ImageVectors::open(&args.index)?;
    index.print_left_out(&args.index);
    let queries = queries(args, &index)?;
    let index = match queries.len() {
        INDEXED.. => ImageVectors {
            vectors: index.vectors.indexed(),
            ..index
        },
        _ => index,
    };
    let mut results = Vec::new();
    for (path, vector) in &queries {
        // One more than requested, because the image itself is left out.
        let neighbours =
            (index.vectors).nearest(vector, args.top.saturating_add(1), args.metric.into());
        let others = neighbours
            .into_iter()
            .filter(|neighbour| index.paths[neighbour.index] != *path);
        let similar = others
            .take(args.top)
            .map(|neighbour| Similar::new(args, &index, neighbour));
        results.push(Query {
            image: path,
            similar: similar.collect(),
        });
    }
    if args.json {
        return write_json(&results, out);
    }
    for result in &results {
        writeln!(out, "{}", printable(result.image))?;
        for similar in &result.similar {
            let value = similar.similarity.or(similar.distance).unwrap_or_default();
            writeln!(out, "  {value:.4}  {}", printable(similar.path))?;
        }
    }
    Ok(())
}

/// Images similar to an image.
#[derive(Serialize)]
struct Query<'a> {
    image: &'a str,
    similar: Vec<Similar<'a>>,
}

/// A similar image.
#[derive(Serialize)]
struct Similar<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<f64>,
}

impl<'a> Similar<'a> {
    fn new(args: &SimilarArgs, index: &'a ImageVectors, neighbour: Neighbour) -> Self {
        let is_cosine = args.metric == Metric::Cosine;
        Self {
            path: &index.paths[neighbour.index],
            similarity: is_cosine.then_some(neighbour.value),
            distance: (!is_cosine).then_some(neighbour.value),
        }
    }
}

/// Returns the path and the vector of each image: that of the index, or else a new one.
fn queries(args: &SimilarArgs, index: &ImageVectors) -> Result<Vec<(String, Vec<f32>)>, CliError> {
    let rows = index.paths.iter().enumerate();
    let known: HashMap<&str, usize> = rows.map(|(row, path)| (path.as_str(), row)).collect();
    let mut embedder = None;
    let mut queries = Vec::new();
    for path in &args.images {
        let name = path
            .strip_prefix("./")
            .unwrap_or(path)
            .display()
            .to_string();
        if let Some(&row) = known.get(name.as_str()) {
            queries.push((name, index.vectors.vector(row).to_vec()));
            continue;
        }
        let photo = receptive_layers::image::open(path)?;
        let embedder = match &embedder {
            Some(embedder) => embedder,
            None => {
                let source = NetworkSource::named(&args.vector.model.name)?;
                &*embedder.insert(embedder::open(&source, &args.vector, 1, &args.compute)?)
            }
        };
        let vector = embedder.embed(&photo)?;
        if vector.len() != index.vectors.length() {
            return Err(CliError::VectorLength {
                path: args.index.clone(),
                found: index.vectors.length(),
                model: args.vector.model.name.clone(),
                expected: vector.len(),
            });
        }
        queries.push((name, vector));
    }
    Ok(queries)
}
