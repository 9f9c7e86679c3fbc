//! Tests of the gradient, the minimum and the predictions.

use super::*;

/// Vectors around a centre for each class, `spread` away from it.
fn clusters(count: usize, classes: usize, features: usize, spread: f32) -> (VectorSet, Vec<usize>) {
    let mut state = 3_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let centres: Vec<f32> = (0..classes * features).map(|_| random()).collect();
    let class_of: Vec<usize> = (0..count).map(|row| row % classes).collect();
    let values = class_of
        .iter()
        .flat_map(|class| &centres[class * features..][..features]);
    let values: Vec<f32> = values.copied().collect();
    let values = values.into_iter().map(|value| value + spread * random());
    (
        VectorSet::new(values.collect(), features).unwrap(),
        class_of,
    )
}

fn problem(set: &VectorSet, classes: &[usize], count: usize, l2: f64) -> Problem {
    let rows: Vec<usize> = (0..set.len()).collect();
    Problem {
        vectors: Scaling::new(set, &rows).apply(set, &rows),
        features: set.length(),
        classes: classes.to_vec(),
        count,
        l2,
    }
}

#[test]
fn the_gradient_is_that_of_the_loss() {
    let (set, classes) = clusters(23, 3, 5, 1.0);
    let problem = problem(&set, &classes, 3, 0.1);
    let parameters: Vec<f64> = (0..18).map(|i| f64::from(i % 7) * 0.25 - 0.5).collect();
    let (_, gradient) = problem.evaluate(&parameters);
    for index in 0..parameters.len() {
        let loss = |step: f64| {
            let mut moved = parameters.clone();
            moved[index] += step;
            problem.evaluate(&moved).0
        };
        // Steps that float32 represents.
        let slope = (loss(1.0 / 128.0) - loss(-1.0 / 128.0)) * 64.0;
        assert!(
            (slope - gradient[index]).abs() < 1e-4,
            "{slope} and {}",
            gradient[index]
        );
    }
}

#[test]
fn the_gradient_is_zero_at_the_minimum() {
    let (set, classes) = clusters(60, 4, 9, 1.5);
    let problem = problem(&set, &classes, 4, 0.01);
    let parameters = problem.minimize();
    let (loss, gradient) = problem.evaluate(&parameters);
    assert!(
        gradient.iter().all(|element| element.abs() < 1e-4),
        "{gradient:?}"
    );
    // The loss of equal probabilities is ln 4.
    assert!(loss < 1.0, "{loss}");
}

#[test]
fn separate_classes_are_found_and_features_may_have_any_scale() {
    let (set, classes) = clusters(120, 5, 16, 0.4);
    let rows: Vec<usize> = (0..120).collect();
    let fit = |set: &VectorSet| LogisticRegression::fit(set, &rows, &classes, 5, 1.0).unwrap();
    let regression = fit(&set);
    assert!(
        rows.iter()
            .all(|&row| regression.predict(set.vector(row)) == classes[row])
    );
    let scaled: Vec<f32> = rows
        .iter()
        .flat_map(|&row| {
            let features = set.vector(row).iter().enumerate();
            features.map(|(feature, value)| value * 4_f32.powi(feature as i32 - 8) + 1.0)
        })
        .collect();
    let scaled = VectorSet::new(scaled, 16).unwrap();
    let other = fit(&scaled);
    for &row in &rows {
        let (a, b) = (
            regression.logits(set.vector(row)),
            other.logits(scaled.vector(row)),
        );
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() < 0.02, "{a} and {b}");
        }
    }
    let predictions = cross_validate(&set, &classes, 5, 4, 1.0).unwrap();
    let right = predictions
        .iter()
        .zip(&classes)
        .filter(|(a, b)| a == b)
        .count();
    assert!(right >= 114, "{right}");
}

#[test]
fn a_constant_feature_has_no_weight() {
    let values = vec![0.0, 7.0, 1.0, 7.0, 0.1, 7.0, 0.9, 7.0];
    let set = VectorSet::new(values, 2).unwrap();
    let regression = LogisticRegression::fit(&set, &[0, 1, 2, 3], &[0, 1, 0, 1], 2, 1.0);
    let regression = regression.unwrap();
    assert_eq!(
        (regression.weights()[1], regression.weights()[3]),
        (0.0, 0.0)
    );
    assert_eq!(regression.predict(&[0.2, 7.0]), 0);
}

#[test]
fn folds_have_equal_shares_of_classes() {
    let classes: Vec<usize> = (0..100).map(|row| usize::from(row % 10 == 0)).collect();
    let folds = folds_of(&classes, 2, 5);
    for fold in 0..5 {
        let in_fold = |class: usize| {
            (0..100)
                .filter(|&row| folds[row] == fold && classes[row] == class)
                .count()
        };
        assert_eq!((in_fold(0), in_fold(1)), (18, 2));
    }
}

#[test]
fn wrong_classes_are_refused() {
    let (set, classes) = clusters(6, 2, 3, 0.1);
    let fit = |rows: &[usize], classes: &[usize], count| {
        LogisticRegression::fit(&set, rows, classes, count, 1.0).unwrap_err()
    };
    let length = LogisticError::Length {
        found: 5,
        vectors: 6,
    };
    assert_eq!(fit(&[0, 1], &classes[..5], 2), length);
    assert_eq!(
        fit(&[0, 1], &classes, 1),
        LogisticError::Class {
            found: 1,
            classes: 1
        }
    );
    let few = LogisticError::TooFew {
        vectors: 1,
        classes: 2,
    };
    assert_eq!(fit(&[0], &classes, 2), few);
}
