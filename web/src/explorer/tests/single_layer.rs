//! Single layers against a direct computation of every window.

use proptest::prelude::*;

use super::{assert_explained, explained_value, unit};
use crate::arithmetic::SlidingWindow;
use crate::chain::PoolKind;
use crate::error::Error;
use crate::explorer::Explorer;

/// Computes the output at `[row, column]`: `fold` reduces the values of the window, each with the
/// index of its tap, without the padding.
fn expected(
    picture: &[f32],
    [input, kernel, stride, padding, dilation]: [usize; 5],
    [row, column]: [usize; 2],
    fold: impl Fn(Vec<(usize, f32)>) -> f64,
) -> f64 {
    let mut taps = Vec::new();
    for tap in 0..kernel * kernel {
        let y = (row * stride + tap / kernel * dilation).checked_sub(padding);
        let x = (column * stride + tap % kernel * dilation).checked_sub(padding);
        if let (Some(y), Some(x)) = (y.filter(|&y| y < input), x.filter(|&x| x < input)) {
            taps.push((tap, picture[y * input + x]));
        }
    }
    fold(taps)
}

fn sliding(sizes: [usize; 5]) -> Result<SlidingWindow, Error> {
    let [input, kernel, stride, padding, dilation] = sizes.map(|size| size as f64);
    SlidingWindow::new(input, kernel, stride, padding, dilation)
}

/// Runs the layer and compares each value and its explanation with the direct computation.
fn check(
    mut explorer: Explorer,
    picture: &[f32],
    sizes: [usize; 5],
    fold: impl Fn(Vec<(usize, f32)>) -> f64,
) {
    explorer.run(picture).unwrap();
    let info = explorer.layers().nth(1).unwrap().clone();
    for index in 0..info.len() {
        let unit = unit(&info, index);
        assert_explained(&explorer, unit);
        let explanation = explorer.explain(unit).unwrap();
        let value = expected(picture, sizes, [unit.row, unit.column], &fold);
        assert!(
            (explained_value(&explanation) - value).abs() < 1e-5,
            "{} {unit:?}: {explanation:?}, expected {value}",
            info.label
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn convolutions_match_the_direct_computation(
        input in 1_usize..=16, kernel in 1_usize..=7, stride in 1_usize..=4,
        padding in 0_usize..=4, dilation in 1_usize..=4,
        ink in proptest::collection::vec(0.0_f32..=1.0, 256),
        weights in proptest::collection::vec(-1.0_f32..=1.0, 49),
    ) {
        let sizes = [input, kernel, stride, padding, dilation];
        let Ok(sliding) = sliding(sizes) else {
            return Ok(());
        };
        let weights = &weights[..kernel * kernel];
        let explorer = Explorer::convolution(sliding, weights).unwrap();
        check(explorer, &ink[..input * input], sizes, |taps| {
            taps.iter().map(|&(tap, ink)| f64::from(ink) * f64::from(weights[tap])).sum()
        });
    }

    #[test]
    fn pools_match_the_direct_computation(
        input in 1_usize..=16, kernel in 1_usize..=7, stride in 1_usize..=4, padding in 0_usize..=4,
        ink in proptest::collection::vec(0.0_f32..=1.0, 256),
    ) {
        let sizes = [input, kernel, stride, padding, 1];
        let Ok(sliding) = sliding(sizes) else {
            return Ok(());
        };
        let picture = &ink[..input * input];
        for pool in [PoolKind::Max, PoolKind::Average] {
            match Explorer::pool(pool, sliding) {
                Ok(explorer) => {
                    prop_assert_eq!(explorer.layers().nth(1).unwrap().pool, Some(pool));
                    check(explorer, picture, sizes, |taps| {
                        let values = taps.iter().map(|&(_, ink)| f64::from(ink));
                        match pool {
                            PoolKind::Max => values.fold(f64::MIN, f64::max),
                            PoolKind::Average => values.sum::<f64>() / taps.len() as f64,
                        }
                    });
                }
                Err(error) => {
                    let rejected = matches!(error, Error::PoolPadding { .. });
                    prop_assert!(rejected && padding > kernel / 2, "{error}");
                }
            }
        }
    }
}

#[test]
fn invalid_settings_are_errors() {
    let window = sliding([7, 3, 1, 2, 1]).unwrap();
    let message = |explorer: Result<Explorer, Error>| explorer.err().unwrap().to_string();
    assert_eq!(
        message(Explorer::pool(PoolKind::Max, window)),
        "the pool's padding is 2, expected at most half of its kernel size 3"
    );
    assert_eq!(
        message(Explorer::convolution(window, &[1.0; 8])),
        "the kernel has 8 values, expected 9"
    );
    let gaps = sliding([7, 3, 1, 1, 2]).unwrap();
    assert_eq!(
        message(Explorer::pool(PoolKind::Average, gaps)),
        "the pool's dilation is 2, expected 1"
    );
}

#[test]
fn identity_pools_are_explained() {
    let sizes = [3, 1, 1, 0, 1];
    let picture: Vec<f32> = (0_u8..9).map(|i| f32::from(i) / 9.0).collect();
    for pool in [PoolKind::Max, PoolKind::Average] {
        let explorer = Explorer::pool(pool, sliding(sizes).unwrap()).unwrap();
        let info = explorer.layers().nth(1).unwrap();
        assert_eq!((info.pool, info.kernel), (Some(pool), Some([1, 1])));
        check(explorer, &picture, sizes, |taps| f64::from(taps[0].1));
    }
}
