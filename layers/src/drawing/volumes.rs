//! A diagram as a chain of feature maps, as the papers' figures have it.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Serialize;

use super::label::run;
use super::{Diagram, Role};
use crate::summary::kinds;

/// Branches that are told one by one; of more, how many layers of each kind there are.
const TOLD: usize = 5;

/// The way of a [`Diagram`] from the input to its first output, each feature map a volume, and from there to
/// its other outputs.
///
/// What all paths go through is a volume; branches and what they come together to are one, told by its
/// branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volumes {
    /// What the network is called.
    pub model: String,
    /// The feature maps, each computed from the one before; the first is the input.
    pub volumes: Vec<Volume>,
    /// Several volumes that are repeated together.
    pub brackets: Vec<Bracket>,
    /// The ways to further outputs, such as those of auxiliary heads.
    pub heads: Vec<Head>,
}

/// The way to a further output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The place in [`Volumes::volumes`] of what it begins at.
    pub from: usize,
    /// Its feature maps, each computed from the one before.
    pub volumes: Vec<Volume>,
}

/// The output of a layer, or of layers that branch and come together again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// The layer's name, or the module's.
    pub name: String,
    /// What computes it: `conv 3x3/2`, then the norm and the activation; of branches, each of them.
    pub kinds: Vec<String>,
    /// What kind of layer it is.
    pub role: Role,
    /// Its shape, the batch first.
    pub output: Vec<usize>,
    /// How many of the same follow each other here.
    pub times: usize,
    /// The place in the diagram of the box whose output it is.
    #[serde(skip)]
    last: usize,
}

/// Volumes of a [`Volumes`] that are repeated together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bracket {
    /// The module path, `blocks.6–10`.
    pub name: String,
    /// How often.
    pub times: usize,
    /// The place of the first.
    pub first: usize,
    /// The place of the last.
    pub last: usize,
}

impl Volumes {
    /// The chain of `diagram`.
    pub fn from_diagram(diagram: &Diagram) -> Self {
        let main = leading(diagram, diagram.outputs.first().copied());
        let Chain {
            volumes, brackets, ..
        } = Chain::of(diagram, main.clone());
        let heads = diagram.outputs.iter().skip(1).filter_map(|&output| {
            let (shared, own) = leading(diagram, Some(output))
                .into_iter()
                .partition::<BTreeSet<usize>, _>(|place| main.contains(place));
            if own.is_empty() {
                return None;
            }
            let begin = shared.last().copied().unwrap_or_default();
            Some(Head {
                from: volumes.iter().position(|volume| begin <= volume.last)?,
                volumes: Chain::of(diagram, own).volumes,
            })
        });
        let heads = heads.collect();
        Self {
            model: diagram.model.clone(),
            volumes,
            brackets,
            heads,
        }
    }
}

/// The boxes that `output` depends on, itself and the input among them.
fn leading(diagram: &Diagram, output: Option<usize>) -> BTreeSet<usize> {
    let mut kept = BTreeSet::from([0]);
    let mut open: Vec<usize> = output.into_iter().collect();
    while let Some(place) = open.pop() {
        if kept.insert(place) {
            open.extend(diagram.sources(place));
        }
    }
    kept
}

struct Chain<'a> {
    diagram: &'a Diagram,
    kept: BTreeSet<usize>,
    volumes: Vec<Volume>,
    brackets: Vec<Bracket>,
    /// Volumes that no further layer joins, since a frame begins or ends after them.
    apart: usize,
}

/// A box, or a frame with the frames in it.
struct Unit {
    range: Range<usize>,
    frame: Option<(usize, Range<usize>)>,
}

impl<'a> Chain<'a> {
    /// The chain of the boxes of `kept`.
    fn of(diagram: &'a Diagram, kept: BTreeSet<usize>) -> Self {
        let mut chain = Self {
            diagram,
            kept,
            volumes: Vec::new(),
            brackets: Vec::new(),
            apart: 0,
        };
        chain.walk(0..diagram.boxes.len(), 0..diagram.frames.len());
        chain
    }

    /// Adds the boxes of `range`, in which `frames` are.
    fn walk(&mut self, range: Range<usize>, frames: Range<usize>) {
        let units = self.units(range, frames);
        let unit = |place: usize| units.iter().position(|unit| unit.range.contains(&place));
        let arrows: Vec<(isize, isize)> = (self.diagram.arrows.iter())
            .filter(|arrow| arrow.iter().all(|place| self.kept.contains(place)))
            .filter_map(|&[from, to]| {
                Some((
                    unit(from).map_or(-1, usize::cast_signed),
                    unit(to)?.cast_signed(),
                ))
            })
            .collect();
        let passed = |unit: usize| {
            let unit = unit.cast_signed();
            arrows.iter().any(|&(from, to)| from < unit && unit < to)
        };
        let mut begun = None;
        for (place, unit) in units.iter().enumerate() {
            if passed(place) {
                begun.get_or_insert(unit.range.start);
                continue;
            }
            match (begun.take(), &unit.frame) {
                (Some(first), _) => self.join(first..unit.range.end),
                (None, Some((frame, within))) => self.frame(*frame, within.clone()),
                (None, None) => self.layer(unit.range.start),
            }
        }
    }

    fn units(&self, range: Range<usize>, frames: Range<usize>) -> Vec<Unit> {
        let mut units = Vec::new();
        let mut place = range.start;
        while place < range.end {
            let index = frames.clone().find(|&index| {
                let frame = &self.diagram.frames[index];
                frame.first == place && frame.last < range.end
            });
            let end = index.map_or(place + 1, |index| self.diagram.frames[index].last + 1);
            let frame = index.map(|index| {
                let inside = |&one: &usize| self.diagram.frames[one].first < end;
                let within = (index + 1..frames.end).take_while(inside).count();
                (index, index + 1..index + 1 + within)
            });
            if (place..end).any(|one| self.kept.contains(&one)) {
                units.push(Unit {
                    range: place..end,
                    frame,
                });
            }
            place = end;
        }
        units
    }

    /// Adds a box, to the volume before where that is the same.
    fn layer(&mut self, place: usize) {
        let layer = &self.diagram.boxes[place];
        if self.volumes.len() > self.apart
            && let Some(last) = self.volumes.last_mut()
            && matches!(layer.role, Role::Convolution | Role::Linear)
            && (&last.kinds, &last.output, last.role) == (&layer.kinds, &layer.output, layer.role)
        {
            last.name = match last.name.split_once('–') {
                Some((first, _)) => run(first.trim_end(), &layer.name),
                None => run(&last.name, &layer.name),
            };
            last.times += 1;
            last.last = place;
            return;
        }
        self.volumes.push(Volume {
            name: layer.name.clone(),
            kinds: layer.kinds.clone(),
            role: layer.role,
            output: layer.output.clone(),
            times: if layer.role == Role::Group {
                layer.times
            } else {
                1
            },
            last: place,
        });
    }

    fn frame(&mut self, index: usize, within: Range<usize>) {
        let frame = &self.diagram.frames[index];
        let range = frame.first..frame.last + 1;
        let first = self.volumes.len();
        self.apart = first;
        if frame.times == 1 && within.is_empty() {
            self.join(range);
        } else {
            self.walk(range, within);
        }
        self.apart = self.volumes.len();
        if self.volumes.len() == first + 1 {
            let volume = &mut self.volumes[first];
            volume.name.clone_from(&frame.name);
            volume.times *= frame.times;
        } else if frame.times > 1 {
            self.brackets.push(Bracket {
                name: frame.name.clone(),
                times: frame.times,
                first,
                last: self.volumes.len() - 1,
            });
        }
    }

    /// Adds branches and what they come together to as one volume.
    fn join(&mut self, range: Range<usize>) {
        let boxes: Vec<usize> = range.filter(|place| self.kept.contains(place)).collect();
        let Some(&last) = boxes.last() else {
            return;
        };
        let layers = || boxes.iter().map(|&place| &self.diagram.boxes[place]);
        let told = self.branches(&boxes).unwrap_or_else(|| {
            let all = kinds(layers().flat_map(|layer| layer.kinds.iter().map(String::as_str)));
            all.split(", ").map(str::to_owned).collect()
        });
        let names: Vec<Vec<&str>> = layers()
            .map(|layer| layer.name.split('.').collect())
            .collect();
        let shared = (0..names[0].len())
            .take_while(|&depth| {
                names
                    .iter()
                    .all(|name| name.get(depth) == names[0].get(depth))
            })
            .count();
        let end = &self.diagram.boxes[last];
        self.volumes.push(Volume {
            name: match shared {
                0 => end.name.clone(),
                _ => names[0][..shared].join("."),
            },
            kinds: told,
            role: Role::Group,
            output: end.output.clone(),
            times: 1,
            last,
        });
    }

    /// Each branch of `boxes` in a line, where nothing branches again: of a residual block each
    /// layer, and the shortcut; of a chain, each layer.
    fn branches(&self, boxes: &[usize]) -> Option<Vec<String>> {
        let last = *boxes.last()?;
        let mut branches: Vec<Vec<String>> = Vec::new();
        for &[from, to] in &self.diagram.arrows {
            if boxes.contains(&from) || !boxes.contains(&to) {
                continue;
            }
            let mut branch = Vec::new();
            let mut place = to;
            while place != last {
                branch.push(self.short(place));
                let mut readers = (self.diagram.arrows.iter())
                    .filter(|[from, to]| *from == place && boxes.contains(to));
                let (Some([_, next]), None) = (readers.next(), readers.next()) else {
                    return None;
                };
                if *next != last && self.diagram.sources(*next).count() > 1 {
                    return None;
                }
                place = *next;
            }
            branches.push(branch);
        }
        let merges = self.diagram.sources(last).count() > 1;
        match &mut branches[..] {
            [only] if !merges => {
                only.push(self.short(last));
                Some(only.clone())
            }
            [main, other] if self.diagram.boxes[last].kinds[0] == "add" => {
                if main.len() < other.len() {
                    std::mem::swap(main, other);
                }
                let other = match &other[..] {
                    [] => "+ shortcut".to_owned(),
                    layers => format!("+ {}", layers.join(" → ")),
                };
                Some(main.iter().cloned().chain([other]).collect())
            }
            all if all.len() <= TOLD && all.iter().all(|branch| !branch.is_empty()) => {
                Some(all.iter().map(|branch| branch.join(" → ")).collect())
            }
            _ => None,
        }
    }

    /// A layer within a branch: kernel and channels of a convolution.
    fn short(&self, place: usize) -> String {
        let layer = &self.diagram.boxes[place];
        let kind = layer
            .kinds
            .first()
            .map_or(layer.name.as_str(), String::as_str);
        match (layer.role, layer.output.get(1)) {
            (Role::Convolution, Some(channels)) => {
                let kind = kind.strip_prefix("conv ").unwrap_or(kind);
                format!("{kind}, {channels}")
            }
            (Role::Group, _) => layer.name.clone(),
            _ => kind.to_owned(),
        }
    }
}
