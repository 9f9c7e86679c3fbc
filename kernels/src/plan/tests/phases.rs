//! Threads wait for each other where a step depends on another, and nowhere else.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::sketch::every_step;
use crate::cpu::{Export, Isa, Map};
use crate::plan::{Program, Step, phases};

/// The names of the steps, a phase after the other.
fn names(program: &Program) -> Vec<Vec<&str>> {
    let ends_phase = phases::ends_phase(program);
    let mut all = vec![Vec::new()];
    for (named, ends_phase) in program.steps.iter().zip(ends_phase) {
        all.last_mut().unwrap().push(&*named.name);
        if ends_phase {
            all.push(Vec::new());
        }
    }
    assert_eq!(all.pop(), Some(Vec::new()), "all wait after the last step");
    all
}

#[test]
fn branches_do_not_wait_for_each_other() {
    let (program, _) = every_step(Isa::Scalar, 3);
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
        &["global"],
        &["linear", "pointwise"],
        &["fully connected"],
        &["softmax", "distances"],
        &["output", "output"],
    ];
    assert_eq!(names(&program), expected);
}

/// And a phase is no longer than what a pool keeps account of.
#[test]
fn exports_to_one_array_wait_for_each_other() {
    let (mut program, _) = every_step(Isa::Scalar, 1);
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
    let exports = |program: &Program| -> Vec<usize> {
        let names = names(program);
        let exports = names.iter().filter(|phase| phase[0] == "output");
        exports.map(Vec::len).collect()
    };
    assert_eq!(exports(&program), [8, 8, 4]);
    for named in &mut program.steps {
        if let Step::Export(export) = &mut named.step {
            export.output = 0;
        }
    }
    assert_eq!(exports(&program), [1; 20]);
}

/// Which map it is, however its pixels are counted.
fn place(map: &Map) -> [usize; 3] {
    [map.offset, map.channels, map.slots]
}

/// The maps in what a file says of a step, but for the rows between a separable convolution's two, which are in each
/// thread's own memory.
fn slots(value: &Value) -> BTreeSet<[usize; 3]> {
    if let Ok(map) = Map::deserialize(value) {
        return [place(&map)].into();
    }
    let Value::Object(fields) = value else {
        return BTreeSet::new();
    };
    let mut all: BTreeSet<_> = fields.values().flat_map(slots).collect();
    for own in fields.get("between").into_iter().flat_map(slots) {
        all.remove(&own);
    }
    all
}

#[test]
fn what_a_step_has_is_what_it_touches() {
    let (program, _) = every_step(Isa::Scalar, 3);
    for named in &program.steps {
        let accesses: BTreeSet<_> = named
            .step
            .operation()
            .accesses()
            .all()
            .map(|map| place(&map))
            .collect();
        let mut expected = slots(&serde_json::to_value(&named.step).unwrap());
        // Copies fill a part of a map of 3 by 3 pixels.
        let part = match &*named.name {
            "copy" => Some([0, 24]),
            "concatenate" => Some([24, 20]),
            _ => None,
        };
        if let Some([first, channels]) = part {
            let whole = *expected.iter().find(|[_, all, _]| *all == 44).unwrap();
            let [offset, _, slots] = whole;
            expected.remove(&whole);
            expected.insert([offset + first * 9, channels, slots]);
        }
        assert_eq!(accesses, expected, "{}", named.name);
    }
}
