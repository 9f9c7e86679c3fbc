//! Steps that do not depend on each other.
//!
//! The branches of an Inception module are some thirty short convolutions a network, and a wait of all threads for the
//! last after each would take a twentieth of its time. So threads wait for each other only where a step reads or writes
//! what one before it wrote, or writes what that reads: between phases, the supersteps of Valiant, "A Bridging Model for
//! Parallel Computation", 1990. Nothing about it is in a program, whose file anybody may have written: it follows from where
//! the steps' maps lie.

use super::program::Program;
use crate::cpu::AccessSet;
use crate::threads::MAX_STEPS_PER_PHASE;

/// Whether each image has a part of the arena to itself in all steps of `program`, which was checked: no thread that
/// takes some images through all steps meets another that does so with others.
pub(super) fn are_separate(program: &Program) -> bool {
    let mut image = None;
    program.steps.iter().all(|named| {
        named.micro_batch == program.images
            && (named.step.operation().accesses().all()).all(|map| {
                let image = *image.get_or_insert(map.image);
                map.image == image && map.offset + map.extent_of_image() <= image
            })
    })
}

/// Whether all threads wait for each other after each step of `program`, which was checked.
pub(super) fn ends_phase(program: &Program) -> Vec<bool> {
    let accesses: Vec<AccessSet> = (program.steps.iter())
        .map(|named| named.step.operation().accesses())
        .collect();
    let mut ends_phase = vec![true; program.steps.len()];
    let mut first = 0;
    for index in 1..program.steps.len() {
        let [last, next] = [index - 1, index].map(|index| program.steps[index].micro_batch);
        let phase = &accesses[first..index];
        let joins = last == next
            && phase.len() < MAX_STEPS_PER_PHASE
            && phase.iter().all(|step| step.is_disjoint(&accesses[index]));
        ends_phase[index - 1] = !joins;
        if !joins {
            first = index;
        }
    }
    ends_phase
}
