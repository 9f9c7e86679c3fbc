//! Phases separate steps that conflict, and only these.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::program_builder::program_with_every_step;
use crate::cpu::{Export, Isa, Map};
use crate::plan::{Program, Step, phases};

/// Returns the names of the steps of each phase.
fn phase_names(program: &Program) -> Vec<Vec<&str>> {
    let ends_phase = phases::ends_phase(program);
    let mut all = vec![Vec::new()];
    for (program_step, ends_phase) in program.steps.iter().zip(ends_phase) {
        all.last_mut().unwrap().push(&*program_step.name);
        if ends_phase {
            all.push(Vec::new());
        }
    }
    assert_eq!(all.pop(), Some(Vec::new()), "the last step ends a phase");
    all
}

#[test]
fn independent_branches_share_a_phase() {
    let (program, _) = program_with_every_step(Isa::Scalar, 3);
    let expected: &[&[&str]] = &[
        &["input"],
        &["direct"],
        &["winograd"],
        &["depthwise", "separable"],
        &["max"],
        &["mean"],
        &["lrn"],
        &["add"],
        &["tanh", "adaptive"],
        &["copy", "concatenate"],
        &["global", "flip"],
        &["reverse", "resample"],
        &["softplus", "reduce"],
        &["maxima", "lengths", "contract"],
        &["matrix"],
        &["gather", "constant", "gate"],
        &["of gated", "combine"],
        &["combine"],
        &["combine"],
        &["combine"],
        &["combine"],
        &["combine"],
        &["linear", "pointwise"],
        &["fully connected"],
        &["softmax", "distances"],
        &["output", "output"],
    ];
    assert_eq!(phase_names(&program), expected);
}

/// Exports to different arrays share phases of at most `MAX_STEPS_PER_PHASE` steps. Each export to
/// the same array is a phase.
#[test]
fn exports_to_one_array_are_separate_phases() {
    let (mut program, _) = program_with_every_step(Isa::Scalar, 1);
    let last = program.steps.last().unwrap().clone();
    let Step::Export(Export { x, .. }) = last.step else {
        panic!("the last step is an export");
    };
    program.outputs = vec![[10, 1, 1]; 20];
    for output in 2..20 {
        let mut next = last.clone();
        next.step = Step::Export(Export { x, output });
        program.steps.push(next);
    }
    let export_phases = |program: &Program| -> Vec<usize> {
        let names = phase_names(program);
        let exports = names.iter().filter(|phase| phase[0] == "output");
        exports.map(Vec::len).collect()
    };
    assert_eq!(export_phases(&program), [8, 8, 4]);
    for program_step in &mut program.steps {
        if let Step::Export(export) = &mut program_step.step {
            export.output = 0;
        }
    }
    assert_eq!(export_phases(&program), [1; 20]);
}

/// Identifies a map by offset, channels and slots, which flattening of pixels does not change.
fn map_id(map: &Map) -> [usize; 3] {
    [map.offset, map.channels, map.slots]
}

/// Returns the maps in the serialized form of a step, except the intermediate rows of a separable
/// convolution, which lie in scratch memory.
fn serialized_maps(value: &Value) -> BTreeSet<[usize; 3]> {
    if let Ok(map) = Map::deserialize(value) {
        return [map_id(&map)].into();
    }
    let Value::Object(fields) = value else {
        return BTreeSet::new();
    };
    let mut all: BTreeSet<_> = fields.values().flat_map(serialized_maps).collect();
    for scratch_map in fields.get("between").into_iter().flat_map(serialized_maps) {
        all.remove(&scratch_map);
    }
    all
}

#[test]
fn a_step_accesses_exactly_the_maps_that_it_contains() {
    let (program, _) = program_with_every_step(Isa::Scalar, 3);
    for program_step in &program.steps {
        let accesses: BTreeSet<_> = program_step
            .step
            .operation()
            .accesses()
            .all()
            .map(|map| map_id(&map))
            .collect();
        let mut expected = serialized_maps(&serde_json::to_value(&program_step.step).unwrap());
        // A copy accesses only some channels of its output map of 3x3 pixels.
        let copied = match &*program_step.name {
            "copy" => Some([0, 24]),
            "concatenate" => Some([24, 20]),
            _ => None,
        };
        if let Some([first, channels]) = copied {
            let whole = *expected.iter().find(|[_, all, _]| *all == 44).unwrap();
            let [offset, _, slots] = whole;
            expected.remove(&whole);
            expected.insert([offset + first * 9, channels, slots]);
        }
        assert_eq!(accesses, expected, "{}", program_step.name);
    }
}
