//! What a step reads and writes.

use super::map::Map;
use super::output::Output;

/// The maps that a step reads, and where it writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AccessSet {
    reads: Vec<Map>,
    writes: Target,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Map(Map),
    /// One of the caller's arrays.
    Output(usize),
}

impl AccessSet {
    /// From maps to a map.
    pub fn maps(reads: &[&Map], y: &Map) -> Self {
        Self {
            reads: reads.iter().copied().copied().collect(),
            writes: Target::Map(*y),
        }
    }

    /// From a map to a layer's output.
    pub fn layer(x: &Map, output: &Output) -> Self {
        let mut accesses = Self::maps(&[x], &output.y);
        accesses.reads.extend(output.residual);
        accesses
    }

    /// From a map to one of the caller's arrays.
    pub fn output(x: &Map, output: usize) -> Self {
        Self {
            reads: vec![*x],
            writes: Target::Output(output),
        }
    }

    /// Whether neither step writes what the other reads or writes, so that their order does not matter. Their maps
    /// were checked.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let written = match (self.writes, other.writes) {
            (Target::Map(a), Target::Map(b)) => a.is_disjoint(&b),
            (Target::Output(a), Target::Output(b)) => a != b,
            _ => true,
        };
        let read = |one: &Self, other: &Self| match one.writes {
            Target::Map(y) => !other.reads.iter().all(|x| x.is_disjoint(&y)),
            Target::Output(_) => false,
        };
        written && !read(self, other) && !read(other, self)
    }

    /// All maps.
    pub fn all(&self) -> impl Iterator<Item = Map> {
        let writes = match self.writes {
            Target::Map(y) => Some(y),
            Target::Output(_) => None,
        };
        self.reads.iter().copied().chain(writes)
    }
}
