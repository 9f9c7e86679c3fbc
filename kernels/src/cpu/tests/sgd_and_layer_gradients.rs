//! Steps of stochastic gradient descent, and gradients of fully connected layers and of local
//! response normalization, against references in `f64`.

use proptest::prelude::*;

use super::super::gradient::{
    LrnParams, SgdParams, linear, linear_input_gradient, linear_weight_gradient, lrn, lrn_gradient,
    sgd_step,
};
use super::gradient::{check_errors, on_every_isa};
use super::{config, random_values};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sgd_step_is_within_its_error_bound(
        len in 1_usize..200,
        (rate, momentum, decay) in (0.001_f32..0.5, 0.0_f32..1.0, 0.0_f32..0.1),
        nesterov in any::<bool>(),
        seed in 0_u64..1000,
    ) {
        let [weights, gradient, velocity] = [0, 1, 2].map(|array| random_values(seed + array, len));
        let params = SgdParams { rate, momentum, decay, nesterov };
        let [rate, momentum, decay] = [rate, momentum, decay].map(f64::from);
        let expected: Vec<[f64; 2]> = (0..len)
            .map(|at| {
                let arrays = [&weights, &gradient, &velocity];
                let [w, g, v] = arrays.map(|values| f64::from(values[at]));
                let decayed = g + decay * w;
                let velocity = momentum * v + decayed;
                let update = if nesterov { decayed + momentum * velocity } else { velocity };
                [w - rate * update, 1.0]
            })
            .collect();
        let found = on_every_isa(|isa, threads| {
            let (mut weights, mut velocity) = (weights.clone(), velocity.clone());
            sgd_step(isa, threads, params, &mut weights, &gradient, &mut velocity);
            weights
        });
        // The scalar code for the last elements rounds once more than the vector code.
        check_errors(&found, &expected, 1e-6)?;
    }

    #[test]
    fn linear_and_its_gradients_are_within_their_error_bounds(
        images in 1_usize..11,
        (inputs, outputs) in (1_usize..80, prop_oneof![1_usize..80, 500_usize..600]),
        seed in 0_u64..1000,
    ) {
        let x = random_values(seed, images * inputs);
        let weight = random_values(seed + 1, inputs * outputs);
        let gradient = random_values(seed + 2, images * outputs);
        let bias = random_values(seed + 3, outputs);
        let product = |a: f32, b: f32| f64::from(a) * f64::from(b);
        let sum = |terms: &mut dyn Iterator<Item = f64>| {
            terms.fold([0.0, 0.0], |[sum, magnitude], term| [sum + term, magnitude + term.abs()])
        };
        let y: Vec<[f64; 2]> = (0..images * outputs)
            .map(|at| {
                let (image, output) = (at / outputs, at % outputs);
                let products = (0..inputs)
                    .map(|i| product(x[image * inputs + i], weight[i * outputs + output]));
                sum(&mut products.chain([f64::from(bias[output])]))
            })
            .collect();
        let found =
            on_every_isa(|isa, threads| linear(isa, threads, images, &x, &weight, Some(&bias)));
        check_errors(&found, &y, 1e-5)?;
        let x_gradient: Vec<[f64; 2]> = (0..images * inputs)
            .map(|at| {
                let (image, input) = (at / inputs, at % inputs);
                sum(&mut (0..outputs).map(|o| {
                    product(gradient[image * outputs + o], weight[input * outputs + o])
                }))
            })
            .collect();
        let found = on_every_isa(|isa, threads| {
            linear_input_gradient(isa, threads, images, &weight, &gradient)
        });
        check_errors(&found, &x_gradient, 1e-5)?;
        let weight_gradient: Vec<[f64; 2]> = (0..inputs * outputs)
            .map(|at| {
                let (input, output) = (at / outputs, at % outputs);
                sum(&mut (0..images).map(|n| {
                    product(gradient[n * outputs + output], x[n * inputs + input])
                }))
            })
            .collect();
        let found = on_every_isa(|isa, threads| {
            linear_weight_gradient(isa, threads, images, &x, &gradient)
        });
        check_errors(&found, &weight_gradient, 1e-5)?;
    }

    #[test]
    fn lrn_and_its_gradient_are_within_their_error_bounds(
        [images, channels, area] in [1_usize..4, 1_usize..20, 1_usize..40],
        (reach, alpha, k) in (0_usize..4, 0.001_f32..1.0, 0.5_f32..3.0),
        seed in 0_u64..1000,
    ) {
        let count = images * channels * area;
        let (x, gradient) = (random_values(seed, count), random_values(seed + 1, count));
        let window = |at: usize| {
            let channel = at / area % channels;
            let channels = channel.saturating_sub(reach)..(channel + reach + 1).min(channels);
            channels.map(move |other| at + other * area - channel * area)
        };
        let sum = |at: usize| {
            let squares: f64 = window(at).map(|j| f64::from(x[j]).powi(2)).sum();
            f64::from(k) + f64::from(alpha) * squares
        };
        let y: Vec<[f64; 2]> =
            (0..count).map(|at| [f64::from(x[at]) * sum(at).powf(-0.75), 1.0]).collect();
        let params = LrnParams { reach, alpha, k };
        let shape = [channels, area];
        check_errors(&on_every_isa(|isa, threads| lrn(isa, threads, &x, shape, params)), &y, 3e-6)?;
        let x_gradient: Vec<[f64; 2]> = (0..count)
            .map(|at| {
                let indirect: f64 = window(at)
                    .map(|j| f64::from(gradient[j]) * f64::from(x[j]) * sum(j).powf(-1.75))
                    .sum();
                let direct = f64::from(gradient[at]) * sum(at).powf(-0.75);
                [direct - 1.5 * f64::from(alpha) * f64::from(x[at]) * indirect, 4.0]
            })
            .collect();
        let found =
            on_every_isa(|isa, threads| lrn_gradient(isa, threads, [&x, &gradient], shape, params));
        check_errors(&found, &x_gradient, 3e-6)?;
    }
}
