//! What this machine can do at most, measured.

use std::time::Duration;

use web_time::Instant;

use serde::{Deserialize, Serialize};

use super::executable::Plan;
use super::program::Program;
use super::step::{ProgramStep, Step};
use crate::cpu::{
    Activation, Border, Buffer, ConvSpec, Direct, InCache, Isa, Kernels, Map, Output,
};
use crate::threads::ThreadPool;

/// The roof over every layer: how fast this machine multiplies and adds, and how fast it reads memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Floating point operations a second, a multiply-add counted as two, on data in the nearest
    /// cache.
    pub flops: f64,
    /// Bytes a second, read in order from memory that no cache holds.
    pub bandwidth: f64,
}

/// The best of several tries of this length is the machine; the others were disturbed.
const TRY: Duration = Duration::from_millis(20);
const TRIES: usize = 10;

impl Machine {
    /// Measures for about half a second, on `threads` threads.
    pub fn measure(isa: Isa, threads: usize) -> Self {
        Self {
            flops: flops(isa, threads),
            bandwidth: bandwidth(isa, threads),
        }
    }
}

fn flops(isa: Isa, threads: usize) -> f64 {
    let kernels = Kernels::get(isa);
    let pool = ThreadPool::shared(threads);
    let rate = || {
        let operations = std::sync::Mutex::new(0.0);
        let start = Instant::now();
        let work = |_thread: usize| {
            let mut own = 0.0;
            let mut tile = InCache::new(kernels);
            while start.elapsed() < TRY {
                // Looking at the clock takes long on some machines.
                for _ in 0..100 {
                    own += 2.0 * tile.run() as f64;
                }
            }
            *operations.lock().unwrap_or_else(|error| error.into_inner()) += own;
        };
        match pool.try_lock() {
            Some(team) => team.run(&work),
            None => work(0),
        }
        let seconds = start.elapsed().as_secs_f64();
        operations
            .into_inner()
            .unwrap_or_else(|error| error.into_inner())
            / seconds
    };
    (0..TRIES).map(|_| rate()).fold(0.0, f64::max)
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
    // Pages that were never written are all one page of zeros.
    stream.fill(1.0);
    let mut plan = Plan::new(program, stream, threads).expect("made to fit");
    let input = vec![0.0; inputs];
    let seconds = (0..TRIES).map(|_| {
        let start = Instant::now();
        plan.run(&input, &mut []).expect("made to fit");
        start.elapsed().as_secs_f64()
    });
    (weights * size_of::<f32>()) as f64 / seconds.fold(f64::INFINITY, f64::min)
}
