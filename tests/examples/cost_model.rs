//! Measures convolutions for the cost model, and fits its rates. `benchmarks/cost_model.py` runs it.
//!
//! ```sh
//! cargo run --release -p receptive-tests --no-default-features --example cost_model -- measure resnet18 1x3x224x224
//! cargo run --release -p receptive-tests --no-default-features --example cost_model -- fit benchmarks/cost-model
//! ```
//!
//! `measure` prints the measurements of a network as JSON, on two threads and on the instruction set that
//! `RECEPTIVE_ISA` names. `fit` prints the fitted rates, and each network's time with the chosen algorithms over
//! its time with the best.

use std::error::Error;
use std::path::Path;

use receptive::registry;
use receptive_kernels::cpu::CostModel;
use receptive_layers::compile::{Isa, Options, measure_convolutions};
use receptive_tests::cost_model::{MeasuredNetwork, MeasurementFile, fit, loss};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["measure", name, input] => measure(name, input),
        ["fit", folder] => {
            print_fit(&MeasurementFile::read_all(Path::new(folder)));
            Ok(())
        }
        _ => Err("usage: cost_model measure NETWORK 1xCxHxW | cost_model fit FOLDER".into()),
    }
}

fn measure(name: &str, input: &str) -> Result<(), Box<dyn Error>> {
    let model = registry::model(name)?;
    let input: Vec<usize> = input.split('x').map(str::parse).collect::<Result<_, _>>()?;
    let input: [usize; 4] = input.try_into().map_err(|_| "expected 1xCxHxW")?;
    let isa = Isa::detect()?;
    let options = Options {
        threads: Some(2),
        isa: Some(isa),
        ..Options::default()
    };
    let graph = model.graph(model.classes, input, false)?;
    let measurements = measure_convolutions(graph, &options)?;
    let network = MeasuredNetwork::new(name, isa.name(), measurements);
    println!("{}", serde_json::to_string(&network)?);
    Ok(())
}

fn print_fit(files: &[MeasurementFile]) {
    let networks: Vec<MeasuredNetwork> = files
        .iter()
        .flat_map(|file| file.networks.clone())
        .collect();
    let fitted = fit(&networks, CostModel::FITTED);
    println!("{fitted:#?}");
    for network in &networks {
        let [before, after] = [CostModel::FITTED, fitted].map(|model| {
            let [chosen, best] = network.chosen_and_best(&model);
            chosen / best
        });
        println!(
            "{:16} {:8} {before:.3} {after:.3}",
            network.name, network.isa
        );
    }
    let [before, after] = [CostModel::FITTED, fitted].map(|model| loss(&networks, &model));
    println!("{:25} {before:.3} {after:.3}", "mean");
}
