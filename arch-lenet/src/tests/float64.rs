//! LeNet-5 of 1998 as float64 loops, after section II.B of the paper.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::values;
use crate::{LeNet5Original, Subsampling, code};

/// Table I: `X` where a map of C3 (column) reads a map of S2 (row).
const TABLE_I: [&str; 6] = [
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
];

/// A square feature map, row by row.
#[derive(Clone)]
struct Map {
    side: usize,
    values: Vec<f64>,
}

impl Map {
    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.side + column]
    }

    /// Returns a map of `side` by `side` units, each the squashed `sum(row, column)`.
    fn of_units(side: usize, sum: impl Fn(usize, usize) -> f64) -> Self {
        let units = (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
        Self {
            side,
            values: units
                .map(|(row, column)| squash(sum(row, column)))
                .collect(),
        }
    }
}

/// Computes equation 6 with A = 1.7159 and S = 2/3.
fn squash(sum: f64) -> f64 {
    1.7159 * (2.0 / 3.0 * sum).tanh()
}

/// Returns the values of a parameter in float64.
fn wide<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f64> {
    values(param.val()).into_iter().map(f64::from).collect()
}

/// Computes the output map `map` of a 5x5 convolution of `inputs`.
fn convolve(conv: &Conv2d, map: usize, inputs: &[&Map]) -> Map {
    let weights = wide(&conv.weight);
    let bias = wide(conv.bias.as_ref().unwrap())[map];
    Map::of_units(inputs[0].side - 4, |row, column| {
        let mut sum = bias;
        for (input, values) in inputs.iter().enumerate() {
            for k in 0..25 {
                let weight = weights[(map * inputs.len() + input) * 25 + k];
                sum += weight * values.at(row + k / 5, column + k % 5);
            }
        }
        sum
    })
}

/// Computes the sum of each 2x2 window times a coefficient plus a bias, as the paper does.
fn subsample(layer: &Subsampling, maps: &[Map]) -> Vec<Map> {
    let of_sum: Vec<f64> = wide(&layer.coefficient).iter().map(|c| c / 4.0).collect();
    let bias = wide(&layer.bias);
    let halve = |(index, map): (usize, &Map)| {
        Map::of_units(map.side / 2, |row, column| {
            let [row, column] = [2 * row, 2 * column];
            let sum = map.at(row, column)
                + map.at(row, column + 1)
                + map.at(row + 1, column)
                + map.at(row + 1, column + 1);
            of_sum[index] * sum + bias[index]
        })
    };
    maps.iter().enumerate().map(halve).collect()
}

/// Computes the penalties of the ten digits for an image of 32x32 pixels.
pub fn penalties(net: &LeNet5Original, image: &[f32]) -> Vec<f64> {
    let image = Map {
        side: 32,
        values: image.iter().copied().map(f64::from).collect(),
    };
    let c1: Vec<_> = (0..6)
        .map(|map| convolve(&net.c1, map, &[&image]))
        .collect();
    let s2 = subsample(&net.s2, &c1);
    let c3: Vec<_> = (0..16)
        .map(|map| {
            let is_read = |row: &&str| row.as_bytes()[map] == b'X';
            let rows = TABLE_I.iter().zip(&s2).filter(|(row, _)| is_read(row));
            let inputs: Vec<_> = rows.map(|(_, input)| input).collect();
            convolve(&net.c3.maps[map], 0, &inputs)
        })
        .collect();
    let s4 = subsample(&net.s4, &c3);
    let s4: Vec<_> = s4.iter().collect();
    let c5: Vec<f64> = (0..120)
        .flat_map(|map| convolve(&net.c5, map, &s4).values)
        .collect();

    let weights = wide(&net.f6.weight);
    let bias = wide(net.f6.bias.as_ref().unwrap());
    let unit = |unit: usize| {
        let products = c5
            .iter()
            .enumerate()
            .map(|(input, x)| x * weights[input * 84 + unit]);
        squash(products.sum::<f64>() + bias[unit])
    };
    let f6: Vec<f64> = (0..84).map(unit).collect();
    (0..10)
        .map(|class| {
            let squares = f6
                .iter()
                .zip(code(class))
                .map(|(x, w)| (x - f64::from(w)).powi(2));
            squares.sum()
        })
        .collect()
}
