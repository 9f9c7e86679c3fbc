//! Times tract with a thread pool for matrix products.

use std::error::Error;

use receptive_peers::Job;
use tract_linalg::multithread::{Executor, set_default_executor};
use tract_onnx::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(job) = Job::from_args()? else {
        return Ok(());
    };
    if job.threads > 1 {
        set_default_executor(Executor::multithread(job.threads));
    }
    let model = tract_onnx::onnx()
        .model_for_path(&job.model)?
        .with_input_fact(0, f32::fact(job.shape).into())?
        .into_optimized()?
        .into_runnable()?;
    let input: TValue = Tensor::from_shape(&job.shape, &job.input)?.into();
    job.time(|| {
        let output = model.run(tvec!(input.clone()))?;
        Ok::<_, TractError>(output[0].try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    })?;
    Ok(())
}
