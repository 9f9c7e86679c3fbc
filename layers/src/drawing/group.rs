//! Grouping of boxes by the first names of their module paths.

use std::collections::BTreeSet;

use super::diagram::{Diagram, LayerBox, Role};
use crate::summary::count_kinds;

/// Returns a diagram with one box for all boxes that agree in the first `depth` names of their
/// module paths.
///
/// The grouped diagram has no cycles: a box that would close a cycle starts a second group of the
/// same name.
pub(super) fn group_by_prefix(diagram: &Diagram, depth: usize) -> Diagram {
    let mut groups = Groups {
        of: Vec::new(),
        keys: Vec::new(),
        sources: Vec::new(),
    };
    for (index, layer) in diagram.boxes.iter().enumerate() {
        let names: Vec<&str> = layer.name.split('.').take(depth).collect();
        let key = match (index, depth) {
            (0, _) => layer.name.clone(),
            (_, 0) => diagram.model.clone(),
            _ => names.join("."),
        };
        let sources: BTreeSet<usize> = (diagram.sources(index))
            .map(|source| groups.of[source])
            .collect();
        groups.add(key, index == 0, sources);
    }
    let order = groups.topological_order();
    let mut position_of = vec![0; order.len()];
    for (position, &group) in order.iter().enumerate() {
        position_of[group] = position;
    }
    let boxes = (order.iter())
        .map(|&group| {
            let members = diagram.boxes.iter().zip(&groups.of);
            let members: Vec<&LayerBox> = members
                .filter(|&(_, &of)| of == group)
                .map(|(layer, _)| layer)
                .collect();
            merged_box(groups.name(group), &members)
        })
        .collect();
    let position = |layer: usize| position_of[groups.of[layer]];
    let arrows: BTreeSet<[usize; 2]> = (diagram.arrows.iter())
        .map(|&[from, to]| [position(from), position(to)])
        .filter(|[from, to]| from != to)
        .collect();
    let mut outputs: Vec<usize> = Vec::new();
    for output in diagram.outputs.iter().map(|&output| position(output)) {
        if !outputs.contains(&output) {
            outputs.push(output);
        }
    }
    Diagram {
        model: diagram.model.clone(),
        boxes,
        arrows: arrows.into_iter().collect(),
        frames: Vec::new(),
        outputs,
    }
}

/// Assignment of boxes to groups.
struct Groups {
    /// Group of each box.
    of: Vec<usize>,
    /// Common prefix of each group.
    keys: Vec<String>,
    /// Groups that each group reads.
    sources: Vec<BTreeSet<usize>>,
}

impl Groups {
    /// Adds the next box to the last group called `key`, or to a new group if the box is `separate`
    /// or would close a cycle.
    fn add(&mut self, key: String, separate: bool, sources: BTreeSet<usize>) {
        let last = (0..self.keys.len())
            .rev()
            .find(|&group| self.keys[group] == key);
        let joined = last.filter(|&group| {
            let closes_cycle = |&source: &usize| source != group && self.reaches(group, source);
            !separate && group > 0 && !sources.iter().any(closes_cycle)
        });
        let group = joined.unwrap_or_else(|| {
            self.keys.push(key);
            self.sources.push(BTreeSet::new());
            self.keys.len() - 1
        });
        self.sources[group].extend(sources.into_iter().filter(|&source| source != group));
        self.of.push(group);
    }

    /// Returns whether group `to` depends on group `from`.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = vec![to];
        while let Some(group) = stack.pop() {
            if group == from {
                return true;
            }
            let sources = self.sources[group].iter();
            stack.extend(sources.filter(|&&source| seen.insert(source)));
        }
        false
    }

    /// Returns the groups in topological order; independent groups keep their order.
    fn topological_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::new();
        let mut done = vec![false; self.keys.len()];
        while let Some(next) = (0..done.len())
            .find(|&group| !done[group] && self.sources[group].iter().all(|&source| done[source]))
        {
            done[next] = true;
            order.push(next);
        }
        order
    }

    /// Returns the key of a group, numbered if an earlier group has the same key.
    fn name(&self, group: usize) -> String {
        let key = &self.keys[group];
        let earlier = self.keys[..group].iter();
        match earlier.filter(|other| *other == key).count() {
            0 => key.clone(),
            before => format!("{key} ({})", before + 1),
        }
    }
}

/// Returns the box of a group.
fn merged_box(name: String, members: &[&LayerBox]) -> LayerBox {
    if let [single] = members {
        return LayerBox {
            name,
            ..(*single).clone()
        };
    }
    let all = members.iter().flat_map(|layer| &layer.kinds);
    LayerBox {
        name,
        kinds: count_kinds(all.map(String::as_str))
            .split(", ")
            .map(str::to_owned)
            .collect(),
        role: Role::Group,
        output: members
            .last()
            .map_or_else(Vec::new, |last| last.output.clone()),
        nodes: members
            .iter()
            .flat_map(|layer| layer.nodes.clone())
            .collect(),
        times: 1,
        members: (members.iter())
            .map(|layer| (layer.kinds.clone(), layer.output.clone()))
            .collect(),
    }
}
