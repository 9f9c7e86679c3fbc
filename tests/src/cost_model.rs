//! Measurements of convolutions, and the cost model held against them.

use std::collections::BTreeMap;
use std::path::Path;

use receptive_kernels::cpu::{Algorithm, Blocking, ConvSpec, ConvWorkload, CostModel};
use receptive_layers::compile::Measurements;
use serde::{Deserialize, Serialize};

/// Measurements on one machine, as `benchmarks/cost_model.py` writes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasurementFile {
    /// Short name of the processor and the number of threads.
    pub machine: String,
    /// Name of the processor.
    pub processor: String,
    /// Date of the measurement, `YYYY-MM-DD`.
    pub date: String,
    /// Commit of the measured program.
    pub commit: String,
    /// The measured networks, once per instruction set.
    pub networks: Vec<MeasuredNetwork>,
}

/// Measurements of a network on one instruction set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredNetwork {
    /// Name of the network.
    pub name: String,
    /// Instruction set.
    pub isa: String,
    /// Seconds of all steps that are not convolutions.
    pub other_seconds: f64,
    /// The convolutions in execution order.
    pub convolutions: Vec<Measured>,
}

/// A convolution and its measured times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Name of the layer.
    pub name: String,
    /// The convolution.
    pub spec: ConvSpec,
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Images of the micro-batch.
    pub images: usize,
    /// Channels of a block.
    pub lanes: usize,
    /// Block sizes `mr`, `mr_single`, `kc_nr` and `mc_kc` of the instruction set.
    pub blocking: [usize; 4],
    /// Seconds by the name of the algorithm.
    pub seconds: BTreeMap<String, f64>,
}

impl MeasurementFile {
    /// Reads the measurements in `folder`, ordered by file name.
    ///
    /// # Panics
    ///
    /// When the folder or a file in it cannot be read.
    pub fn read_all(folder: &Path) -> Vec<Self> {
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).expect("a readable file");
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        paths.iter().map(read).collect()
    }
}

impl MeasuredNetwork {
    /// The measurements of a network in the form of the file.
    pub fn new(name: &str, isa: &str, measurements: Measurements) -> Self {
        let convolutions = measurements.convolutions.into_iter().map(|convolution| {
            let ConvWorkload {
                spec,
                output,
                images,
                lanes,
                blocking,
                ..
            } = convolution.workload;
            let Blocking {
                mr,
                mr_single,
                kc_nr,
                mc_kc,
            } = blocking;
            Measured {
                name: convolution.name,
                spec,
                output,
                images,
                lanes,
                blocking: [mr, mr_single, kc_nr, mc_kc],
                seconds: (convolution.times.into_iter())
                    .map(|(algorithm, time)| (algorithm.name().to_owned(), time.as_secs_f64()))
                    .collect(),
            }
        });
        Self {
            name: name.to_owned(),
            isa: isa.to_owned(),
            other_seconds: measurements.other.as_secs_f64(),
            convolutions: convolutions.collect(),
        }
    }

    /// Seconds of the network with the algorithms that `model` chooses, and with the fastest
    /// algorithms by measurement.
    pub fn chosen_and_best(&self, model: &CostModel) -> [f64; 2] {
        let workloads: Vec<_> = self.convolutions.iter().map(Measured::workload).collect();
        let chosen = model.choose(&workloads);
        let mut sums = [self.other_seconds; 2];
        for (convolution, algorithm) in self.convolutions.iter().zip(chosen) {
            let algorithm = algorithm.expect("a convolution has a candidate");
            sums[0] += convolution.seconds[algorithm.name()];
            let times = convolution.seconds.values().copied();
            sums[1] += times.fold(f64::INFINITY, f64::min);
        }
        sums
    }

    /// Mean squared logarithm of predicted over measured seconds, over all convolutions and algorithms,
    /// weighted by the measured time.
    pub fn squared_error(&self, model: &CostModel) -> f64 {
        let workloads: Vec<_> = self.convolutions.iter().map(Measured::workload).collect();
        let weights_from_dram = model.exceeds_llc(&workloads);
        let [mut sum, mut weight] = [0.0; 2];
        for (convolution, (workload, candidates)) in self.convolutions.iter().zip(workloads) {
            let workload = ConvWorkload {
                weights_from_dram,
                ..workload
            };
            for algorithm in candidates {
                let measured = convolution.seconds[algorithm.name()];
                let predicted = model.seconds(&workload, algorithm);
                sum += measured * (predicted / measured).ln().powi(2);
                weight += measured;
            }
        }
        sum / weight
    }
}

impl Measured {
    /// The convolution as the cost model sees it, and its candidates.
    pub fn workload(&self) -> (ConvWorkload, Vec<Algorithm>) {
        let [mr, mr_single, kc_nr, mc_kc] = self.blocking;
        let workload = ConvWorkload {
            spec: self.spec,
            output: self.output,
            images: self.images,
            lanes: self.lanes,
            blocking: Blocking {
                mr,
                mr_single,
                kc_nr,
                mc_kc,
            },
            weights_from_dram: false,
            packs_per_run: false,
        };
        let candidates = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| self.seconds.contains_key(algorithm.name()));
        (workload, candidates.collect())
    }
}

/// Gain, as a fraction of the networks' time, from which on a fit changes a rate. Two measurements of one machine
/// differ by about as much.
const MIN_GAIN: f64 = 5e-3;

/// Factors by which a step of the fit changes one rate.
const FACTORS: [f64; 10] = [0.25, 0.5, 0.7, 0.85, 0.95, 1.05, 1.18, 1.4, 2.0, 4.0];

/// Fits the rates of `start` to measurements by coordinate descent.
///
/// The loss of a model is the mean, over all networks, of the time with its choices over the time with the
/// best choices. Rates that do not change a choice stay as they are, as does the size of caches.
pub fn fit(networks: &[MeasuredNetwork], start: CostModel) -> CostModel {
    let mut model = start;
    let mut best = loss(networks, &model);
    loop {
        let mut step = None;
        for rate in RATES {
            for factor in FACTORS {
                let mut changed = model;
                *rate(&mut changed) *= factor;
                let loss = loss(networks, &changed);
                if loss < best - MIN_GAIN {
                    best = loss;
                    step = Some(changed);
                }
            }
        }
        match step {
            Some(changed) => model = changed,
            None => return model,
        }
    }
}

/// Mean time of `networks` with the choices of `model`, relative to the best choices.
pub fn loss(networks: &[MeasuredNetwork], model: &CostModel) -> f64 {
    let ratios = networks.iter().map(|network| {
        let [chosen, best] = network.chosen_and_best(model);
        chosen / best
    });
    ratios.sum::<f64>() / networks.len() as f64
}

/// The rates of a model that a fit may change.
const RATES: [fn(&mut CostModel) -> &mut f64; 10] = [
    |model| &mut model.fmas_per_second,
    |model| &mut model.transform_6x6_seconds[0],
    |model| &mut model.transform_6x6_seconds[1],
    |model| &mut model.transform_4x4_seconds[0],
    |model| &mut model.transform_4x4_seconds[1],
    |model| &mut model.unpack_seconds[0],
    |model| &mut model.unpack_seconds[1],
    |model| &mut model.dram_bytes_per_second,
    |model| &mut model.llc_bytes_per_second,
    |model| &mut model.exposed_fraction,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A convolution whose measured times are those that `model` predicts.
    fn predicted(model: &CostModel, channels: usize, size: usize) -> Measured {
        let border = receptive_kernels::cpu::Border {
            top: 1,
            bottom: 1,
            left: 1,
            right: 1,
        };
        let mut measured = Measured {
            name: "conv".to_owned(),
            spec: ConvSpec {
                channels_in: channels,
                channels_out: channels,
                kernel: [3, 3],
                stride: [1, 1],
                padding: border,
                dilation: [1, 1],
                groups: 1,
            },
            output: [size, size],
            images: 1,
            lanes: 8,
            blocking: [6, 8, 3 << 10, 128 << 10],
            seconds: BTreeMap::new(),
        };
        let (workload, _) = measured.workload();
        for algorithm in Algorithm::candidates(&measured.spec, [size, size], false) {
            let seconds = model.seconds(&workload, algorithm);
            measured
                .seconds
                .insert(algorithm.name().to_owned(), seconds);
        }
        measured
    }

    #[test]
    fn a_fit_finds_the_algorithms_of_a_machine_with_slow_transforms() {
        let start = CostModel {
            transform_6x6_seconds: [100e-9, 70e-9],
            transform_4x4_seconds: [28e-9, 20e-9],
            ..CostModel::FITTED
        };
        let mut machine = start;
        machine.transform_6x6_seconds[1] *= 8.0;
        let networks = [MeasuredNetwork {
            name: "network".to_owned(),
            isa: "avx2".to_owned(),
            other_seconds: 0.0,
            convolutions: [(64, 56), (128, 28), (256, 14)]
                .map(|(channels, size)| predicted(&machine, channels, size))
                .into(),
        }];
        assert!(loss(&networks, &start) > 1.05);
        let fitted = fit(&networks, start);
        assert!(loss(&networks, &fitted) < 1.01);
        assert_eq!(fit(&networks, machine), machine);
        assert!(networks[0].squared_error(&machine) < 1e-9);
    }
}
