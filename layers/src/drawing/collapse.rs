//! Collapsing of consecutive equal modules into one, and selection of the framed modules.

use std::ops::Range;

use super::diagram::{Diagram, Frame, LayerBox, Role};
use super::label::range_label;

/// Returns the diagram with one copy of each run of consecutive equal modules, and with frames.
pub(super) fn collapse_repeats(diagram: &Diagram) -> Diagram {
    let items = module_tree(diagram, 1..diagram.boxes.len(), 0);
    let mut builder = CollapsedBuilder {
        diagram,
        index_of: vec![usize::MAX; diagram.boxes.len()],
        boxes: Vec::new(),
        frames: Vec::new(),
    };
    builder.add_box(0, diagram.boxes[0].clone());
    builder.add_all(&items, 1);
    let CollapsedBuilder {
        index_of,
        boxes,
        frames,
        ..
    } = builder;
    let mut arrows: Vec<[usize; 2]> = Vec::new();
    for &[from, to] in &diagram.arrows {
        let arrow = [from, to].map(|layer| index_of[layer]);
        // Arrows inside and between the copies of a module now point backwards or are duplicates.
        if arrow[0] < arrow[1] && !arrows.contains(&arrow) {
            arrows.push(arrow);
        }
    }
    Diagram {
        model: diagram.model.clone(),
        boxes,
        arrows,
        frames,
        outputs: diagram
            .outputs
            .iter()
            .map(|&output| index_of[output])
            .collect(),
    }
}

/// A box, or a module of several boxes, with its repetitions.
struct Item {
    /// Module path of the first copy.
    name: String,
    /// Boxes of the first copy.
    range: Range<usize>,
    /// Boxes of each copy, the first copy included.
    copies: Vec<Range<usize>>,
    /// Submodules and boxes of a module; empty for a box.
    parts: Vec<Item>,
}

/// Splits the boxes of `range`, which agree in the first `depth` names of their module paths, into
/// modules and boxes.
fn module_tree(diagram: &Diagram, range: Range<usize>, depth: usize) -> Vec<Item> {
    let key = |index: usize| -> Vec<&str> {
        diagram.boxes[index]
            .name
            .split('.')
            .take(depth + 1)
            .collect()
    };
    let mut items: Vec<Item> = Vec::new();
    let mut first = range.start;
    while first < range.end {
        let end = (first..range.end).find(|&index| key(index) != key(first));
        let module = first..end.unwrap_or(range.end);
        first = module.end;
        let name = key(module.start).join(".");
        let mut parts = if module.len() > 1 {
            module_tree(diagram, module.clone(), depth + 1)
        } else {
            Vec::new()
        };
        if module.len() > 1 && single_input(diagram, &module).is_none() {
            items.append(&mut parts);
            continue;
        }
        // A module whose only part is one submodule takes over the parts of the submodule.
        if parts.len() == 1 && parts[0].copies.len() == 1 {
            parts = parts.remove(0).parts;
        }
        let item = Item {
            name,
            copies: vec![module.clone()],
            range: module,
            parts,
        };
        match items.last_mut() {
            Some(last) if is_repetition(diagram, last, &item) => last.copies.extend(item.copies),
            _ => items.push(item),
        }
    }
    items
}

/// Returns the only box outside `module` that the module reads. `None` if the module reads several
/// boxes, or if any of its boxes but the last is read outside or is an output.
fn single_input(diagram: &Diagram, module: &Range<usize>) -> Option<usize> {
    let last = module.end - 1;
    let mut input = None;
    for [from, to] in &diagram.arrows {
        match (module.contains(from), module.contains(to)) {
            (false, true) if input.is_some_and(|other| other != *from) => return None,
            (false, true) => input = Some(*from),
            (true, false) if *from != last => return None,
            _ => {}
        }
    }
    let inner_output = |index: &usize| module.contains(index) && *index != last;
    input.filter(|_| !diagram.outputs.iter().any(inner_output))
}

/// Returns whether `next` equals `last`, and is the only reader of the last copy of `last`.
fn is_repetition(diagram: &Diagram, last: &Item, next: &Item) -> bool {
    let has_layers =
        |item: &Item| item.range.len() > 1 || diagram.boxes[item.range.start].role == Role::Group;
    let Some(before) = last.copies.last().map(|copy| copy.end - 1) else {
        return false;
    };
    let reads_last = single_input(diagram, &next.range) == Some(before);
    let is_output = diagram.outputs.contains(&before);
    let only_reader =
        (diagram.arrows.iter()).all(|[from, to]| *from != before || next.range.contains(to));
    has_layers(last)
        && has_layers(next)
        && reads_last
        && !is_output
        && only_reader
        && last.range.len() == next.range.len()
        && (last.range.clone().zip(next.range.clone()))
            .all(|(one, other)| boxes_match(diagram, [last, next], [one, other]))
}

/// Returns whether two boxes have the same name, operations, output shape and inputs relative to
/// their modules.
fn boxes_match(diagram: &Diagram, modules: [&Item; 2], indices: [usize; 2]) -> bool {
    let [one, other] = indices.map(|index| &diagram.boxes[index]);
    let relative_names = [0, 1].map(|side| {
        let name = &diagram.boxes[indices[side]].name;
        name.strip_prefix(&modules[side].name).unwrap_or(name)
    });
    let relative_sources = [0, 1].map(|side| -> Vec<Option<usize>> {
        let sources = diagram.sources(indices[side]);
        sources
            .map(|source| source.checked_sub(modules[side].range.start))
            .collect()
    });
    relative_names[0] == relative_names[1]
        && one.kinds == other.kinds
        && one.output == other.output
        && one.members == other.members
        && relative_sources[0] == relative_sources[1]
}

/// The collapsed diagram under construction.
struct CollapsedBuilder<'a> {
    diagram: &'a Diagram,
    /// Index in `boxes` of each box of `diagram`.
    index_of: Vec<usize>,
    boxes: Vec<LayerBox>,
    frames: Vec<Frame>,
}

impl CollapsedBuilder<'_> {
    /// Adds box `index` of the original diagram as `layer`.
    fn add_box(&mut self, index: usize, layer: LayerBox) {
        self.index_of[index] = self.boxes.len();
        self.boxes.push(layer);
    }

    /// Adds consecutive items inside modules that are repeated `times` times in all, and returns
    /// whether any of them has a frame. If one item has branches, all modules beside it have a
    /// frame too.
    fn add_all(&mut self, items: &[Item], times: usize) -> bool {
        let beside_branches = items.iter().any(|item| self.has_own_branches(item));
        let mut framed = false;
        for item in items {
            framed |= self.add(item, times, beside_branches);
        }
        framed
    }

    /// Returns whether branches merge in a module outside of its submodules.
    fn has_own_branches(&self, item: &Item) -> bool {
        let merges = |index: usize| self.diagram.sources(index).count() > 1;
        let in_submodule = |index: usize| {
            item.parts
                .iter()
                .any(|part| part.range.len() > 1 && part.range.contains(&index))
        };
        item.range.len() > 1
            && item
                .range
                .clone()
                .any(|index| merges(index) && !in_submodule(index))
    }

    /// Adds the first copy of `item` and returns whether the item or a part of it has a frame.
    fn add(&mut self, item: &Item, times: usize, beside_branches: bool) -> bool {
        let times = times * item.copies.len();
        let first = self.boxes.len();
        let first_inner_frame = self.frames.len();
        let mut framed = self.add_all(&item.parts, times);
        if item.parts.is_empty() {
            for index in item.range.clone() {
                let layer = LayerBox {
                    times,
                    ..self.diagram.boxes[index].clone()
                };
                self.add_box(index, layer);
            }
        }
        let name = |copy: &Range<usize>| {
            let name = &self.diagram.boxes[copy.start].name;
            let names = item.name.split('.').count();
            name.split('.').take(names).collect::<Vec<_>>().join(".")
        };
        let name = match &item.copies[..] {
            [first, .., last] => range_label(&name(first), &name(last)),
            _ => item.name.clone(),
        };
        for copy in &item.copies[1..] {
            for (own, other) in item.range.clone().zip(copy.clone()) {
                // The boxes of a copy map to those of the first copy, whose own repetitions are
                // already collapsed.
                self.index_of[other] = self.index_of[own];
                let nodes = &self.diagram.boxes[other].nodes;
                self.boxes[self.index_of[own]]
                    .nodes
                    .extend(nodes.iter().cloned());
            }
        }
        if item.range.len() == 1 {
            if item.copies.len() > 1 {
                self.boxes[first].name = name;
            }
            return false;
        }
        if item.copies.len() > 1 || (!framed && (beside_branches || self.has_own_branches(item))) {
            let frame = Frame {
                name,
                times: item.copies.len(),
                first,
                last: self.boxes.len() - 1,
            };
            self.frames.insert(first_inner_frame, frame);
            framed = true;
        }
        framed
    }
}
