//! Tests of output sizes, padding and receptive fields against enumerated windows.

use proptest::prelude::*;
use receptive_kernels::geometry::{GeometryError, Padding, ReceptiveField, Rounding, Window};

fn rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![Just(Rounding::Floor), Just(Rounding::Ceil)]
}

fn explicit() -> impl Strategy<Value = Padding> {
    (0..7_usize, 0..7_usize).prop_map(|(before, after)| Padding::Explicit { before, after })
}

fn window(padding: impl Strategy<Value = Padding>) -> impl Strategy<Value = Window> {
    (1..9_usize, 1..7_usize, padding, 1..4_usize, rounding()).prop_map(
        |(kernel, stride, padding, dilation, rounding)| Window {
            kernel,
            stride,
            padding,
            dilation,
            rounding,
        },
    )
}

fn any_length() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..4_usize,
        any::<usize>(),
        (0..4_usize).prop_map(|n| usize::MAX - n),
        (0..4_usize).prop_map(|n| usize::MAX / 2 + n),
    ]
}

fn any_window() -> impl Strategy<Value = Window> {
    let padding = prop_oneof![
        (any_length(), any_length())
            .prop_map(|(before, after)| Padding::Explicit { before, after }),
        Just(Padding::Same),
        Just(Padding::Valid),
    ];
    (
        any_length(),
        any_length(),
        padding,
        any_length(),
        rounding(),
    )
        .prop_map(|(kernel, stride, padding, dilation, rounding)| Window {
            kernel,
            stride,
            padding,
            dilation,
            rounding,
        })
}

/// The last position that a window starting at `start` reads.
fn last_read(window: &Window, start: usize) -> usize {
    (0..window.kernel)
        .map(|tap| start + tap * window.dilation)
        .max()
        .unwrap()
}

/// Number of windows that lie entirely within `padded` positions.
fn count_floor(window: &Window, padded: usize) -> usize {
    (0..)
        .step_by(window.stride)
        .take_while(|&start| last_read(window, start) < padded)
        .count()
}

/// Number of windows up to the first that reaches the end of the padded input, which may exceed the end
/// by less than a stride. The last window does not count if it starts after the input.
fn count_ceil(window: &Window, input: usize, before: usize, padded: usize) -> usize {
    let mut starts = Vec::new();
    for start in (0..).step_by(window.stride) {
        let end = last_read(window, start) + 1;
        if end >= padded + window.stride {
            break;
        }
        starts.push(start);
        if end >= padded {
            break;
        }
    }
    if starts.last().is_some_and(|&start| start >= before + input) {
        starts.pop();
    }
    starts.len()
}

proptest! {
    #[test]
    fn output_equals_the_number_of_windows(window in window(explicit()), input in 1..60_usize) {
        let Padding::Explicit { before, after } = window.padding else { unreachable!() };
        let padded = before + input + after;
        let counted = match window.rounding {
            Rounding::Floor => count_floor(&window, padded),
            Rounding::Ceil => count_ceil(&window, input, before, padded),
        };
        let expected = if counted > 0 {
            Ok(counted)
        } else {
            Err(GeometryError::DoesNotFit {
                input,
                before,
                after,
                window: last_read(&window, 0) + 1,
            })
        };
        prop_assert_eq!(window.output(input), expected);
    }

    #[test]
    fn seen_positions_equal_covered_positions(
        window in window(explicit()),
        input in 1..60_usize,
        first in 0..20_usize,
        count in 0..4_usize,
    ) {
        let Padding::Explicit { before, .. } = window.padding else { unreachable!() };
        let covered: Vec<usize> = (first..first + count)
            .map(|output| output * window.stride)
            .flat_map(|start| start..=last_read(&window, start))
            .filter_map(|position| position.checked_sub(before))
            .filter(|&position| position < input)
            .collect();
        let seen = window.seen(first..first + count, input).unwrap();
        match (covered.iter().min(), covered.iter().max()) {
            (Some(&low), Some(&high)) => prop_assert_eq!(seen, low..high + 1),
            _ => prop_assert!(seen.is_empty()),
        }
    }

    #[test]
    fn valid_padding_equals_no_padding(window in window(Just(Padding::Valid)), input in 1..60_usize) {
        let explicit = Window { padding: Padding::symmetric(0), ..window };
        prop_assert_eq!(window.output(input), explicit.output(input));
    }

    #[test]
    fn same_padding_is_minimal(
        window in window(Just(Padding::Same)),
        input in 1..60_usize,
    ) {
        let starts = (0..input).step_by(window.stride).count();
        prop_assert_eq!(window.output(input), Ok(starts));

        let (before, after) = window.padding_around(input).unwrap();
        prop_assert!(after == before || after == before + 1);
        prop_assert!(count_floor(&window, before + input + after) == starts);
        if after > 0 {
            prop_assert!(count_floor(&window, before + input + after - 1) < starts);
        }
    }

    #[test]
    fn receptive_field_equals_enumerated_taps(
        windows in prop::collection::vec(window(explicit()), 0..4),
    ) {
        let input_positions = |output: isize| {
            windows.iter().rev().fold(vec![output], |outputs, window| {
                let Padding::Explicit { before, .. } = window.padding else { unreachable!() };
                let mut inputs: Vec<isize> = outputs
                    .iter()
                    .flat_map(|output| {
                        let start = output * window.stride as isize - before as isize;
                        (0..window.kernel).map(move |tap| start + (tap * window.dilation) as isize)
                    })
                    .collect();
                inputs.sort_unstable();
                inputs.dedup();
                inputs
            })
        };
        let (first, second) = (input_positions(0), input_positions(1));
        let (start, end) = (first[0], first[first.len() - 1]);

        let (field, output) = ReceptiveField::of_stack(&windows, 100_000).unwrap();
        prop_assert_eq!(field.size as isize, end - start + 1);
        prop_assert_eq!(field.padding as isize, -start);
        prop_assert_eq!(field.jump as isize, second[0] - start);

        let sizes = windows
            .iter()
            .try_fold(100_000, |input, window| window.output(input));
        prop_assert_eq!(sizes, Ok(output));
    }

    #[test]
    fn union_covers_both(
        left in prop::collection::vec(window(explicit()), 0..3),
        right in prop::collection::vec(window(explicit()), 0..3),
    ) {
        let (left, _) = ReceptiveField::of_stack(&left, 100_000).unwrap();
        let (right, _) = ReceptiveField::of_stack(&right, 100_000).unwrap();
        let union = left.union(right).unwrap();
        let start = |f: ReceptiveField| -(f.padding as isize);
        let end = |f: ReceptiveField| f.size as isize - f.padding as isize;
        prop_assert_eq!(start(union), start(left).min(start(right)));
        prop_assert_eq!(end(union), end(left).max(end(right)));
        prop_assert_eq!(right.union(left), Ok(union));
    }

    #[test]
    fn arbitrary_lengths_do_not_panic(
        windows in prop::collection::vec(any_window(), 1..4),
        input in any_length(),
    ) {
        for window in &windows {
            let lengths = [window.kernel, window.stride, window.dilation, input];
            let output = window.output(input);
            if lengths.contains(&0) {
                prop_assert!(output.is_err(), "{:?}", output);
            }
            prop_assert_ne!(output, Ok(0));
            if let Ok(seen) = window.seen(0..3, input) {
                prop_assert!(seen.end <= input);
            }
        }
        if let Ok((field, _)) = ReceptiveField::of_stack(&windows, input) {
            let _ = field.union(ReceptiveField { size: usize::MAX, ..field });
        }
    }
}

#[test]
fn published_sizes() {
    let out = |window: Window, input| window.output(input).unwrap();
    let ceil = |kernel, stride| Window {
        stride,
        rounding: Rounding::Ceil,
        ..Window::new(kernel)
    };
    // AlexNet: 227 to 55 to 27 to 13 to 6.
    let conv1 = Window {
        stride: 4,
        ..Window::new(11)
    };
    let pool = Window {
        stride: 2,
        ..Window::new(3)
    };
    assert_eq!([227, 55, 27, 13].map(|n| out(pool, n))[1..], [27, 13, 6]);
    assert_eq!(out(conv1, 227), 55);
    // GoogLeNet (table 1): every pool halves the size of its input, 112 to 7.
    assert_eq!(
        [112, 56, 28, 14].map(|n| out(ceil(3, 2), n)),
        [56, 28, 14, 7]
    );
    // ResNet's stem: 224 to 112.
    let stem = Window {
        stride: 2,
        padding: Padding::symmetric(3),
        ..Window::new(7)
    };
    assert_eq!(out(stem, 224), 112);
}

#[test]
fn vgg16_receptive_field() {
    let conv = Window {
        padding: Padding::symmetric(1),
        ..Window::new(3)
    };
    let pool = Window {
        stride: 2,
        ..Window::new(2)
    };
    let windows: Vec<Window> = [2, 2, 3, 3, 3]
        .into_iter()
        .flat_map(|convs| std::iter::repeat_n(conv, convs).chain([pool]))
        .collect();
    let (field, side) = ReceptiveField::of_stack(&windows, 224).unwrap();
    assert_eq!((field.size, field.jump, side), (212, 32, 7));
}

#[test]
fn error_messages() {
    let wide = Window {
        padding: Padding::symmetric(1),
        dilation: 2,
        ..Window::new(4)
    };
    assert_eq!(
        wide.output(3).unwrap_err().to_string(),
        "a window of 7 does not fit an input of 3 padded by 1 before and 1 after"
    );
    let zero_stride = Window {
        stride: 0,
        ..Window::new(3)
    };
    assert_eq!(
        zero_stride.output(3).unwrap_err().to_string(),
        "stride is 0, expected at least 1"
    );
    assert_eq!(
        Window::new(3).output(0),
        Err(GeometryError::Zero { length: "input" })
    );
}
