//! Modules that are the same, one after the other, drawn once; and which modules get a frame.

use std::ops::Range;

use super::label::run;
use super::{Diagram, Frame, LayerBox, Role};

/// The diagram with repeated modules once, and its frames.
pub(super) fn folded(diagram: &Diagram) -> Diagram {
    let items = items(diagram, 1..diagram.boxes.len(), 0);
    let mut kept = Kept {
        diagram,
        place_of: vec![usize::MAX; diagram.boxes.len()],
        boxes: Vec::new(),
        frames: Vec::new(),
    };
    kept.keep(0, diagram.boxes[0].clone());
    kept.add_all(&items, 1);
    let Kept {
        place_of,
        boxes,
        frames,
        ..
    } = kept;
    let mut arrows: Vec<[usize; 2]> = Vec::new();
    for &[from, to] in &diagram.arrows {
        let arrow = [from, to].map(|layer| place_of[layer]);
        // Arrows within and between the copies of a module run backwards, or are there already.
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
            .map(|&output| place_of[output])
            .collect(),
    }
}

/// A box, or a module of several, and how often it is repeated.
struct Item {
    name: String,
    /// Its boxes.
    range: Range<usize>,
    /// Those of all its copies, its own among them.
    copies: Vec<Range<usize>>,
    /// What a module consists of; nothing of a box.
    parts: Vec<Item>,
}

/// What the boxes of `range`, whose names begin with the same `depth` names, consist of.
fn items(diagram: &Diagram, range: Range<usize>, depth: usize) -> Vec<Item> {
    let key = |place: usize| -> Vec<&str> {
        diagram.boxes[place]
            .name
            .split('.')
            .take(depth + 1)
            .collect()
    };
    let mut items: Vec<Item> = Vec::new();
    let mut first = range.start;
    while first < range.end {
        let end = (first..range.end).find(|&place| key(place) != key(first));
        let module = first..end.unwrap_or(range.end);
        first = module.end;
        let name = key(module.start).join(".");
        let mut parts = if module.len() > 1 {
            self::items(diagram, module.clone(), depth + 1)
        } else {
            Vec::new()
        };
        if module.len() > 1 && entrance(diagram, &module).is_none() {
            items.append(&mut parts);
            continue;
        }
        // The module within, where it is all there is.
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
            Some(last) if repeats(diagram, last, &item) => last.copies.extend(item.copies),
            _ => items.push(item),
        }
    }
    items
}

/// The box whose value enters a module, where it is the only one, and only the last box's leaves.
fn entrance(diagram: &Diagram, module: &Range<usize>) -> Option<usize> {
    let last = module.end - 1;
    let mut entrance = None;
    for [from, to] in &diagram.arrows {
        match (module.contains(from), module.contains(to)) {
            (false, true) if entrance.is_some_and(|one| one != *from) => return None,
            (false, true) => entrance = Some(*from),
            (true, false) if *from != last => return None,
            _ => {}
        }
    }
    let returned = |place: &usize| module.contains(place) && *place != last;
    entrance.filter(|_| !diagram.outputs.iter().any(returned))
}

/// Whether `next` is the same as `last` and comes right after it.
fn repeats(diagram: &Diagram, last: &Item, next: &Item) -> bool {
    let several =
        |item: &Item| item.range.len() > 1 || diagram.boxes[item.range.start].role == Role::Group;
    let Some(before) = last.copies.last().map(|copy| copy.end - 1) else {
        return false;
    };
    let entered = entrance(diagram, &next.range) == Some(before);
    let unread = !diagram.outputs.contains(&before);
    let only = (diagram.arrows.iter()).all(|[from, to]| *from != before || next.range.contains(to));
    several(last)
        && several(next)
        && entered
        && unread
        && only
        && last.range.len() == next.range.len()
        && (last.range.clone().zip(next.range.clone()))
            .all(|(one, other)| same(diagram, [last, next], [one, other]))
}

/// Whether two boxes have the same place and do the same in two modules.
fn same(diagram: &Diagram, modules: [&Item; 2], places: [usize; 2]) -> bool {
    let [one, other] = places.map(|place| &diagram.boxes[place]);
    let within = [0, 1].map(|side| {
        let name = &diagram.boxes[places[side]].name;
        name.strip_prefix(&modules[side].name).unwrap_or(name)
    });
    let sources = [0, 1].map(|side| -> Vec<Option<usize>> {
        let from = diagram.sources(places[side]);
        from.map(|source| source.checked_sub(modules[side].range.start))
            .collect()
    });
    within[0] == within[1]
        && one.kinds == other.kinds
        && one.output == other.output
        && one.members == other.members
        && sources[0] == sources[1]
}

struct Kept<'a> {
    diagram: &'a Diagram,
    /// Where each box of `diagram` went.
    place_of: Vec<usize>,
    boxes: Vec<LayerBox>,
    frames: Vec<Frame>,
}

impl Kept<'_> {
    fn keep(&mut self, place: usize, layer: LayerBox) {
        self.place_of[place] = self.boxes.len();
        self.boxes.push(layer);
    }

    /// Adds what follows each other in something that is repeated so often; whether there are
    /// frames. Beside a module with branches other modules get a frame too.
    fn add_all(&mut self, items: &[Item], times: usize) -> bool {
        let beside = items.iter().any(|item| self.has_own_branches(item));
        let mut framed = false;
        for item in items {
            framed |= self.add(item, times, beside);
        }
        framed
    }

    /// Whether a module's branches are not those of a module in it.
    fn has_own_branches(&self, item: &Item) -> bool {
        let branch = |place: usize| self.diagram.sources(place).count() > 1;
        let within = |place: usize| {
            item.parts
                .iter()
                .any(|part| part.range.len() > 1 && part.range.contains(&place))
        };
        item.range.len() > 1
            && item
                .range
                .clone()
                .any(|place| branch(place) && !within(place))
    }

    fn add(&mut self, item: &Item, times: usize, beside: bool) -> bool {
        let times = times * item.copies.len();
        let first = self.boxes.len();
        let frames = self.frames.len();
        let mut framed = self.add_all(&item.parts, times);
        if item.parts.is_empty() {
            for place in item.range.clone() {
                let layer = LayerBox {
                    times,
                    ..self.diagram.boxes[place].clone()
                };
                self.keep(place, layer);
            }
        }
        let name = |copy: &Range<usize>| {
            let name = &self.diagram.boxes[copy.start].name;
            let names = item.name.split('.').count();
            name.split('.').take(names).collect::<Vec<_>>().join(".")
        };
        let name = match &item.copies[..] {
            [first, .., last] => run(&name(first), &name(last)),
            _ => item.name.clone(),
        };
        for copy in &item.copies[1..] {
            for (own, other) in item.range.clone().zip(copy.clone()) {
                // A copy's inner repetitions were folded in the first only.
                self.place_of[other] = self.place_of[own];
                let nodes = &self.diagram.boxes[other].nodes;
                self.boxes[self.place_of[own]]
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
        if item.copies.len() > 1 || (!framed && (beside || self.has_own_branches(item))) {
            let frame = Frame {
                name,
                times: item.copies.len(),
                first,
                last: self.boxes.len() - 1,
            };
            self.frames.insert(frames, frame);
            framed = true;
        }
        framed
    }
}
