//! One step, run where nothing that it does wrong goes unseen.

use super::super::{Border, Context, Isa, Kernels, Map};
use super::guarded::{CANARY, Guarded};
use crate::cpu::Memory;
use crate::plan::Step;
use crate::threads::StealableRanges;

/// A map as a test wants it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// Its border.
    pub border: Border,
    /// One channel to a block, rather than as many as a vector has lanes.
    pub planar: bool,
    /// Blocks before and after it in a wider map of which it is a slice.
    pub around: [usize; 2],
}

impl Place {
    /// A map of its own, in blocks, without a border.
    pub fn new(shape: [usize; 3]) -> Self {
        Self {
            shape,
            border: Border::default(),
            planar: false,
            around: [0, 0],
        }
    }

    /// Elements of an image's values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The map at `offset` with places for so many images, and the part of it that is meant.
    fn map(&self, lanes: usize, images: usize, offset: usize) -> [Map; 2] {
        let lanes = if self.planar { 1 } else { lanes };
        let [channels, height, width] = self.shape;
        let [before, after] = self.around.map(|blocks| blocks * lanes);
        let all = if after == 0 {
            before + channels
        } else {
            before + channels.next_multiple_of(lanes) + after
        };
        let wider = Map::new([all, height, width], self.border, lanes, offset).with_slots(images);
        [wider, wider.slice(before, channels)]
    }
}

/// A step to be tried: what it reads, and where it writes.
#[derive(Debug, Clone)]
pub(crate) struct Trial<'a> {
    /// The instruction set.
    pub isa: Isa,
    /// Images in the batch.
    pub images: usize,
    /// The maps that it reads, with their values, `[images, channels, height, width]`.
    pub inputs: Vec<(Place, &'a [f32])>,
    /// The maps that it writes.
    pub outputs: Vec<Place>,
    /// Elements of its packed weights.
    pub weights: usize,
    /// The caller's images, of equal length.
    pub input: &'a [f32],
    /// The caller's outputs: elements for each image.
    pub arrays: Vec<usize>,
}

/// Where a trial has put everything.
pub(crate) struct Maps {
    /// The maps that the step reads.
    pub inputs: Vec<Map>,
    /// The maps that it writes.
    pub outputs: Vec<Map>,
    /// The element where its packed weights begin.
    pub weights: usize,
}

/// What a step wrote.
#[derive(Debug, PartialEq)]
pub(crate) struct Written {
    /// Each output map's values, `[images, channels, height, width]`.
    pub maps: Vec<Vec<f32>>,
    /// Each of the caller's outputs.
    pub arrays: Vec<Vec<f32>>,
}

/// Elements between two maps.
const GAP: usize = 33;
/// Elements before the packed weights: others' weights.
const OTHERS: usize = 5;
/// What lies in the lanes that hold no channel.
const FILLER: f32 = 1e6;

impl<'a> Trial<'a> {
    /// Nothing yet, and one image.
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            images: 1,
            inputs: Vec::new(),
            outputs: Vec::new(),
            weights: 0,
            input: &[],
            arrays: Vec::new(),
        }
    }

    /// Runs the step that `build` makes, which packs its weights into what it is given, at
    /// [`Maps::weights`].
    ///
    /// It runs with 1, 2 and 3 threads, each alone with its share and helping each other, each map in turn the last
    /// in memory, for all images together and for one or two at a time, and with the first image again after the
    /// last. Panics unless
    ///
    /// - its own check finds nothing;
    /// - it writes nothing but its outputs, all of them, with zeros in their borders and something
    ///   finite in the lanes that hold no channel;
    /// - it stays within the arena, the weights and its scratch memory, each of which ends at a
    ///   guarded page;
    /// - the bits are the same each time, and for both copies of the first image.
    pub fn run(&self, build: impl Fn(&Maps, &mut [f32]) -> Step) -> Written {
        let first = self.once((1, false), 0, self.images, &build);
        for (threads, helping) in [(2, false), (3, true)] {
            let together = threads.min(self.images + 1) - 1;
            let again = self.once((threads, helping), threads - 1, together, &build);
            let how = format!("with {threads} threads, {together} images at a time");
            again.expect_same(&first, &how);
        }
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|(_, values)| self.repeat_first(values))
            .collect();
        let input = self.repeat_first(self.input);
        let longer = Trial {
            images: self.images + 1,
            inputs: std::iter::zip(&self.inputs, &inputs)
                .map(|((place, _), values)| (*place, &values[..]))
                .collect(),
            input: &input,
            ..self.clone()
        };
        let longer = longer.once((2, true), 0, longer.images, &build);
        longer
            .images(self.images + 1, 0..self.images)
            .expect_same(&first, "in a longer batch");
        longer
            .images(self.images + 1, self.images..self.images + 1)
            .expect_same(&first.images(self.images, 0..1), "as the last of a batch");
        first
    }

    fn repeat_first(&self, values: &[f32]) -> Vec<f32> {
        [values, &values[..values.len() / self.images]].concat()
    }

    /// One run, for `together` images at a time. Map `last`, modulo their number, lies at the
    /// arena's end.
    fn once(
        &self,
        (threads, helping): (usize, bool),
        last: usize,
        together: usize,
        build: &impl Fn(&Maps, &mut [f32]) -> Step,
    ) -> Written {
        let kernels = Kernels::get(self.isa);
        let slots: Vec<Place> = (self.inputs.iter().map(|(place, _)| *place))
            .chain(self.outputs.iter().copied())
            .collect();
        let (wholes, maps, end) = lay_out(&slots, kernels.lanes, self.images, last);
        let (x, y) = maps.split_at(self.inputs.len());

        let mut arena = Guarded::new(end);
        for (whole, (map, (_, values))) in wholes.iter().zip(x.iter().zip(&self.inputs)) {
            arena[whole.offset..][..whole.elements()].fill(FILLER);
            fill(&mut arena, map, values);
        }
        let mut weights = Guarded::new(OTHERS + self.weights);
        let step = build(
            &Maps {
                inputs: x.to_vec(),
                outputs: y.to_vec(),
                weights: OTHERS,
            },
            &mut weights,
        );
        let packed = &weights[OTHERS..];
        // Bits of which several make a number may be those of any float.
        let is_packed = |x: &f32| match step {
            Step::FullyConnected(_) => !is_canary(x),
            _ => x.is_finite(),
        };
        assert!(packed.iter().all(is_packed), "weights not packed");
        assert!(weights[..OTHERS].iter().all(is_canary), "others' weights");

        let memory = Memory {
            lanes: kernels.lanes,
            blocking: kernels.blocking,
            images: self.images,
            micro_batch: together,
            arena: arena.len(),
            weights: weights.len(),
            input: self.input.len() / self.images,
            outputs: &self.arrays,
        };
        assert_eq!(
            step.operation().check(&memory),
            Ok(()),
            "a sound step is refused"
        );

        let input = Guarded::of(self.input);
        let mut arrays: Vec<Guarded> = (self.arrays.iter())
            .map(|len| Guarded::new(len * self.images))
            .collect();
        let outputs: Vec<*mut f32> = arrays.iter_mut().map(|array| array.as_mut_ptr()).collect();
        let before = arena.to_vec();
        let mut order: Vec<usize> = (0..threads).collect();
        if threads.is_multiple_of(2) {
            order.reverse();
        }
        // Whoever is done takes of what others have left: a few pieces each, and the first the rest.
        let ranges = helping.then(|| StealableRanges::with_budget(threads));
        let turns = order.iter().map(|&thread| (thread, 2));
        let turns = turns.chain(helping.then_some((order[0], u64::MAX)));
        for first in (0..self.images).step_by(together) {
            for thread in 0..threads {
                ranges.iter().for_each(|ranges| ranges.reset(thread));
            }
            for (thread, pieces) in turns.clone() {
                ranges.iter().for_each(|ranges| ranges.allow(pieces));
                let mut scratch = Guarded::new(step.operation().scratch());
                let context = Context {
                    kernels,
                    arena: arena.as_mut_ptr(),
                    weights: &weights,
                    input: input.as_ptr(),
                    outputs: &outputs,
                    scratch: scratch.as_mut_ptr(),
                    images: together.min(self.images - first),
                    first,
                    thread,
                    threads,
                    stealable: ranges.as_ref(),
                };
                // SAFETY: the step was built for this memory; that it stays there is what is
                // tested.
                unsafe { step.operation().run(&context) };
            }
        }

        let mut written = vec![false; arena.len()];
        let maps = y
            .iter()
            .map(|map| extract(&arena, map, self.images, &mut written))
            .collect();
        for (at, (now, then)) in arena.iter().zip(&before).enumerate() {
            assert!(
                written[at] || now.to_bits() == then.to_bits(),
                "wrote element {at}, which is no output's"
            );
        }
        let arrays: Vec<_> = arrays.iter().map(|array| array.to_vec()).collect();
        assert!(
            !arrays.iter().flatten().any(is_canary),
            "output not written"
        );
        Written { maps, arrays }
    }
}

/// The wider maps, those that are meant, and where the last ends, with gaps between them.
fn lay_out(
    slots: &[Place],
    lanes: usize,
    images: usize,
    last: usize,
) -> (Vec<Map>, Vec<Map>, usize) {
    let count = slots.len();
    let mut maps = vec![[Map::new([1; 3], Border::default(), 1, 0); 2]; count];
    let mut end = 0;
    for index in (0..count).map(|index| (last + 1 + index) % count) {
        let offset = end + GAP;
        maps[index] = slots[index].map(lanes, images, offset);
        end = offset + maps[index][0].elements();
    }
    let [wholes, parts] = [0, 1].map(|part| maps.iter().map(|map| map[part]).collect());
    (wholes, parts, end)
}

fn is_canary(x: &f32) -> bool {
    x.to_bits() == CANARY.to_bits()
}

/// Puts `values` into `map`, with zeros around them and something finite in lanes that hold none.
fn fill(arena: &mut [f32], map: &Map, values: &[f32]) {
    let images = values.len() / map.shape().iter().product::<usize>();
    for image in 0..images {
        for block in 0..map.blocks() {
            arena[map.offset + image * map.image + block * map.block..][..map.extent()].fill(0.0);
        }
        for (y, x) in pixels(map) {
            for lane in 0..map.blocks() * map.lanes {
                let at = map.at(image, lane / map.lanes, y, x) + lane % map.lanes;
                arena[at] = if lane < map.channels {
                    values[((image * map.channels + lane) * map.height + y) * map.width + x]
                } else {
                    FILLER
                };
            }
        }
    }
}

/// The values of `map`, all of whose elements are marked as `written`. Its border must be zero and
/// the lanes that hold no channel finite.
fn extract(arena: &[f32], map: &Map, images: usize, written: &mut [bool]) -> Vec<f32> {
    let mut values = vec![0.0; images * map.shape().iter().product::<usize>()];
    for image in 0..images {
        let block = |block| map.offset + image * map.image + block * map.block;
        for from in (0..map.blocks()).map(block) {
            written[from..from + map.extent()].fill(true);
        }
        let mut inside = vec![false; map.blocks() * map.block];
        for (y, x) in pixels(map) {
            for lane in 0..map.blocks() * map.lanes {
                let at = map.at(image, lane / map.lanes, y, x) + lane % map.lanes;
                inside[at - block(0)] = true;
                let value = arena[at];
                assert!(!is_canary(&value), "lane {lane} of ({y}, {x}) not written");
                if lane < map.channels {
                    values[((image * map.channels + lane) * map.height + y) * map.width + x] =
                        value;
                } else {
                    assert!(value.is_finite(), "{value} in lane {lane}, which is none");
                }
            }
        }
        for (at, inside) in inside.into_iter().enumerate() {
            let value = arena[block(0) + at];
            let around = at % map.block < map.extent();
            assert!(inside || !around || value == 0.0, "{value} in the border");
        }
    }
    values
}

fn pixels(map: &Map) -> impl Iterator<Item = (usize, usize)> + use<> {
    let [_, height, width] = map.shape();
    (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)))
}

impl Written {
    /// Some images of a batch of `all`.
    fn images(&self, all: usize, images: std::ops::Range<usize>) -> Self {
        let part = |values: &Vec<f32>| {
            let image = values.len() / all;
            values[images.start * image..images.end * image].to_vec()
        };
        Self {
            maps: self.maps.iter().map(part).collect(),
            arrays: self.arrays.iter().map(part).collect(),
        }
    }

    fn expect_same(&self, other: &Self, when: &str) {
        let bits = |written: &Self| -> Vec<Vec<u32>> {
            (written.maps.iter().chain(&written.arrays))
                .map(|values| values.iter().map(|x| x.to_bits()).collect())
                .collect()
        };
        assert!(bits(self) == bits(other), "other bits {when}");
    }
}
