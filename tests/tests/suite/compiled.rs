//! Every network compiled, against PyTorch.

use std::time::Instant;

use receptive_layers::compile::{Compiled, Isa, Options, Precision};
use receptive_tests::reference::{Reference, relative_difference};
use receptive_tests::{formula, recorded};

#[test]
fn survey() {
    let names = std::env::var("SURVEY").unwrap_or_default();
    for name in names.split(',').filter(|n| !n.is_empty()) {
        let reference = Reference::read(name);
        let [count, ..] = reference.input;
        let images = formula::images(&reference.salt, reference.input);
        for isa in Isa::available() {
            for precision in [Precision::Fast, Precision::Exact] {
                let graph = recorded::graph(&reference, count);
                let options = Options {
                    precision,
                    isa: Some(isa),
                    ..Options::default()
                };
                let start = Instant::now();
                let mut compiled = match Compiled::of_graph(graph, &options) {
                    Ok(compiled) => compiled,
                    Err(error) => {
                        println!("{name}: {error}");
                        continue;
                    }
                };
                let compile = start.elapsed();
                let start = Instant::now();
                let logits = compiled.run(&images).unwrap();
                let run = start.elapsed();
                let logits: Vec<f64> = logits.into_iter().map(f64::from).collect();
                let difference = relative_difference(&logits, &reference.logits.concat());
                println!(
                    "{name} {isa} {precision:?}: {difference:.1e}, {compile:.2?} to compile, {run:.2?} for {count}, maps {:.1} MB, weights {:.1} MB, steps {}",
                    compiled.map_bytes() as f64 / 1e6,
                    compiled.weight_bytes() as f64 / 1e6,
                    compiled.steps().len(),
                );
            }
        }
    }
}
