//! Reductions along any axes.

use serde::{Deserialize, Serialize};

use super::axes::{Axis, Offsets, check_axes};
use super::elements::{Cursor, Elements, Segment};
use super::operation::Operation;
use super::rearrange::zero_unused_lanes;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};

/// A number computed from several numbers. Sums are accumulated in `f64`, so that results are exact
/// to `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reduction {
    /// Sum.
    Sum,
    /// Mean.
    Mean,
    /// Product.
    Product,
    /// Maximum; NaN if any number is.
    Max,
    /// Minimum; NaN if any number is.
    Min,
    /// Sum of absolute values.
    L1,
    /// Square root of the sum of squares.
    L2,
    /// Sum of squares.
    SumOfSquares,
    /// Natural logarithm of the sum.
    LogSum,
    /// Natural logarithm of the sum of the exponentials, which cannot overflow.
    LogSumExp,
}

/// Reduces elements of `x` to each element of `y`.
///
/// The elements of a map are numbered in row-major order of `[channels, height, width]`. The
/// element of `y` with the indices `i0, i1, …` along the outer axes, outermost first, is the
/// reduction of the elements `base + sum of outer offsets + sum of inner offsets` of `x` over all
/// indices along the inner axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reduce {
    x: Map,
    y: Map,
    reduction: Reduction,
    base: usize,
    outer: Vec<Axis>,
    inner: Vec<Axis>,
}

impl Reduce {
    /// Reduces elements of `x` to `y`; either is planar or in blocks of a vector's lanes. The
    /// product of the lengths of the outer axes is the number of elements of `y`. The offsets of
    /// all axes are [`Offsets::Step`]. There are at most 16 outer and 16 inner axes.
    pub fn new(
        x: Map,
        y: Map,
        reduction: Reduction,
        base: usize,
        outer: Vec<Axis>,
        inner: Vec<Axis>,
    ) -> Self {
        Self {
            x,
            y,
            reduction,
            base,
            outer,
            inner,
        }
    }

    /// The reduction of the elements from number `base` on along the inner axes.
    ///
    /// # Safety
    ///
    /// The elements are in a map that is in the arena of `cx`.
    #[inline(always)]
    unsafe fn reduce(&self, cx: &Context, x: &Elements, image: usize, base: usize) -> f32 {
        let count = self.inner.iter().map(|axis| axis.length).product::<usize>();
        macro_rules! fold {
            ($first:expr, |$sum:ident, $value:ident| $next:expr) => {{
                let mut $sum: f64 = $first;
                let mut cursor = Cursor::new(base, &self.inner, 0);
                let mut done = 0;
                while done < count {
                    let (start, _, run) = cursor.run(count - done);
                    let (Offsets::Step(step), Some(mut number)) = (cursor.inner(), start) else {
                        unreachable!("the check refuses lists");
                    };
                    let step = *step as isize;
                    let mut rest = run;
                    while rest > 0 {
                        let Segment { at, stride, count } = x.segment(image, number, step, rest);
                        // SAFETY: as the caller guarantees.
                        unsafe {
                            let from = cx.at(at);
                            for i in 0..count {
                                let $value = f64::from(*from.offset(stride * i as isize));
                                $sum = $next;
                            }
                        }
                        number = number.wrapping_add_signed(step.wrapping_mul(count as isize));
                        rest -= count;
                    }
                    done += run;
                    cursor.advance(run);
                }
                $sum
            }};
        }
        let max = || fold!(f64::NEG_INFINITY, |max, x| maximum(max, x));
        let result = match self.reduction {
            Reduction::Sum => fold!(0.0, |sum, x| sum + x),
            Reduction::Mean => fold!(0.0, |sum, x| sum + x) / count as f64,
            Reduction::Product => fold!(1.0, |product, x| product * x),
            Reduction::Max => max(),
            Reduction::Min => -fold!(f64::NEG_INFINITY, |max, x| maximum(max, -x)),
            Reduction::L1 => fold!(0.0, |sum, x| sum + x.abs()),
            Reduction::L2 => fold!(0.0, |sum, x| sum + x * x).sqrt(),
            Reduction::SumOfSquares => fold!(0.0, |sum, x| sum + x * x),
            Reduction::LogSum => fold!(0.0, |sum, x| sum + x).ln(),
            Reduction::LogSumExp => {
                let max = max();
                // The differences from an infinite maximum would be NaN.
                match max.is_finite() {
                    true => max + fold!(0.0, |sum, x| sum + (x - max).exp()).ln(),
                    false => max,
                }
            }
        };
        result as f32
    }
}

/// Maximum; NaN if either is.
#[inline(always)]
fn maximum(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

impl Operation for Reduce {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            x,
            y,
            base,
            outer,
            inner,
            ..
        } = self;
        memory.any_map(x)?;
        memory.any_map(y)?;
        disjoint(x, y)?;
        let is_step = |axis: &Axis| matches!(axis.offsets, Offsets::Step(_));
        ensure(
            outer.iter().chain(inner).all(is_step),
            "an axis of a reduction has a list",
        )?;
        check_axes(x, *base, outer, inner, y.values())
    }

    unsafe fn run(&self, cx: &Context) {
        let [x, y] = &[&self.x, &self.y].map(|map| cx.at_micro_batch(map));
        let elements = Elements::new(x);
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
                            let cursor = Cursor::new(self.base, &self.outer, first + column);
                            let base = cursor.source().expect("the check refuses lists");
                            *to.add(column * y.lanes + lane) =
                                self.reduce(cx, &elements, image, base);
                        }
                    }
                    zero_unused_lanes(to, y.lanes, channels, y.width);
                }
            }
        }
    }
}
