//! Tests of sets of vectors against complete sorts and all pairs.

use proptest::collection::vec;
use proptest::prelude::*;

#[cfg(feature = "flex")]
use burn::tensor::Device;

#[cfg(feature = "flex")]
use super::pairs::BLOCK;
use super::set::best;
use super::*;

/// Vectors with few different elements, so that many are equally near.
fn sets() -> impl Strategy<Value = (VectorSet, Vec<f32>)> {
    (1_usize..70, 0_usize..40).prop_flat_map(|(length, count)| {
        let element = || (-3_i8..=3).prop_map(f32::from);
        (vec(element(), length * count), vec(element(), length))
            .prop_map(move |(values, query)| (VectorSet::new(values, length).unwrap(), query))
    })
}

fn exact(set: &VectorSet, index: usize, query: &[f32], metric: Metric) -> f64 {
    let vector = set.vector(index);
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        let pairs = vector.iter().zip(query);
        pairs.map(|(&a, &b)| f(a.into(), b.into())).sum()
    };
    match metric {
        Metric::L2 => sum(&|a, b| (a - b) * (a - b)).sqrt(),
        Metric::Cosine => {
            let lengths = sum(&|a, _| a * a).sqrt() * sum(&|_, b| b * b).sqrt();
            if lengths == 0.0 {
                0.0
            } else {
                sum(&|a, b| a * b) / lengths
            }
        }
    }
}

proptest! {
    #[test]
    fn nearest_vectors_are_those_of_a_complete_sort((set, query) in sets(), count in 0_usize..50) {
        for metric in [Metric::Cosine, Metric::L2] {
            let all = (0..set.len()).map(|index| Neighbour {
                index,
                value: exact(&set, index, &query, metric),
            });
            let expected = best(all.collect(), count, metric);
            let found = set.nearest(&query, count, metric);
            prop_assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((a.value - b.value).abs() < 1e-9, "{:?} {:?}", a, b);
            }
            prop_assert_eq!(set.clone().indexed().nearest(&query, count, metric), found);
        }
    }

    #[test]
    fn groups_are_connected_components(edges in vec((0_usize..30, 0_usize..30), 0..40)) {
        let pairs: Vec<Pair> = edges
            .iter()
            .filter(|(a, b)| a != b)
            .map(|&(a, b)| Pair { first: a.min(b), second: a.max(b), similarity: 1.0 })
            .collect();
        let groups = groups(30, &pairs);
        let group_of = |index| groups.iter().position(|group| group.contains(&index));
        // Labels that spread along the pairs until nothing changes.
        let mut labels: Vec<usize> = (0..30).collect();
        for _ in 0..30 {
            for pair in &pairs {
                let label = labels[pair.first].min(labels[pair.second]);
                labels[pair.first] = label;
                labels[pair.second] = label;
            }
        }
        for a in 0..30 {
            for b in 0..30 {
                let together = a != b && group_of(a).is_some() && group_of(a) == group_of(b);
                prop_assert_eq!(together, a != b && labels[a] == labels[b]);
            }
        }
        let firsts: Vec<usize> = groups.iter().map(|group| group[0]).collect();
        prop_assert!(firsts.is_sorted());
        prop_assert!(groups.iter().all(|group| group.is_sorted()));
    }
}

#[cfg(feature = "flex")]
#[test]
fn similar_pairs_are_those_of_all_pairs() {
    // More vectors than a block; every vector has a neighbour in another block.
    let (count, length) = (BLOCK + 300, 24);
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut values: Vec<f32> = (0..count * length).map(|_| random()).collect();
    for index in BLOCK..count {
        for element in 0..length {
            let original = values[(index - BLOCK) * length + element];
            values[index * length + element] = 3.0 * original + 0.05 * random();
        }
    }
    values[5 * length..6 * length].fill(0.0);
    let set = VectorSet::new(values, length).unwrap();
    let mut expected = Vec::new();
    for first in 0..count {
        for second in first + 1..count {
            expected.extend(set.pair(first, second, 0.6));
        }
    }
    let mut last = 0.0;
    let found = set.similar_pairs(0.6, &Device::flex(), |share| {
        assert!(share > last);
        last = share;
    });
    assert_eq!(found.unwrap(), expected);
    assert_eq!(last, 1.0);
    assert!(expected.len() >= 299, "{}", expected.len());
}

#[test]
fn large_and_small_values_are_compared() {
    let values = vec![1e30, 1e30, 1e-30, 2e-30, -1e30, 3e30, 0.0, 0.0, 1e38, 0.0];
    let set = VectorSet::new(values, 2).unwrap();
    for set in [set.clone(), set.indexed()] {
        let nearest = set.nearest(&[1e30, 1e30], 5, Metric::Cosine);
        let order: Vec<usize> = nearest.iter().map(|neighbour| neighbour.index).collect();
        assert_eq!(order, [0, 1, 4, 2, 3]);
        let nearest = set.nearest(&[1e30, 1e30], 5, Metric::L2);
        let order: Vec<usize> = nearest.iter().map(|neighbour| neighbour.index).collect();
        assert_eq!(order, [0, 1, 3, 2, 4]);
    }
}

#[test]
fn the_cosine_does_not_depend_on_lengths() {
    assert_eq!(cosine(&[1.0, 0.0], &[5.0, 0.0]), 1.0);
    assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), 0.0);
    assert_eq!(cosine(&[1.0, -1.0], &[-2.0, 2.0]), -1.0);
    assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
    assert_eq!(cosine(&[1e30, 0.0], &[1e30, 0.0]), 1.0);
}

#[test]
fn values_that_are_no_vectors_are_refused() {
    assert!(VectorSet::new(Vec::new(), 3).unwrap().is_empty());
    let error = |values: &[f32], length| VectorSet::new(values.to_vec(), length).unwrap_err();
    assert_eq!(error(&[], 0), VectorsError::Empty);
    let ragged = VectorsError::Ragged {
        values: 3,
        length: 2,
    };
    assert_eq!(error(&[1.0; 3], 2), ragged);
    assert_eq!(
        error(&[1.0, 2.0, f32::NAN, 0.0], 2),
        VectorsError::NotFinite { index: 1 }
    );
}
