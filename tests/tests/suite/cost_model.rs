//! By the committed measurements, the cost model's choices are near the best, and its rates are the fitted ones.

use std::path::Path;

use receptive_kernels::cpu::CostModel;
use receptive_tests::cost_model::{MeasuredNetwork, MeasurementFile, fit};

fn networks() -> Vec<MeasuredNetwork> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benchmarks/cost-model");
    let files = MeasurementFile::read_all(&folder);
    assert!(!files.is_empty(), "no measurements in {}", folder.display());
    files.into_iter().flat_map(|file| file.networks).collect()
}

#[test]
fn chosen_algorithms_take_at_most_1_05_times_as_long_as_the_best() {
    for network in networks() {
        let [chosen, best] = network.chosen_and_best(&CostModel::FITTED);
        let MeasuredNetwork { name, isa, .. } = &network;
        let ratio = chosen / best;
        assert!(ratio <= 1.05, "{name} on {isa}: {ratio:.3}");
    }
}

#[test]
fn a_fit_to_the_measurements_gives_the_committed_rates() {
    assert_eq!(fit(&networks(), CostModel::FITTED), CostModel::FITTED);
}
