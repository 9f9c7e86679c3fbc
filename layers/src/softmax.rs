//! The softmax function.

/// Returns the probabilities `exp(x_i) / sum_j exp(x_j)` of the class scores `logits`.
///
/// The largest score is subtracted from every score before the exponential, so that no power
/// overflows; powers and their sum are 64-bit floats. A score that is NaN or positive infinity
/// makes every probability NaN.
///
/// ```
/// let probabilities = receptive_layers::softmax(&[0.0, 0.0]);
/// assert_eq!(probabilities, [0.5, 0.5]);
/// ```
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&logit| (f64::from(logit) - f64::from(largest)).exp())
        .collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / total) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn softmax_of_logarithms_normalizes_their_arguments() {
        let logits = [1.0_f32, 2.0, 5.0].map(|weight| weight.ln() + 800.0);
        for (found, expected) in softmax(&logits).into_iter().zip([0.125, 0.25, 0.625]) {
            assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
        }
        assert!(softmax(&[]).is_empty());
        assert_eq!(softmax(&[f32::NEG_INFINITY, 3.0]), [0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn softmax_sums_to_one_and_preserves_the_order_of_the_logits(
            logits in proptest::collection::vec(-1e4_f32..1e4, 1..300),
        ) {
            let probabilities = softmax(&logits);
            let total: f64 = probabilities.iter().map(|&p| f64::from(p)).sum();
            prop_assert!((total - 1.0).abs() < 1e-5, "{total}");
            for (i, &a) in logits.iter().enumerate() {
                for (j, &b) in logits.iter().enumerate() {
                    prop_assert!(a > b || probabilities[i] <= probabilities[j]);
                }
            }
        }
    }
}
