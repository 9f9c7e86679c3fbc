//! Axes of tests: strategies, and the sources by enumeration of all indices.

use proptest::prelude::*;

use super::super::{Axis, Offsets};
use super::TestMap;
use super::test_map::{Margins, margins};

/// Sources of elements, and maps that have them.
#[derive(Debug, Clone)]
pub(crate) struct AxesProblem {
    /// Map that has all sources.
    pub x: TestMap,
    /// Map with as many elements as the product of the lengths of the outer axes.
    pub y: TestMap,
    pub base: usize,
    pub outer: Vec<Axis>,
    pub inner: Vec<Axis>,
    pub images: usize,
    pub seed: u64,
}

/// The source of each element along `axes`, in row-major order.
pub(crate) fn sources(base: i64, axes: &[Axis]) -> Vec<Option<i64>> {
    let mut all = vec![Some(base)];
    for axis in axes {
        all = (all.iter())
            .flat_map(|sum| {
                (0..axis.length).map(move |index| match &axis.offsets {
                    Offsets::Step(step) => Some((*sum)? + step * index as i64),
                    Offsets::List(list) => Some((*sum)? + i64::from(list[index]?)),
                })
            })
            .collect();
    }
    all
}

/// Strategy for an axis of any steps; a list, if `lists`.
fn any_axes(lists: bool) -> impl Strategy<Value = Axis> {
    let step = prop_oneof![
        Just(0_i64),
        Just(1),
        Just(-1),
        -7..=7_i64,
        prop::sample::select(vec![16_i64, 48, -48, 30])
    ];
    let step = (1..=6_usize, step).prop_map(|(length, step)| Axis::step(length, step));
    let offset = prop_oneof![4 => (0..=60_u32).prop_map(Some), 1 => Just(None)];
    let list = prop::collection::vec(offset, 1..=6).prop_map(Axis::list);
    let lists = u32::from(lists);
    // A weight of 0 is an error.
    prop_oneof![2 => step.clone(), 1 + lists => if lists > 0 { list.boxed() } else { step.boxed() }]
}

/// Strategy for a shape of `elements` elements.
fn shape_of(elements: usize) -> impl Strategy<Value = [usize; 3]> {
    let divisors =
        move |n: usize| -> Vec<usize> { (1..=n).filter(|d| n.is_multiple_of(*d)).collect() };
    prop::sample::select(divisors(elements)).prop_flat_map(move |channels| {
        let area = elements / channels;
        prop::sample::select(divisors(area))
            .prop_map(move |height| [channels, height, area / height])
    })
}

/// Strategy for axes of any steps, which do not fit the shapes of the maps.
fn any_problems(lists: bool, inner: usize) -> impl Strategy<Value = AxesProblem> {
    let axes = (
        prop::collection::vec(any_axes(lists), 0..=4),
        prop::collection::vec(any_axes(false), 0..=inner),
    );
    axes.prop_flat_map(|(outer, inner)| {
        let all = [&outer[..], &inner].concat();
        let found: Vec<i64> = sources(0, &all).into_iter().flatten().collect();
        // An index with the offset `None` has no source, but its axis has other offsets.
        let [mut least, mut most] = [
            found.iter().copied().min().unwrap_or(0).min(0),
            found.iter().copied().max().unwrap_or(0).max(0),
        ];
        for axis in &all {
            if let Offsets::List(list) = &axis.offsets {
                most += list
                    .iter()
                    .flatten()
                    .map(|x| i64::from(*x))
                    .max()
                    .unwrap_or(0);
            }
            if let Offsets::Step(step) = axis.offsets {
                let last = step * (axis.length as i64 - 1);
                least = least.min(least + last.min(0));
                most = most.max(most + last.max(0));
            }
        }
        let elements = outer.iter().map(|axis| axis.length).product();
        let base = (-least) as usize;
        let sizes = (1..=5_usize, 1..=9_usize, 0..=3_usize);
        let x = sizes.prop_map(move |(height, width, extra)| {
            let area = height * width;
            [
                (base + most as usize + 1).div_ceil(area) + extra,
                height,
                width,
            ]
        });
        (x, shape_of(elements), Just((base, outer, inner)), memory())
            .prop_map(|(x, y, axes, memory)| problem(x, y, axes, memory))
    })
}

type MemoryParameters = ([Margins; 2], [bool; 2], usize, u64);

/// Strategy for layouts of both maps, images and seed.
fn memory() -> impl Strategy<Value = MemoryParameters> {
    (
        [margins(), margins()],
        any::<[bool; 2]>(),
        1..=3_usize,
        0..u64::MAX - 9,
    )
}

fn problem(
    x: [usize; 3],
    y: [usize; 3],
    (base, outer, inner): (usize, Vec<Axis>, Vec<Axis>),
    (margins, planar, images, seed): MemoryParameters,
) -> AxesProblem {
    let [x, y] = [(x, 0), (y, 1)].map(|(shape, i)| TestMap {
        planar: planar[i],
        ..TestMap::with_margins(shape, margins[i])
    });
    AxesProblem {
        x,
        y,
        base,
        outer,
        inner,
        images,
        seed,
    }
}

/// Strategy for offsets of `size` elements that are `pitch` apart: all, a slice with any step, the
/// first one repeated, or any list. Returns the axis and the first offset.
fn positions(size: usize, pitch: usize, lists: bool) -> BoxedStrategy<(Axis, usize)> {
    let all = Just((Axis::step(size, pitch as i64), 0));
    let slice = (0..size, 0..size, 1..=3_usize).prop_map(move |(from, to, step)| {
        let length = from.abs_diff(to) / step + 1;
        let sign = if from <= to { 1 } else { -1 };
        let step = sign * (step * pitch) as i64;
        (Axis::step(length, step), from * pitch)
    });
    let repeated = (1..=9_usize).prop_map(|length| (Axis::step(length, 0), 0));
    let index = prop_oneof![4 => (0..size).prop_map(Some), 1 => Just(None)];
    let list = prop::collection::vec(index, 1..=11).prop_map(move |list| {
        let offset = |index: Option<usize>| Some((index? * pitch) as u32);
        (Axis::list(list.into_iter().map(offset).collect()), 0)
    });
    match lists {
        true => prop_oneof![2 => all, 1 => slice, 1 => repeated, 1 => list].boxed(),
        false => prop_oneof![2 => all, 1 => slice, 1 => repeated].boxed(),
    }
}

/// Adjacent axes as one, where their steps permit it.
fn merge(axes: Vec<Axis>) -> Vec<Axis> {
    let mut merged: Vec<Axis> = Vec::new();
    for axis in axes {
        if let Some(last) = merged.last_mut()
            && let (Offsets::Step(outer), Offsets::Step(inner)) = (&last.offsets, &axis.offsets)
            && *outer == inner * axis.length as i64
        {
            *last = Axis::step(last.length * axis.length, *inner);
        } else {
            merged.push(axis);
        }
    }
    merged
}

/// Strategy for rearrangements that keep the axes of the maps: slices, padding, broadcasts. In half
/// of them adjacent axes are merged where possible. A flag for each axis says whether it becomes an
/// inner axis.
fn shaped_problems(lists: bool, inner: bool) -> impl Strategy<Value = AxesProblem> {
    let shape = (1..=37_usize, 1..=6_usize, 1..=9_usize);
    shape.prop_flat_map(move |(channels, height, width)| {
        let area = height * width;
        let identity = Just((Axis::step(channels, area as i64), 0));
        let blocks = (0..channels.div_ceil(16)).prop_map(move |block| {
            let first = 16 * block;
            (Axis::step(channels - first, area as i64), first * area)
        });
        let channel_axis =
            prop_oneof![2 => identity, 1 => blocks, 1 => positions(channels, area, lists)];
        let axes = (
            channel_axis,
            positions(height, width, lists),
            positions(width, 1, lists),
        );
        (axes, any::<bool>(), any::<[bool; 3]>(), memory()).prop_map(
            move |((channel, row, column), merged, is_inner, memory)| {
                let all = [channel, row, column];
                let base = all.iter().map(|(_, first)| first).sum();
                let is_inner = is_inner.map(|is_inner| is_inner && inner);
                let length = |i: usize| if is_inner[i] { 1 } else { all[i].0.length };
                let y = [0, 1, 2].map(length);
                let axes = |wanted: bool| {
                    let axes = (0..3).filter(|i| is_inner[*i] == wanted);
                    let axes = axes.map(|i| all[i].0.clone()).collect();
                    if merged { merge(axes) } else { axes }
                };
                let x = [channels, height, width];
                problem(x, y, (base, axes(false), axes(true)), memory)
            },
        )
    })
}

/// Strategy for problems without inner axes.
pub(crate) fn rearrangements() -> impl Strategy<Value = AxesProblem> {
    prop_oneof![any_problems(true, 0), shaped_problems(true, false)]
}

/// Strategy for problems with inner axes and without lists.
pub(crate) fn reductions() -> impl Strategy<Value = AxesProblem> {
    prop_oneof![any_problems(false, 3), shaped_problems(false, true)]
}
