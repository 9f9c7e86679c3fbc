//! Times RTen with prepacked weights.

use std::error::Error;
use std::sync::Arc;

use receptive_peers::Job;
use rten::{ModelOptions, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(job) = Job::from_args()? else {
        return Ok(());
    };
    let model = ModelOptions::with_all_ops()
        .prepack_weights(true)
        .load_file(&job.model)?;
    let pool = Arc::new(ThreadPool::with_num_threads(job.threads));
    let input = NdTensor::from_data(job.shape, job.input.clone());
    job.time(|| {
        let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
        let output = model.run_one(input.view().into(), Some(options))?;
        let output: NdTensor<f32, 2> = output.try_into()?;
        Ok::<_, Box<dyn Error>>(output.to_vec())
    })
}
