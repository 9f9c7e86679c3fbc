//! Boxes together by the first names of their module paths.

use std::collections::BTreeSet;

use super::{Diagram, LayerBox, Role};
use crate::summary::kinds;

/// One box for all whose names begin with the same `depth` names, as far as arrows stay without
/// circles: what comes back to a group after another box begins a second one.
pub(super) fn grouped(diagram: &Diagram, depth: usize) -> Diagram {
    let mut groups = Groups {
        of: Vec::new(),
        keys: Vec::new(),
        sources: Vec::new(),
    };
    for (place, layer) in diagram.boxes.iter().enumerate() {
        let names: Vec<&str> = layer.name.split('.').take(depth).collect();
        let key = match (place, depth) {
            (0, _) => layer.name.clone(),
            (_, 0) => diagram.model.clone(),
            _ => names.join("."),
        };
        let sources: BTreeSet<usize> = (diagram.sources(place))
            .map(|source| groups.of[source])
            .collect();
        groups.add(key, place == 0, sources);
    }
    let order = groups.order();
    let mut place_of = vec![0; order.len()];
    for (place, &group) in order.iter().enumerate() {
        place_of[group] = place;
    }
    let boxes = (order.iter())
        .map(|&group| {
            let members = diagram.boxes.iter().zip(&groups.of);
            let members: Vec<&LayerBox> = members
                .filter(|&(_, &of)| of == group)
                .map(|(layer, _)| layer)
                .collect();
            together(groups.name(group), &members)
        })
        .collect();
    let place = |layer: usize| place_of[groups.of[layer]];
    let arrows: BTreeSet<[usize; 2]> = (diagram.arrows.iter())
        .map(|&[from, to]| [place(from), place(to)])
        .filter(|[from, to]| from != to)
        .collect();
    let mut outputs: Vec<usize> = Vec::new();
    for output in diagram.outputs.iter().map(|&output| place(output)) {
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

struct Groups {
    /// The group of each box.
    of: Vec<usize>,
    keys: Vec<String>,
    /// The groups that each reads.
    sources: Vec<BTreeSet<usize>>,
}

impl Groups {
    fn add(&mut self, key: String, alone: bool, sources: BTreeSet<usize>) {
        let known = (0..self.keys.len())
            .rev()
            .find(|&group| self.keys[group] == key);
        let joined = known.filter(|&group| {
            let circle = |&source: &usize| source != group && self.reaches(group, source);
            !alone && group > 0 && !sources.iter().any(circle)
        });
        let group = joined.unwrap_or_else(|| {
            self.keys.push(key);
            self.sources.push(BTreeSet::new());
            self.keys.len() - 1
        });
        self.sources[group].extend(sources.into_iter().filter(|&source| source != group));
        self.of.push(group);
    }

    /// Whether `to` depends on `from`.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![to];
        while let Some(group) = open.pop() {
            if group == from {
                return true;
            }
            open.extend(self.sources[group].iter().filter(|&&one| seen.insert(one)));
        }
        false
    }

    /// The groups, each after those that it reads, otherwise as they came.
    fn order(&self) -> Vec<usize> {
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

    /// Its key, numbered where several have it.
    fn name(&self, group: usize) -> String {
        let key = &self.keys[group];
        match self.keys[..group].iter().filter(|one| *one == key).count() {
            0 => key.clone(),
            before => format!("{key} ({})", before + 1),
        }
    }
}

fn together(name: String, members: &[&LayerBox]) -> LayerBox {
    if let [alone] = members {
        return LayerBox {
            name,
            ..(*alone).clone()
        };
    }
    let all = members.iter().flat_map(|layer| &layer.kinds);
    LayerBox {
        name,
        kinds: kinds(all.map(String::as_str))
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
