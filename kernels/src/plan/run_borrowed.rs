//! Execution in a workspace that the caller provides.

use super::error::RunError;
use super::packed::{PackedProgram, Workspace};
use super::program::Program;
use super::step::Step;
use crate::threads::ThreadPool;

impl PackedProgram {
    /// Returns the program's only output for all images of `input`, executed in batches of the size
    /// that the program was made for, on `threads` threads.
    ///
    /// # Errors
    ///
    /// [`RunError::Input`] when `input` is not a whole number of images.
    ///
    /// # Panics
    ///
    /// When the program does not end with the export of its only output.
    pub fn run_borrowed(
        &self,
        workspace: &mut Workspace,
        threads: usize,
        input: &[f32],
    ) -> Result<Vec<f32>, RunError> {
        let Program { outputs, steps, .. } = &self.program;
        let last = steps.last().map(|last| &last.step);
        assert!(
            matches!((last, &**outputs), (Some(Step::Export(export)), [shape])
                if export.output == 0 && export.x.shape() == *shape),
            "the program does not end with the export of its only output"
        );
        let image: usize = self.program.input.iter().product();
        let found = input.len();
        if image == 0 || !found.is_multiple_of(image) {
            return Err(RunError::Input { found, image });
        }
        let pool = (threads > 1).then(|| ThreadPool::shared(threads));
        let len: usize = outputs[0].iter().product();
        let mut output = Vec::with_capacity(found / image * len);
        for images in input.chunks(self.program.images * image) {
            let count = images.len() / image;
            let spare = &mut output.spare_capacity_mut()[..count * len];
            let to = spare.as_mut_ptr().cast::<f32>();
            // SAFETY: `output` has capacity for `count` images, and the export writes all of them.
            unsafe {
                let to = std::iter::once(to);
                self.run(pool.as_deref(), workspace, count, images.as_ptr(), to, None);
                output.set_len(output.len() + count * len);
            }
        }
        Ok(output)
    }
}
