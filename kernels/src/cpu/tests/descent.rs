//! Steps of descent, and gradients of layers other than convolutions, against loops in 64 bits.

use proptest::prelude::*;

use super::super::gradient::{
    LrnParams, SgdParams, linear, linear_input_gradient, linear_weight_gradient, lrn, lrn_gradient,
    sgd_step,
};
use super::gradient::{check, each};
use super::{config, noise};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn steps_of_descent(
        len in 1_usize..200,
        (rate, momentum, decay) in (0.001_f32..0.5, 0.0_f32..1.0, 0.0_f32..0.1),
        nesterov in any::<bool>(),
        seed in 0_u64..1000,
    ) {
        let [weights, gradient, velocity] = [0, 1, 2].map(|more| noise(seed + more, len));
        let descent = SgdParams { rate, momentum, decay, nesterov };
        let [rate, momentum, decay] = [rate, momentum, decay].map(f64::from);
        let expected: Vec<[f64; 2]> = (0..len)
            .map(|at| {
                let [w, g, v] = [&weights, &gradient, &velocity].map(|values| f64::from(values[at]));
                let pull = g + decay * w;
                let speed = momentum * v + pull;
                let by = if nesterov { pull + momentum * speed } else { speed };
                [w - rate * by, 1.0]
            })
            .collect();
        let found = each(|isa, threads| {
            let (mut weights, mut velocity) = (weights.clone(), velocity.clone());
            sgd_step(isa, threads, descent, &mut weights, &gradient, &mut velocity);
            weights
        });
        // Where a vector ends, a scalar rounds once more.
        check(&found, &expected, 1e-6)?;
    }

    #[test]
    fn of_fully_connected_layers(
        images in 1_usize..11,
        (inputs, outputs) in (1_usize..80, prop_oneof![1_usize..80, 500_usize..600]),
        seed in 0_u64..1000,
    ) {
        let [x, weight] = [noise(seed, images * inputs), noise(seed + 1, inputs * outputs)];
        let [gradient, bias] = [noise(seed + 2, images * outputs), noise(seed + 3, outputs)];
        let product = |a: f32, b: f32| f64::from(a) * f64::from(b);
        let sum = |terms: &mut dyn Iterator<Item = f64>| {
            terms.fold([0.0, 0.0], |[sum, size], term| [sum + term, size + term.abs()])
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
            each(|isa, threads| linear(isa, threads, images, &x, &weight, Some(&bias)));
        check(&found, &y, 1e-5)?;
        let by_x: Vec<[f64; 2]> = (0..images * inputs)
            .map(|at| {
                let (image, input) = (at / inputs, at % inputs);
                sum(&mut (0..outputs).map(|o| {
                    product(gradient[image * outputs + o], weight[input * outputs + o])
                }))
            })
            .collect();
        let found =
            each(|isa, threads| linear_input_gradient(isa, threads, images, &weight, &gradient));
        check(&found, &by_x, 1e-5)?;
        let by_weight: Vec<[f64; 2]> = (0..inputs * outputs)
            .map(|at| {
                let (input, output) = (at / outputs, at % outputs);
                sum(&mut (0..images).map(|n| {
                    product(gradient[n * outputs + output], x[n * inputs + input])
                }))
            })
            .collect();
        let found =
            each(|isa, threads| linear_weight_gradient(isa, threads, images, &x, &gradient));
        check(&found, &by_weight, 1e-5)?;
    }

    #[test]
    fn of_local_responses(
        [images, channels, area] in [1_usize..4, 1_usize..20, 1_usize..40],
        (reach, alpha, k) in (0_usize..4, 0.001_f32..1.0, 0.5_f32..3.0),
        seed in 0_u64..1000,
    ) {
        let count = images * channels * area;
        let (x, gradient) = (noise(seed, count), noise(seed + 1, count));
        let window = |at: usize| {
            let channel = at / area % channels;
            let others = channel.saturating_sub(reach)..(channel + reach + 1).min(channels);
            others.map(move |other| at + other * area - channel * area)
        };
        let sum = |at: usize| {
            let squares: f64 = window(at).map(|j| f64::from(x[j]).powi(2)).sum();
            f64::from(k) + f64::from(alpha) * squares
        };
        let y: Vec<[f64; 2]> =
            (0..count).map(|at| [f64::from(x[at]) * sum(at).powf(-0.75), 1.0]).collect();
        let response = LrnParams { reach, alpha, k };
        let shape = [channels, area];
        check(&each(|isa, threads| lrn(isa, threads, &x, shape, response)), &y, 3e-6)?;
        let by_x: Vec<[f64; 2]> = (0..count)
            .map(|at| {
                let through: f64 = window(at)
                    .map(|j| f64::from(gradient[j]) * f64::from(x[j]) * sum(j).powf(-1.75))
                    .sum();
                let direct = f64::from(gradient[at]) * sum(at).powf(-0.75);
                [direct - 1.5 * f64::from(alpha) * f64::from(x[at]) * through, 4.0]
            })
            .collect();
        let found =
            each(|isa, threads| lrn_gradient(isa, threads, [&x, &gradient], shape, response));
        check(&found, &by_x, 3e-6)?;
    }
}
