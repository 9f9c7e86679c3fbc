//! Command line and timing of the programs.
//!
//! `ENGINE MODEL SHAPE THREADS SECONDS` prints a JSON line: the median milliseconds of a forward
//! pass and the first outputs. Without arguments a program exits at once: memory is measured above
//! that of this empty start.

use std::error::Error;
use std::time::{Duration, Instant};

/// The arguments of a program, and the input.
pub struct Job {
    /// The path of the ONNX file.
    pub model: String,
    /// The shape of the input: batch, channels, height, width.
    pub shape: [usize; 4],
    /// The images, in row-major order.
    pub input: Vec<f32>,
    /// Number of threads.
    pub threads: usize,
    seconds: f64,
}

impl Job {
    /// Parses the command line; `None` without arguments.
    ///
    /// # Errors
    ///
    /// An argument is missing or invalid.
    pub fn from_args() -> Result<Option<Self>, Box<dyn Error>> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        if args.is_empty() {
            return Ok(None);
        }
        let [model, shape, threads, seconds] = args.as_slice() else {
            return Err("arguments: MODEL SHAPE THREADS SECONDS".into());
        };
        let shape: Vec<usize> = shape.split('x').map(str::parse).collect::<Result<_, _>>()?;
        let shape: [usize; 4] = shape
            .try_into()
            .map_err(|_| "a shape has four dimensions: 1x3x224x224")?;
        // The input of every engine, as `image` in worker.py: a permuted cycle of 101 values
        // from -1 to 1.
        let input = (0..shape.iter().product())
            .map(|i: usize| ((i * 37 % 101) as f64 / 50.0 - 1.0) as f32)
            .collect();
        Ok(Some(Self {
            model: model.clone(),
            shape,
            input,
            threads: threads.parse()?,
            seconds: seconds.parse()?,
        }))
    }

    /// Calls `run` twice to warm up, then for the job's seconds, at least five times, and prints
    /// the JSON line.
    ///
    /// # Errors
    ///
    /// The first error of `run`.
    pub fn time<E>(&self, mut run: impl FnMut() -> Result<Vec<f32>, E>) -> Result<(), E> {
        run()?;
        let output = run()?;
        let mut times = Vec::new();
        let end = Instant::now() + Duration::from_secs_f64(self.seconds);
        while Instant::now() < end || times.len() < 5 {
            let start = Instant::now();
            run()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let first = &output[..output.len().min(10)];
        println!(
            r#"{{"median_ms": {:.4}, "output": {first:?}}}"#,
            median(times)
        );
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}
