//! Memory accesses of a step.

use super::map::Map;
use super::output::Output;

/// Maps that a step reads, and the map or output array that it writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AccessSet {
    reads: [Option<Map>; 2],
    writes: Target,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Map(Map),
    /// Index of one of the caller's output arrays.
    Output(usize),
}

impl AccessSet {
    /// A step that reads at most two maps and writes the map `y`.
    pub fn maps(reads: &[&Map], y: &Map) -> Self {
        Self {
            reads: std::array::from_fn(|index| reads.get(index).map(|&&map| map)),
            writes: Target::Map(*y),
        }
    }

    /// A step that reads `x`, and the residual if there is one, and writes the map of `output`.
    pub fn layer(x: &Map, output: &Output) -> Self {
        Self {
            reads: [Some(*x), output.residual],
            writes: Target::Map(output.y),
        }
    }

    /// A step that reads `x` and writes output array number `output`.
    pub fn output(x: &Map, output: usize) -> Self {
        Self {
            reads: [Some(*x), None],
            writes: Target::Output(output),
        }
    }

    /// Whether neither step writes memory that the other accesses, so that their order does not
    /// matter. The maps were checked.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let written = match (self.writes, other.writes) {
            (Target::Map(a), Target::Map(b)) => a.is_disjoint(&b),
            (Target::Output(a), Target::Output(b)) => a != b,
            _ => true,
        };
        let read = |one: &Self, other: &Self| match one.writes {
            Target::Map(y) => !other.reads.iter().flatten().all(|x| x.is_disjoint(&y)),
            Target::Output(_) => false,
        };
        written && !read(self, other) && !read(other, self)
    }

    /// The maps that the step reads.
    pub fn read_maps(&self) -> impl Iterator<Item = Map> {
        self.reads.iter().flatten().copied()
    }

    /// Index of the output array that the step writes; `None` if it writes a map.
    pub fn written_output(&self) -> Option<usize> {
        match self.writes {
            Target::Map(_) => None,
            Target::Output(output) => Some(output),
        }
    }

    /// The map that the step writes; `None` if it writes an output array.
    pub fn written_map(&self) -> Option<&Map> {
        match &self.writes {
            Target::Map(y) => Some(y),
            Target::Output(_) => None,
        }
    }

    /// All maps that the step reads or writes.
    pub fn all(&self) -> impl Iterator<Item = Map> {
        let written = self.written_map().copied();
        self.reads.iter().flatten().copied().chain(written)
    }
}
