//! Ranking of classes by probability.

/// Returns the `k` most probable classes and their probabilities, most probable first.
///
/// Classes of equal probability keep the order of their indices, and NaN comes last. A `k` above
/// the number of classes returns all of them.
pub fn top_k(probabilities: &[f32], k: usize) -> Vec<(usize, f32)> {
    let mut ranking: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
    ranking.sort_by(|(_, a), (_, b)| a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(a)));
    ranking.truncate(k);
    ranking
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_probabilities_keep_the_order_of_classes() {
        assert_eq!(
            top_k(&[0.25, 0.5, 0.25, 0.0], 3),
            [(1, 0.5), (0, 0.25), (2, 0.25)]
        );
        assert_eq!(top_k(&[0.0, -0.0, 1.0], 9).len(), 3);
        assert_eq!(top_k(&[f32::NAN, 0.1, 0.2], 2), [(2, 0.2), (1, 0.1)]);
    }

    proptest! {
        #[test]
        fn top_k_is_sorted_and_omits_no_better_class(
            probabilities in proptest::collection::vec(
                prop_oneof![9 => any::<f32>(), 1 => Just(f32::NAN)],
                0..60,
            ),
            k in 0_usize..80,
        ) {
            let top = top_k(&probabilities, k);
            prop_assert_eq!(top.len(), k.min(probabilities.len()));
            for &(class, probability) in &top {
                prop_assert_eq!(probability.to_bits(), probabilities[class].to_bits());
            }
            for pair in top.windows(2) {
                let (better, worse) = (pair[0].1, pair[1].1);
                prop_assert!(worse.is_nan() || better >= worse);
            }
            if let Some(&(_, last)) = top.last() {
                for (class, &probability) in probabilities.iter().enumerate() {
                    let inside = top.iter().any(|&(index, _)| index == class);
                    prop_assert!(inside || last >= probability || probability.is_nan());
                }
            }
        }
    }
}
