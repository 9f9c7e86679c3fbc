//! A diagram as a chain of feature-map volumes, as in the papers' figures.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Serialize;

use super::diagram::{Diagram, Role};
use super::label::range_label;
use crate::summary::count_kinds;

/// Maximum number of branches that a volume lists; for more branches, the volume lists the number
/// of layers of each kind.
const MAX_LISTED_BRANCHES: usize = 5;

/// The feature maps of a [`Diagram`] on the path from the input to the first output, and on the
/// paths to the other outputs.
///
/// A layer on all paths is one volume. Branches and the layer in which they merge are one volume,
/// which lists its branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volumes {
    /// Name of the network.
    pub model: String,
    /// Feature maps, each computed from the previous one; the first is the input.
    pub volumes: Vec<Volume>,
    /// Runs of volumes that are repeated.
    pub brackets: Vec<Bracket>,
    /// Paths to further outputs, such as those of auxiliary heads.
    pub heads: Vec<Head>,
}

/// The path to a further output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Index in [`Volumes::volumes`] of the volume where the path starts.
    pub from: usize,
    /// Feature maps, each computed from the previous one.
    pub volumes: Vec<Volume>,
}

/// The output of a layer, or of branches that merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Name of the layer or the module.
    pub name: String,
    /// Operations that compute the volume: `conv 3x3/2`, then the norm and the activation; for
    /// branches, one entry per branch.
    pub kinds: Vec<String>,
    /// Category of the layer.
    pub role: Role,
    /// Shape: `[batch, channels, height, width]` for feature maps.
    pub output: Vec<usize>,
    /// Number of consecutive equal layers.
    pub times: usize,
    /// Index in the diagram of the box that computes the volume.
    #[serde(skip)]
    last: usize,
}

/// A run of [`Volumes::volumes`] that is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bracket {
    /// Module path, such as `blocks.6–10`.
    pub name: String,
    /// Number of repetitions.
    pub times: usize,
    /// Index of the first volume.
    pub first: usize,
    /// Index of the last volume.
    pub last: usize,
}

impl Volumes {
    /// Returns the volumes of `diagram`.
    pub fn from_diagram(diagram: &Diagram) -> Self {
        let main = with_ancestors(diagram, diagram.outputs.first().copied());
        let ChainBuilder {
            volumes, brackets, ..
        } = ChainBuilder::build(diagram, main.clone());
        let heads = diagram.outputs.iter().skip(1).filter_map(|&output| {
            let (shared, own) = with_ancestors(diagram, Some(output))
                .into_iter()
                .partition::<BTreeSet<usize>, _>(|index| main.contains(index));
            if own.is_empty() {
                return None;
            }
            let start = shared.last().copied().unwrap_or_default();
            Some(Head {
                from: volumes.iter().position(|volume| start <= volume.last)?,
                volumes: ChainBuilder::build(diagram, own).volumes,
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

/// Returns the box `output`, the boxes on which it depends, and the input.
fn with_ancestors(diagram: &Diagram, output: Option<usize>) -> BTreeSet<usize> {
    let mut ancestors = BTreeSet::from([0]);
    let mut stack: Vec<usize> = output.into_iter().collect();
    while let Some(index) = stack.pop() {
        if ancestors.insert(index) {
            stack.extend(diagram.sources(index));
        }
    }
    ancestors
}

/// A chain of volumes under construction.
struct ChainBuilder<'a> {
    diagram: &'a Diagram,
    /// Boxes of the chain.
    selected: BTreeSet<usize>,
    volumes: Vec<Volume>,
    brackets: Vec<Bracket>,
    /// Index of the first volume that an equal next layer may extend: a layer is not merged with a
    /// volume across the border of a frame.
    extensible_from: usize,
}

/// A box, or a frame with its inner frames.
struct ChainNode {
    /// Boxes of the node.
    range: Range<usize>,
    /// Index of the frame, and the indices of its inner frames.
    frame: Option<(usize, Range<usize>)>,
}

impl<'a> ChainBuilder<'a> {
    /// Builds the chain of the `selected` boxes.
    fn build(diagram: &'a Diagram, selected: BTreeSet<usize>) -> Self {
        let mut chain = Self {
            diagram,
            selected,
            volumes: Vec::new(),
            brackets: Vec::new(),
            extensible_from: 0,
        };
        chain.add_range(0..diagram.boxes.len(), 0..diagram.frames.len());
        chain
    }

    /// Adds the boxes of `range`, which contains the frames of `frames`.
    fn add_range(&mut self, range: Range<usize>, frames: Range<usize>) {
        let nodes = self.nodes(range, frames);
        let node = |index: usize| nodes.iter().position(|node| node.range.contains(&index));
        // Arrows between nodes; -1 is any box before `range`.
        let arrows: Vec<(isize, isize)> = (self.diagram.arrows.iter())
            .filter(|arrow| arrow.iter().all(|index| self.selected.contains(index)))
            .filter_map(|&[from, to]| {
                Some((
                    node(from).map_or(-1, usize::cast_signed),
                    node(to)?.cast_signed(),
                ))
            })
            .collect();
        let is_bypassed = |node: usize| {
            let node = node.cast_signed();
            arrows.iter().any(|&(from, to)| from < node && node < to)
        };
        let mut branches_start = None;
        for (index, node) in nodes.iter().enumerate() {
            if is_bypassed(index) {
                branches_start.get_or_insert(node.range.start);
                continue;
            }
            match (branches_start.take(), &node.frame) {
                (Some(first), _) => self.add_branches(first..node.range.end),
                (None, Some((frame, inner))) => self.add_frame(*frame, inner.clone()),
                (None, None) => self.add_layer(node.range.start),
            }
        }
    }

    /// Returns the nodes of `range` that contain a selected box.
    fn nodes(&self, range: Range<usize>, frames: Range<usize>) -> Vec<ChainNode> {
        let mut nodes = Vec::new();
        let mut first = range.start;
        while first < range.end {
            let index = frames.clone().find(|&index| {
                let frame = &self.diagram.frames[index];
                frame.first == first && frame.last < range.end
            });
            let end = index.map_or(first + 1, |index| self.diagram.frames[index].last + 1);
            let frame = index.map(|index| {
                let is_inside = |&other: &usize| self.diagram.frames[other].first < end;
                let inner = (index + 1..frames.end).take_while(is_inside).count();
                (index, index + 1..index + 1 + inner)
            });
            if (first..end).any(|index| self.selected.contains(&index)) {
                nodes.push(ChainNode {
                    range: first..end,
                    frame,
                });
            }
            first = end;
        }
        nodes
    }

    /// Adds a box, as a repetition of the last volume if the two are equal.
    fn add_layer(&mut self, index: usize) {
        let layer = &self.diagram.boxes[index];
        if self.volumes.len() > self.extensible_from
            && let Some(last) = self.volumes.last_mut()
            && matches!(layer.role, Role::Convolution | Role::Linear)
            && (&last.kinds, &last.output, last.role) == (&layer.kinds, &layer.output, layer.role)
        {
            last.name = match last.name.split_once('–') {
                Some((first, _)) => range_label(first.trim_end(), &layer.name),
                None => range_label(&last.name, &layer.name),
            };
            last.times += 1;
            last.last = index;
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
            last: index,
        });
    }

    /// Adds the volumes of a frame, which contains the frames of `inner`.
    fn add_frame(&mut self, index: usize, inner: Range<usize>) {
        let frame = &self.diagram.frames[index];
        let range = frame.first..frame.last + 1;
        let first = self.volumes.len();
        self.extensible_from = first;
        if frame.times == 1 && inner.is_empty() {
            self.add_branches(range);
        } else {
            self.add_range(range, inner);
        }
        self.extensible_from = self.volumes.len();
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

    /// Adds branches and the layer in which they merge as one volume.
    fn add_branches(&mut self, range: Range<usize>) {
        let boxes: Vec<usize> = range
            .filter(|index| self.selected.contains(index))
            .collect();
        let Some(&last) = boxes.last() else {
            return;
        };
        let layers = || boxes.iter().map(|&index| &self.diagram.boxes[index]);
        let volume_kinds = self.branch_labels(&boxes).unwrap_or_else(|| {
            let all =
                count_kinds(layers().flat_map(|layer| layer.kinds.iter().map(String::as_str)));
            all.split(", ").map(str::to_owned).collect()
        });
        let names: Vec<Vec<&str>> = layers()
            .map(|layer| layer.name.split('.').collect())
            .collect();
        let prefix = (0..names[0].len())
            .take_while(|&depth| {
                names
                    .iter()
                    .all(|name| name.get(depth) == names[0].get(depth))
            })
            .count();
        let end = &self.diagram.boxes[last];
        self.volumes.push(Volume {
            name: match prefix {
                0 => end.name.clone(),
                _ => names[0][..prefix].join("."),
            },
            kinds: volume_kinds,
            role: Role::Group,
            output: end.output.clone(),
            times: 1,
            last,
        });
    }

    /// Returns one label per branch of `boxes`; for a residual block or a chain, one label per
    /// layer and one for the shortcut. `None` if a branch branches again or there are too many
    /// branches.
    fn branch_labels(&self, boxes: &[usize]) -> Option<Vec<String>> {
        let last = *boxes.last()?;
        let mut branches: Vec<Vec<String>> = Vec::new();
        for &[from, to] in &self.diagram.arrows {
            if boxes.contains(&from) || !boxes.contains(&to) {
                continue;
            }
            let mut branch = Vec::new();
            let mut index = to;
            while index != last {
                branch.push(self.short_label(index));
                let mut readers = (self.diagram.arrows.iter())
                    .filter(|[from, to]| *from == index && boxes.contains(to));
                let (Some([_, next]), None) = (readers.next(), readers.next()) else {
                    return None;
                };
                if *next != last && self.diagram.sources(*next).count() > 1 {
                    return None;
                }
                index = *next;
            }
            branches.push(branch);
        }
        let merges = self.diagram.sources(last).count() > 1;
        match &mut branches[..] {
            [only] if !merges => {
                only.push(self.short_label(last));
                Some(only.clone())
            }
            [main, shortcut] if self.diagram.boxes[last].kinds[0] == "add" => {
                if main.len() < shortcut.len() {
                    std::mem::swap(main, shortcut);
                }
                let shortcut = match &shortcut[..] {
                    [] => "+ shortcut".to_owned(),
                    layers => format!("+ {}", layers.join(" → ")),
                };
                Some(main.iter().cloned().chain([shortcut]).collect())
            }
            all if all.len() <= MAX_LISTED_BRANCHES
                && all.iter().all(|branch| !branch.is_empty()) =>
            {
                Some(all.iter().map(|branch| branch.join(" → ")).collect())
            }
            _ => None,
        }
    }

    /// Returns the label of a layer in a branch: kernel size and channels of a convolution, kind of
    /// another layer, name of a group.
    fn short_label(&self, index: usize) -> String {
        let layer = &self.diagram.boxes[index];
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
