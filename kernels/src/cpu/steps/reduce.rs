//! Reductions along any axes.

use serde::{Deserialize, Serialize};

use super::axes::{Axis, Offsets, by_channel, check_axes, merged, plane};
use super::elements::{Cursor, Elements, Segment};
use super::operation::Operation;
use super::rearrange::zero_unused_lanes;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};
use crate::cpu::micro::accumulate::{AccumulateArgs, AccumulateFn, Accumulation, maximum};
use crate::cpu::micro::simd::MAX_LANES;

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
        let (outer, inner) = (by_channel(&x, &y, outer), merged(inner));
        Self {
            x,
            y,
            reduction,
            base,
            outer,
            inner,
        }
    }

    /// Numbers that are reduced to each element of the output.
    #[inline(always)]
    fn count(&self) -> usize {
        let mut count = 1;
        for axis in 0..self.inner.len() {
            count *= self.inner[axis].length;
        }
        count
    }

    /// The accumulated numbers and their function that the vectorized kernel computes.
    fn accumulation(&self) -> Option<Accumulation> {
        Some(match self.reduction {
            Reduction::Sum | Reduction::Mean | Reduction::LogSum => Accumulation::Sum,
            Reduction::L1 => Accumulation::Magnitudes,
            Reduction::L2 | Reduction::SumOfSquares => Accumulation::Squares,
            Reduction::Product => Accumulation::Product,
            Reduction::Max => Accumulation::Max,
            Reduction::Min => Accumulation::Min,
            Reduction::LogSumExp => return None,
        })
    }

    /// The result of accumulated numbers.
    #[inline(always)]
    fn finish(&self, sum: f64) -> f32 {
        let result = match self.reduction {
            Reduction::Mean => sum / self.count() as f64,
            Reduction::L2 => sum.sqrt(),
            Reduction::LogSum => sum.ln(),
            _ => sum,
        };
        result as f32
    }

    /// Accumulates vectors: elements from number `base` on along `axes`, and the lanes after each.
    ///
    /// # Safety
    ///
    /// The elements and lanes are in a map that is in the arena of `cx`.
    unsafe fn accumulate(
        cx: &Context,
        (function, x, image): (AccumulateFn, &Elements, usize),
        base: usize,
        axes: &[Axis],
        sums: &mut [f64; MAX_LANES],
    ) {
        let mut rest: usize = axes.iter().map(|axis| axis.length).product();
        let mut cursor = Cursor::new(base, axes, 0);
        while rest > 0 {
            let (start, _, run) = cursor.run(rest);
            let (Offsets::Step(step), Some(mut number)) = (cursor.inner(), start) else {
                unreachable!("the check refuses lists");
            };
            let step = *step as isize;
            let mut left = run;
            while left > 0 {
                let Segment { at, stride, count } = x.segment(image, number, step, left);
                // SAFETY: as the caller guarantees.
                unsafe {
                    function(&AccumulateArgs {
                        x: cx.at(at),
                        stride,
                        count,
                        sums,
                    });
                }
                number = number.wrapping_add_signed(step.wrapping_mul(count as isize));
                left -= count;
            }
            rest -= run;
            cursor.advance(run);
        }
    }

    /// The inner axes without the first, if it walks through channels, all blocks but perhaps the
    /// last of which are whole, and the others stay in the pixels.
    fn channel_axis(&self, x: &Map) -> Option<&[Axis]> {
        let (channels, pixels) = self.inner.split_first()?;
        let area = x.height * x.width;
        let mut range = [0; 2];
        for axis in self.outer.iter().chain(pixels) {
            for (sum, offset) in range.iter_mut().zip(axis.range()) {
                *sum += offset;
            }
        }
        let base = self.base % area;
        let fits = x.lanes > 1
            && self.base / area == 0
            && channels.offsets == Offsets::Step(area as i64)
            && channels.length > 1
            && range[0] + base as i128 >= 0
            && range[1] + (base as i128) < area as i128;
        fits.then_some(pixels)
    }

    /// The reduction of the elements from number `base` on along the inner axes.
    ///
    /// # Safety
    ///
    /// The elements are in a map that is in the arena of `cx`.
    #[inline(always)]
    unsafe fn reduce(&self, cx: &Context, x: &Elements, image: usize, base: usize) -> f32 {
        let count = self.count();
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
        let sum = match self.reduction {
            Reduction::Sum | Reduction::Mean | Reduction::LogSum => fold!(0.0, |sum, x| sum + x),
            Reduction::Product => fold!(1.0, |product, x| product * x),
            Reduction::Max => max(),
            Reduction::Min => -fold!(f64::NEG_INFINITY, |max, x| maximum(max, -x)),
            Reduction::L1 => fold!(0.0, |sum, x| sum + x.abs()),
            Reduction::L2 | Reduction::SumOfSquares => fold!(0.0, |sum, x| sum + x * x),
            Reduction::LogSumExp => {
                let max = max();
                // The differences from an infinite maximum would be NaN.
                match max.is_finite() {
                    true => max + fold!(0.0, |sum, x| sum + (x - max).exp()).ln(),
                    false => max,
                }
            }
        };
        self.finish(sum)
    }
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
        let accumulation = self.accumulation();
        let function = accumulation.map(|accumulation| cx.kernels.accumulate.get(accumulation));
        let plane = match function {
            Some(function) => {
                plane([x, y], self.base, &self.outer, &self.inner).map(|plane| (function, plane))
            }
            None => None,
        };
        let across = match (function, self.channel_axis(x)) {
            (Some(function), Some(pixels)) => Some((function, pixels)),
            _ => None,
        };
        let first_sum = accumulation.map_or(0.0, Accumulation::first);
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            let first_channel = block * y.lanes;
            let channels = y.lanes.min(y.channels - first_channel);
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    if let Some((function, (first, base, pixels))) = plane {
                        let from = (first + first_channel) * x.height * x.width + base;
                        let mut cursor = Cursor::new(from, pixels, row * y.width);
                        for column in 0..y.width {
                            let mut sums = [first_sum; MAX_LANES];
                            let base = cursor.source().expect("the check refuses lists");
                            let x = (function, &elements, image);
                            Self::accumulate(cx, x, base, &self.inner, &mut sums);
                            for lane in 0..channels {
                                *to.add(column * y.lanes + lane) = self.finish(sums[lane]);
                            }
                            cursor.advance(1);
                        }
                        zero_unused_lanes(to, y.lanes, channels, y.width);
                        continue;
                    }
                    for lane in 0..channels {
                        let first = ((first_channel + lane) * y.height + row) * y.width;
                        let mut cursor = Cursor::new(self.base, &self.outer, first);
                        for column in 0..y.width {
                            let base = cursor.source().expect("the check refuses lists");
                            let result = match across {
                                Some((function, pixels)) => {
                                    let length = self.inner[0].length;
                                    let sum = reduce_channels(
                                        cx,
                                        (function, &elements, image),
                                        (base, pixels),
                                        (length, x),
                                        (first_sum, accumulation),
                                    );
                                    self.finish(sum)
                                }
                                None => self.reduce(cx, &elements, image, base),
                            };
                            *to.add(column * y.lanes + lane) = result;
                            cursor.advance(1);
                        }
                    }
                    zero_unused_lanes(to, y.lanes, channels, y.width);
                }
            }
        }
    }
}

/// Accumulates the first `length` channels of `x` in all `pixels`, a vector at a time.
///
/// # Safety
///
/// The elements are in a map that is in the arena of `cx`.
unsafe fn reduce_channels(
    cx: &Context,
    (function, elements, image): (AccumulateFn, &Elements, usize),
    (base, pixels): (usize, &[Axis]),
    (length, x): (usize, &Map),
    (first_sum, accumulation): (f64, Option<Accumulation>),
) -> f64 {
    let area = x.height * x.width;
    let mut total = first_sum;
    let mut block = 0;
    while block * x.lanes < length {
        let mut sums = [first_sum; MAX_LANES];
        let base = base + block * x.lanes * area;
        let whole = length / x.lanes - block;
        // SAFETY: as the caller guarantees.
        unsafe {
            if pixels.is_empty() && whole > 0 {
                function(&AccumulateArgs {
                    x: cx.at(elements.at(image, base)),
                    stride: x.block as isize,
                    count: whole,
                    sums: &raw mut sums,
                });
                block += whole - 1;
            } else {
                Reduce::accumulate(cx, (function, elements, image), base, pixels, &mut sums);
            }
        }
        for sum in &sums[..x.lanes.min(length - block * x.lanes)] {
            total = accumulation.map_or(0.0, |accumulation| accumulation.combine(total, *sum));
        }
        block += 1;
    }
    total
}
