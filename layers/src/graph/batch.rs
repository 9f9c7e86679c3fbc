//! Comparison of two recordings of a `forward` with different numbers of images.

use std::collections::HashMap;

use super::op::Op;
use super::structure::Graph;
use super::value::{Origin, ValueId};

impl Graph {
    /// Whether `larger`, built for one more image, has the same operations as this graph, and one
    /// more image in every tensor that depends on the input: the rule of
    /// [`any_batch`](Self::any_batch).
    ///
    /// A parameter or constant of `larger` without elements equals the one of this graph if their
    /// shapes are equal.
    pub fn is_same_per_image(&self, larger: &Self) -> bool {
        let images = self.shape(self.input).first().copied().unwrap_or(0);
        let mut pairs = Pairs {
            graphs: [self, larger],
            images,
            // The input, and every value that depends on the input.
            dependent: HashMap::from([(self.input, larger.input)]),
        };
        self.nodes.len() == larger.nodes.len()
            && self.outputs.len() == larger.outputs.len()
            && (self.nodes.iter().zip(&larger.nodes)).all(|(one, other)| {
                let inputs = (one.inputs.iter().zip(&other.inputs)).map(|(&a, &b)| [a, b]);
                let same_inputs = inputs.clone().all(|pair| pairs.agree(pair));
                let depends = inputs
                    .clone()
                    .any(|[a, _]| pairs.dependent.contains_key(&a));
                one.inputs.len() == other.inputs.len()
                    && one.outputs.len() == other.outputs.len()
                    && same_inputs
                    && same_operation(&one.op, &other.op, images)
                    && (one.outputs.iter().zip(&other.outputs))
                        .all(|(&a, &b)| pairs.add([a, b], depends))
            })
            && (self.outputs.iter().zip(&larger.outputs)).all(|(&a, &b)| pairs.agree([a, b]))
    }
}

/// The values of two graphs that correspond to each other.
struct Pairs<'a> {
    graphs: [&'a Graph; 2],
    images: usize,
    dependent: HashMap<ValueId, ValueId>,
}

impl Pairs<'_> {
    /// Adds the outputs of corresponding nodes, and returns whether their shapes agree.
    fn add(&mut self, [a, b]: [ValueId; 2], depends: bool) -> bool {
        let [one, other] = [self.graphs[0].shape(a), self.graphs[1].shape(b)];
        if !depends {
            return one == other;
        }
        self.dependent.insert(a, b);
        self.are_per_image([one, other])
    }

    /// Whether two values correspond to each other. Parameters do by name, other constants by
    /// shape and number; a constant of one number may have an element for each image.
    fn agree(&self, [a, b]: [ValueId; 2]) -> bool {
        if let Some(&pair) = self.dependent.get(&a) {
            return pair == b;
        }
        let [one, other] = [self.graphs[0].value(a), self.graphs[1].value(b)];
        let same_origin = match (&one.origin, &other.origin) {
            (Origin::Parameter { name, .. }, Origin::Parameter { name: other, .. }) => {
                name == other
            }
            (one, other) => one == other,
        };
        // Elements are recorded in the first graph only.
        let same_shape = one.shape == other.shape;
        let same_values = match &other.data {
            Some(number) => {
                let per_image = self.are_per_image([&one.shape, &other.shape]);
                one.data.as_ref() == Some(number) && (same_shape || per_image)
            }
            None => same_shape,
        };
        same_origin && same_values
    }

    /// Whether the first axes are the images of both graphs, and the others are equal.
    fn are_per_image(&self, shapes: [&[usize]; 2]) -> bool {
        match shapes {
            [[first, rest @ ..], [larger, others @ ..]] => {
                *first == self.images && *larger == self.images + 1 && rest == others
            }
            _ => false,
        }
    }
}

/// Whether two operations are equal, but for the number of images that they keep.
fn same_operation(one: &Op, other: &Op, images: usize) -> bool {
    match (one, other) {
        (Op::Slice { ranges }, Op::Slice { ranges: others }) => {
            let ([first, rest @ ..], [larger, more @ ..]) = (&ranges[..], &others[..]) else {
                return false;
            };
            let all = |range: &super::op::SliceRange, images| {
                (range.start, range.end, range.step) == (0, images, 1)
            };
            let same_images = first == larger || all(first, images) && all(larger, images + 1);
            same_images && rest == more
        }
        // The images of a batch are combined.
        (Op::Softmax { axis: 0 }, _) => false,
        // The number of products grows with the batch.
        (Op::Other { name, .. }, Op::Other { name: other, .. }) => name == other,
        (one, other) => one == other,
    }
}
