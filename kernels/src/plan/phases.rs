//! Phases: groups of consecutive steps that do not wait for each other.
//!
//! GoogLeNet's Inception branches are some thirty short convolutions; a synchronization after each
//! would take a twentieth of the network's time. A phase ends only before a step that reads or writes
//! memory that a step of the phase wrote, or that writes memory that such a step read. Phases are the
//! supersteps of Valiant, "A Bridging Model for Parallel Computation", 1990. Phases are derived
//! from the offsets of the maps and are not stored in program files, so that a forged file cannot cause
//! data races.

use super::program::Program;
use crate::cpu::AccessSet;
use crate::threads::MAX_STEPS_PER_PHASE;

/// Whether every image has its own region of the arena in all steps of the checked `program`, so
/// that threads can run all steps on different images without waiting for each other.
pub(super) fn are_separate(program: &Program) -> bool {
    let mut image = None;
    program.steps.iter().all(|program_step| {
        program_step.micro_batch == program.images
            && (program_step.step.operation().accesses().all()).all(|map| {
                let image = *image.get_or_insert(map.image);
                map.image == image && map.offset + map.extent_of_image() <= image
            })
    })
}

/// For each step of the checked `program`, whether it is the last one of a phase.
pub(super) fn ends_phase(program: &Program) -> Vec<bool> {
    let accesses: Vec<AccessSet> = (program.steps.iter())
        .map(|program_step| program_step.step.operation().accesses())
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
