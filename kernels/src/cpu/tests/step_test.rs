//! Test of one step: runs the step in guarded memory and checks every element that it writes.

use super::super::{Border, Context, Isa, Kernels, Map};
use super::guarded_memory::{GuardedMemory, SENTINEL};
use super::test_map::TestMap;
use crate::cpu::Memory;
use crate::plan::Step;
use crate::threads::StealableRanges;

/// Inputs of a step under test, and the shapes of its outputs.
#[derive(Debug, Clone)]
pub(crate) struct StepTest<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// Batch size.
    pub images: usize,
    /// Maps that the step reads, with their values, `[images, channels, height, width]`.
    pub inputs: Vec<(TestMap, &'a [f32])>,
    /// Maps that the step writes.
    pub outputs: Vec<TestMap>,
    /// Elements of the step's packed weights.
    pub weights: usize,
    /// The caller's batch of images, all of the same length.
    pub input: &'a [f32],
    /// Elements of one image in each of the caller's output arrays.
    pub arrays: Vec<usize>,
}

/// Layout of the memory of a step under test.
pub(crate) struct StepLayout {
    /// Maps that the step reads.
    pub inputs: Vec<Map>,
    /// Maps that the step writes.
    pub outputs: Vec<Map>,
    /// Offset of the step in the packed weights.
    pub weights: usize,
}

/// Values that a step wrote.
#[derive(Debug, PartialEq)]
pub(crate) struct StepOutput {
    /// Values of each output map, `[images, channels, height, width]`.
    pub maps: Vec<Vec<f32>>,
    /// Values of each of the caller's output arrays.
    pub arrays: Vec<Vec<f32>>,
}

/// Threads of a run, and whether they steal work from each other.
#[derive(Debug, Clone, Copy)]
struct Threads {
    count: usize,
    /// Threads that come to the step.
    present: usize,
    stealing: bool,
}

/// Unused elements before each map.
const GAP: usize = 33;
/// Elements of other steps' weights before the packed weights of the step.
const OTHER_WEIGHTS: usize = 5;
/// Value of an input's lanes beyond the last channel, and of its neighboring blocks.
const UNUSED_LANE: f32 = 1e6;

impl<'a> StepTest<'a> {
    /// A test of one image without maps, weights or arrays.
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

    /// Runs the step that `build` returns and returns its output. `build` packs the step's weights
    /// into the slice that it receives, from element [`StepLayout::weights`] on.
    ///
    /// The step is run
    ///
    /// - on 1 and 2 threads without work stealing, and with work stealing on 2 threads, and on 3 threads
    ///   one of which never comes;
    /// - with different maps at the end of the arena;
    /// - with the whole batch as one micro-batch, and with micro-batches of one or two images;
    /// - for a longer batch, with a copy of the first image after the last.
    ///
    /// # Panics
    ///
    /// Unless
    ///
    /// - the step passes its own check;
    /// - the step writes all elements of its outputs and no other elements;
    /// - borders of outputs are zero, and lanes beyond the last channel are finite;
    /// - all accesses lie within the arena, the weights and the scratch memory, which are
    ///   [guarded](GuardedMemory);
    /// - all runs give the same bits, and so do both copies of the first image.
    pub fn run(&self, build: impl Fn(&StepLayout, &mut [f32]) -> Step) -> StepOutput {
        let single = Threads {
            count: 1,
            present: 1,
            stealing: false,
        };
        let first = self.run_once(single, 0, self.images, &build);
        for (count, stealing) in [(2, false), (3, true)] {
            let micro_batch = count.min(self.images + 1) - 1;
            let threads = Threads {
                count,
                present: 2,
                stealing,
            };
            let again = self.run_once(threads, count - 1, micro_batch, &build);
            let conditions = format!("with {threads:?} and a micro-batch of {micro_batch} images");
            again.assert_same_bits(&first, &conditions);
        }
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|(_, values)| self.with_first_image_appended(values))
            .collect();
        let input = self.with_first_image_appended(self.input);
        let longer = StepTest {
            images: self.images + 1,
            inputs: std::iter::zip(&self.inputs, &inputs)
                .map(|((map, _), values)| (*map, &values[..]))
                .collect(),
            input: &input,
            ..self.clone()
        };
        let threads = Threads {
            count: 2,
            present: 2,
            stealing: true,
        };
        let longer = longer.run_once(threads, 0, longer.images, &build);
        longer
            .images(self.images + 1, 0..self.images)
            .assert_same_bits(&first, "in a longer batch");
        longer
            .images(self.images + 1, self.images..self.images + 1)
            .assert_same_bits(
                &first.images(self.images, 0..1),
                "for the first image at the end of the batch",
            );
        first
    }

    /// Returns the images of `values` with a copy of the first image after the last.
    fn with_first_image_appended(&self, values: &[f32]) -> Vec<f32> {
        [values, &values[..values.len() / self.images]].concat()
    }

    /// Builds the step, runs it on every micro-batch, and returns its output. Map number `last`,
    /// modulo the number of maps, ends at the end of the arena.
    fn run_once(
        &self,
        threads: Threads,
        last: usize,
        micro_batch: usize,
        build: &impl Fn(&StepLayout, &mut [f32]) -> Step,
    ) -> StepOutput {
        let kernels = Kernels::get(self.isa);
        let test_maps: Vec<TestMap> = (self.inputs.iter().map(|(map, _)| *map))
            .chain(self.outputs.iter().copied())
            .collect();
        let (wider_maps, maps, end) = allocate(&test_maps, kernels.lanes, self.images, last);
        let (x, y) = maps.split_at(self.inputs.len());

        let mut arena = GuardedMemory::new(end);
        for (wider, (map, (_, values))) in wider_maps.iter().zip(x.iter().zip(&self.inputs)) {
            arena[wider.offset..][..wider.elements()].fill(UNUSED_LANE);
            write_map(&mut arena, map, values);
        }
        let mut weights = GuardedMemory::new(OTHER_WEIGHTS + self.weights);
        let step = build(
            &StepLayout {
                inputs: x.to_vec(),
                outputs: y.to_vec(),
                weights: OTHER_WEIGHTS,
            },
            &mut weights,
        );
        let packed = &weights[OTHER_WEIGHTS..];
        // Packed 24-bit weights may have the bits of any float.
        let is_packed = |x: &f32| match step {
            Step::FullyConnected(_) => !is_sentinel(x),
            _ => x.is_finite(),
        };
        assert!(
            packed.iter().all(is_packed),
            "some packed weights were not written"
        );
        assert!(
            weights[..OTHER_WEIGHTS].iter().all(is_sentinel),
            "packing changed the weights of another step"
        );

        let memory = Memory {
            lanes: kernels.lanes,
            blocking: kernels.blocking,
            images: self.images,
            micro_batch,
            arena: arena.len(),
            weights: weights.len(),
            input: self.input.len() / self.images,
            outputs: &self.arrays,
        };
        assert_eq!(
            step.operation().check(&memory),
            Ok(()),
            "the check rejects a valid step"
        );

        let input = GuardedMemory::from_slice(self.input);
        let mut arrays: Vec<GuardedMemory> = (self.arrays.iter())
            .map(|len| GuardedMemory::new(len * self.images))
            .collect();
        let outputs: Vec<*mut f32> = arrays.iter_mut().map(|array| array.as_mut_ptr()).collect();
        let before = arena.to_vec();
        let mut order: Vec<usize> = (0..threads.present).collect();
        if threads.count.is_multiple_of(2) {
            order.reverse();
        }
        // With work stealing, each thread first claims at most two chunks. Then the first thread
        // claims all chunks that are left.
        let ranges = (threads.stealing).then(|| StealableRanges::with_budget(threads.count));
        let calls = order.iter().map(|&thread| (thread, 2));
        let calls = calls.chain(threads.stealing.then_some((order[0], u64::MAX)));
        for first in (0..self.images).step_by(micro_batch) {
            for thread in 0..threads.count {
                ranges.iter().for_each(|ranges| ranges.reset(thread));
            }
            for (thread, chunks) in calls.clone() {
                ranges.iter().for_each(|ranges| ranges.allow(chunks));
                let mut scratch = GuardedMemory::new(step.operation().scratch());
                let context = Context {
                    kernels,
                    arena: arena.as_mut_ptr(),
                    weights: &weights,
                    input: input.as_ptr(),
                    outputs: &outputs,
                    scratch: scratch.as_mut_ptr(),
                    images: micro_batch.min(self.images - first),
                    first,
                    thread,
                    threads: threads.count,
                    stealable: ranges.as_ref(),
                };
                // SAFETY: the step passed its check against the lengths of the arena, weights,
                // input and arrays that the context points to, and `scratch` has the elements that
                // the step needs. Threads are simulated one after the other, so that nothing else
                // accesses this memory. An access out of bounds, which this test is to detect, is
                // caught by the guarded memory.
                unsafe {
                    step.operation().run(&context);
                    context.steal_borders(|| step.operation().accesses());
                }
            }
        }

        let mut is_output = vec![false; arena.len()];
        let maps = y
            .iter()
            .map(|map| read_output(&arena, map, self.images, &mut is_output))
            .collect();
        for (at, (after, before)) in arena.iter().zip(&before).enumerate() {
            assert!(
                is_output[at] || after.to_bits() == before.to_bits(),
                "the step wrote element {at}, which is not part of an output"
            );
        }
        let arrays: Vec<_> = arrays.iter().map(|array| array.to_vec()).collect();
        assert!(
            !arrays.iter().flatten().any(is_sentinel),
            "the step did not write all elements of an output array"
        );
        StepOutput { maps, arrays }
    }
}

/// Assigns arena offsets to `test_maps`, with gaps between them, so that map number `last`, modulo
/// the number of maps, is at the end. Returns the wider maps, the maps, and the length of the
/// arena.
fn allocate(
    test_maps: &[TestMap],
    lanes: usize,
    images: usize,
    last: usize,
) -> (Vec<Map>, Vec<Map>, usize) {
    let count = test_maps.len();
    let mut maps = vec![[Map::new([1; 3], Border::default(), 1, 0); 2]; count];
    let mut end = 0;
    for index in (0..count).map(|index| (last + 1 + index) % count) {
        let offset = end + GAP;
        maps[index] = test_maps[index].wider_map_and_slice(lanes, images, offset);
        end = offset + maps[index][0].elements();
    }
    let [wider_maps, slices] = [0, 1].map(|i| maps.iter().map(|map| map[i]).collect());
    (wider_maps, slices, end)
}

fn is_sentinel(x: &f32) -> bool {
    x.to_bits() == SENTINEL.to_bits()
}

/// Writes `values` into `map`, zeros into its border, and [`UNUSED_LANE`] into lanes beyond the
/// last channel.
fn write_map(arena: &mut [f32], map: &Map, values: &[f32]) {
    let images = values.len() / map.shape().iter().product::<usize>();
    for image in 0..images {
        for block in 0..map.blocks() {
            arena[map.offset + image * map.image + block * map.block..][..map.extent()].fill(0.0);
        }
        for (y, x) in pixels(map) {
            for channel in 0..map.blocks() * map.lanes {
                let at = map.at(image, channel / map.lanes, y, x) + channel % map.lanes;
                arena[at] = if channel < map.channels {
                    values[((image * map.channels + channel) * map.height + y) * map.width + x]
                } else {
                    UNUSED_LANE
                };
            }
        }
    }
}

/// Returns the values of `map` and marks all of its elements in `is_output`.
///
/// # Panics
///
/// When a value was not written, the border is not zero, or a lane beyond the last channel is not
/// finite.
fn read_output(arena: &[f32], map: &Map, images: usize, is_output: &mut [bool]) -> Vec<f32> {
    let mut values = vec![0.0; images * map.shape().iter().product::<usize>()];
    for image in 0..images {
        let block_start = |block| map.offset + image * map.image + block * map.block;
        for start in (0..map.blocks()).map(block_start) {
            is_output[start..start + map.extent()].fill(true);
        }
        let mut is_pixel = vec![false; map.blocks() * map.block];
        for (y, x) in pixels(map) {
            for channel in 0..map.blocks() * map.lanes {
                let at = map.at(image, channel / map.lanes, y, x) + channel % map.lanes;
                is_pixel[at - block_start(0)] = true;
                let value = arena[at];
                assert!(
                    !is_sentinel(&value),
                    "channel {channel} of pixel ({y}, {x}) was not written"
                );
                if channel < map.channels {
                    values[((image * map.channels + channel) * map.height + y) * map.width + x] =
                        value;
                } else {
                    assert!(
                        value.is_finite(),
                        "{value} in lane {channel}, beyond the last channel"
                    );
                }
            }
        }
        for (at, is_pixel) in is_pixel.into_iter().enumerate() {
            let value = arena[block_start(0) + at];
            let is_in_block = at % map.block < map.extent();
            assert!(
                is_pixel || !is_in_block || value == 0.0,
                "{value} in the border"
            );
        }
    }
    values
}

/// Iterator over the coordinates `(y, x)` of all pixels.
fn pixels(map: &Map) -> impl Iterator<Item = (usize, usize)> + use<> {
    let [_, height, width] = map.shape();
    (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)))
}

impl StepOutput {
    /// The images in range `images` of a batch of `batch` images.
    fn images(&self, batch: usize, images: std::ops::Range<usize>) -> Self {
        let slice = |values: &Vec<f32>| {
            let image = values.len() / batch;
            values[images.start * image..images.end * image].to_vec()
        };
        Self {
            maps: self.maps.iter().map(slice).collect(),
            arrays: self.arrays.iter().map(slice).collect(),
        }
    }

    /// Asserts that both outputs have the same bits.
    fn assert_same_bits(&self, other: &Self, conditions: &str) {
        let bits = |output: &Self| -> Vec<Vec<u32>> {
            (output.maps.iter().chain(&output.arrays))
                .map(|values| values.iter().map(|x| x.to_bits()).collect())
                .collect()
        };
        assert!(bits(self) == bits(other), "bits differ {conditions}");
    }
}
