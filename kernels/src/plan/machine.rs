//! Measured peak arithmetic rate and memory bandwidth of this machine.

use std::time::Duration;

use web_time::Instant;

use serde::{Deserialize, Serialize};

use super::executable::Plan;
use super::program::Program;
use super::step::{ProgramStep, Step};
use crate::cpu::{
    Activation, Border, Buffer, ConvSpec, Direct, Isa, Kernels, Map, Output, PeakTile,
};
use crate::threads::run_team;

/// The two roofs of the roofline model (Williams, Waterman & Patterson 2009).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Floating-point operations per second on data in L1; a multiply-add counts as two.
    pub flops: f64,
    /// Bytes per second of sequential reads from DRAM.
    pub bandwidth: f64,
}

/// Length and number of the trials; the best counts, since other work disturbs the rest.
const TRIAL: Duration = Duration::from_millis(20);
const TRIALS: usize = 10;

impl Machine {
    /// Measures both rates for about half a second on `threads` threads.
    pub fn measure(isa: Isa, threads: usize) -> Self {
        Self {
            flops: flops(isa, threads),
            bandwidth: bandwidth(isa, threads),
        }
    }
}

fn flops(isa: Isa, threads: usize) -> f64 {
    let kernels = Kernels::get(isa);
    let rate = || {
        let operations = std::sync::Mutex::new(0.0);
        let start = Instant::now();
        run_team(threads, &|_| {
            let mut operations_of_thread = 0.0;
            let mut tile = PeakTile::new(kernels);
            while start.elapsed() < TRIAL {
                // Reading the clock is slow on some machines.
                for _ in 0..100 {
                    operations_of_thread += 2.0 * tile.run() as f64;
                }
            }
            *operations.lock().unwrap_or_else(|error| error.into_inner()) += operations_of_thread;
        });
        let seconds = start.elapsed().as_secs_f64();
        operations
            .into_inner()
            .unwrap_or_else(|error| error.into_inner())
            / seconds
    };
    (0..TRIALS).map(|_| rate()).fold(0.0, f64::max)
}

fn bandwidth(isa: Isa, threads: usize) -> f64 {
    let lanes = Kernels::get(isa).lanes;
    let [inputs, outputs] = [4096, 16384];
    let spec = ConvSpec {
        channels_in: inputs,
        channels_out: outputs,
        kernel: [1, 1],
        stride: [1, 1],
        padding: Border::default(),
        dilation: [1, 1],
        groups: 1,
    };
    let x = Map::new([inputs, 1, 1], Border::default(), lanes, 0);
    let y = Map::new([outputs, 1, 1], Border::default(), lanes, x.elements());
    let output = Output {
        y,
        residual: None,
        activation: Activation::Identity,
    };
    let weights = Direct::packed_len(&spec, lanes, lanes);
    let program = Program {
        isa,
        images: 1,
        input: [inputs, 1, 1],
        outputs: Vec::new(),
        steps: vec![ProgramStep {
            name: "stream".to_owned(),
            step: Step::Direct(Direct::new(spec, x, output, 0)),
            micro_batch: 1,
        }],
        arena: y.end(),
        weights,
    };
    let mut stream = Buffer::zeroed(weights);
    // The operating system maps pages that were never written to one page of zeros.
    stream.fill(1.0);
    let mut plan = Plan::new(program, stream, threads).expect("valid by construction");
    let input = vec![0.0; inputs];
    let seconds = (0..TRIALS).map(|_| {
        let start = Instant::now();
        plan.run(&input, &mut []).expect("valid by construction");
        start.elapsed().as_secs_f64()
    });
    (weights * size_of::<f32>()) as f64 / seconds.fold(f64::INFINITY, f64::min)
}
