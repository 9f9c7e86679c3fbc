//! Check that an untrusted program uses the memory that it asks for.

use super::error::ProgramError;
use super::program::Program;
use crate::cpu::{AccessSet, Map};

/// Largest ratio of the arena to the part of it that steps access. The arena of a batch of two images
/// with a region each ends up to half of it after the last map.
const MOST_ARENA: usize = 2;

/// Checks a program that passed [`Program::check`]: it has outputs, and steps write all of them; every
/// map that a step writes is read; the steps reach the end of the arena; and a run on `threads` threads
/// takes at most `most_bytes`.
pub(super) fn check(
    program: &Program,
    threads: usize,
    most_bytes: usize,
) -> Result<(), ProgramError> {
    let accesses: Vec<AccessSet> = (program.steps.iter())
        .map(|step| step.step.operation().accesses())
        .collect();

    let mut written = vec![false; program.outputs.len()];
    for output in accesses.iter().filter_map(AccessSet::written_output) {
        written[output] = true;
    }
    let count = written.iter().filter(|written| **written).count();
    if count < written.len() || count == 0 {
        return Err(ProgramError::Unwritten {
            outputs: written.len(),
            written: count,
        });
    }

    let mut reads: Vec<[usize; 2]> = (accesses.iter())
        .flat_map(AccessSet::read_maps)
        .map(|map| extent(&map))
        .collect();
    merge(&mut reads);
    for (step, accesses) in program.steps.iter().zip(&accesses) {
        if let Some(map) = accesses.written_map() {
            let [start, end] = extent(map);
            // The last range that starts before the end of the map.
            let last = reads.partition_point(|range| range[0] < end);
            if last == 0 || reads[last - 1][1] <= start {
                return Err(ProgramError::UnusedStep {
                    step: step.name.clone(),
                });
            }
        }
    }

    let reach = (accesses.iter().flat_map(AccessSet::all)).map(|map| extent(&map)[1]);
    let reach = reach.max().unwrap_or(0);
    if program.arena > MOST_ARENA * reach {
        return Err(ProgramError::UnusedArena {
            found: program.arena,
            expected: reach,
        });
    }

    let bytes = bytes(program, threads).unwrap_or(usize::MAX);
    if bytes > most_bytes {
        return Err(ProgramError::Limit {
            bytes,
            limit: most_bytes,
        });
    }
    Ok(())
}

/// First element of a map that was checked, and the element after its last one.
fn extent(map: &Map) -> [usize; 2] {
    let slots = (map.slots - 1) * map.image;
    [map.offset, map.offset + slots + map.extent_of_image()]
}

/// Sorts ranges and merges those that overlap.
fn merge(ranges: &mut Vec<[usize; 2]>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let overlap = next[0] <= last[1];
        if overlap {
            last[1] = last[1].max(next[1]);
        }
        overlap
    });
}

/// Bytes that a run of the whole batch takes, without the weights; `None` if the sum overflows.
pub(super) fn bytes(program: &Program, threads: usize) -> Option<usize> {
    let scratch = (program.steps.iter()).map(|step| step.step.operation().scratch());
    let scratch = scratch.max().unwrap_or(0).checked_next_multiple_of(32)?;
    let shapes = program.outputs.iter().chain([&program.input]);
    let product = |shape: &[usize; 3]| {
        let mut sizes = shape.iter();
        sizes.try_fold(1_usize, |product, &size| product.checked_mul(size))
    };
    let mut values = shapes.map(product);
    let values = values.try_fold(0_usize, |sum, values| sum.checked_add(values?));
    values?
        .checked_mul(program.images)?
        .checked_add(program.arena)?
        .checked_add(scratch.checked_mul(threads)?)?
        .checked_mul(size_of::<f32>())
}
