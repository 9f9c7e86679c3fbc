//! Products of two maps, summed along any axes.

use serde::{Deserialize, Serialize};

use super::axes::{check_lengths, check_sources, range_of_step};
use super::elements::Elements;
use super::operation::Operation;
use super::rearrange::zero_unused_lanes;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};

/// An axis of a [`Contract`] step: distances of the elements of both factors along it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractAxis {
    /// Number of indices, at least 1.
    pub length: usize,
    /// Distance of the elements of adjacent indices in `a` and in `b`; 0 if the element does not
    /// depend on the index.
    pub steps: [i64; 2],
}

/// Sums products of elements of two maps that both depend on the input: matrix products in batches,
/// of any transposition.
///
/// The elements of a map are numbered in row-major order of `[channels, height, width]`. An element
/// of `y` has an index along each outer axis, outermost first. The element is the sum, over all
/// indices along the inner axes, of the products of the elements of `a` and `b` whose number is the
/// base of the map plus, for each axis, the index times the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    a: Map,
    b: Map,
    y: Map,
    outer: Vec<ContractAxis>,
    inner: Vec<ContractAxis>,
    base: [usize; 2],
}

impl Contract {
    /// Products of elements of `a` and `b` to `y`; each is planar or in blocks of a vector's lanes.
    /// The product of the lengths of the outer axes is the number of elements of `y`. There are at
    /// most 16 outer and 16 inner axes.
    pub fn new(
        [a, b]: [Map; 2],
        y: Map,
        outer: Vec<ContractAxis>,
        inner: Vec<ContractAxis>,
        base: [usize; 2],
    ) -> Self {
        Self {
            a,
            b,
            y,
            outer,
            inner,
            base,
        }
    }
}

/// Adds the steps of index number `index` along `axes` to the numbers of both factors.
#[inline(always)]
fn add_steps(axes: &[ContractAxis], mut index: usize, numbers: &mut [usize; 2]) {
    for axis in axes.iter().rev() {
        let along = (index % axis.length) as isize;
        index /= axis.length;
        for (number, step) in numbers.iter_mut().zip(axis.steps) {
            *number = number.wrapping_add_signed((step as isize).wrapping_mul(along));
        }
    }
}

impl Operation for Contract {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.a, &self.b], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            a,
            b,
            y,
            outer,
            inner,
            base,
        } = self;
        memory.any_map(y)?;
        let elements = check_lengths(outer.iter().map(|axis| axis.length))?;
        ensure(
            elements == y.values(),
            "the axes do not have as many elements as the output",
        )?;
        check_lengths(inner.iter().map(|axis| axis.length))?;
        for (map, index) in [(a, 0), (b, 1)] {
            memory.any_map(map)?;
            disjoint(map, y)?;
            let axes = outer.iter().chain(inner);
            let ranges = axes.map(|axis| range_of_step(axis.length, axis.steps[index]));
            check_sources(map, base[index], ranges)?;
        }
        Ok(())
    }

    unsafe fn run(&self, cx: &Context) {
        let [a, b, y] = &[&self.a, &self.b, &self.y].map(|map| cx.at_micro_batch(map));
        let [a, b] = [Elements::new(a), Elements::new(b)];
        let terms = self.inner.iter().map(|axis| axis.length).product::<usize>();
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            let channels = y.lanes.min(y.channels - block * y.lanes);
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    for lane in 0..channels {
                        let first = ((block * y.lanes + lane) * y.height + row) * y.width;
                        for column in 0..y.width {
                            let mut base = self.base;
                            add_steps(&self.outer, first + column, &mut base);
                            let mut sum = 0.0;
                            for term in 0..terms {
                                let mut numbers = base;
                                add_steps(&self.inner, term, &mut numbers);
                                sum += *cx.at(a.at(image, numbers[0]))
                                    * *cx.at(b.at(image, numbers[1]));
                            }
                            *to.add(column * y.lanes + lane) = sum;
                        }
                    }
                    zero_unused_lanes(to, y.lanes, channels, y.width);
                }
            }
        }
    }
}
