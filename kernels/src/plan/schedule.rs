//! The order of an execution: phases over micro-batches.

use std::ops::Range;
use std::time::Duration;

use web_time::Instant;

use super::packed::PackedProgram;

/// Consecutive steps that run on a micro-batch without waiting for each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phase {
    /// Indices of the steps.
    pub steps: Range<usize>,
    /// The images of the micro-batch.
    pub images: Range<usize>,
    /// Whether each thread runs all steps on images of its own.
    pub by_image: bool,
}

impl Phase {
    /// Steps that share their work between threads.
    pub fn stealable_steps(&self) -> usize {
        if self.by_image { 1 } else { self.steps.len() }
    }
}

/// Iterator over the phases of an execution. Measures the time between phases if it is profiled.
pub(super) struct Schedule<'a> {
    packed: &'a PackedProgram,
    images: usize,
    by_image: bool,
    /// Index of the next step.
    step: usize,
    /// Images of the batch that the first segment has computed, including the current micro-batch.
    complete: usize,
    /// The time of each step.
    times: Option<&'a mut [Duration]>,
    /// The step whose time is measured, and its start.
    measured: Option<(usize, Instant)>,
}

/// Smallest number of images per thread for which an uneven division of the batch is accepted.
const ENOUGH_IMAGES_PER_THREAD: usize = 8;

impl<'a> Schedule<'a> {
    /// The phases of an execution of `images` images on `threads` threads. If `times` is present,
    /// each phase has one step, whose time is added to its element.
    pub fn new(
        packed: &'a PackedProgram,
        images: usize,
        threads: usize,
        times: Option<&'a mut [Duration]>,
    ) -> Self {
        let even = images.is_multiple_of(threads) || images >= ENOUGH_IMAGES_PER_THREAD * threads;
        let mut schedule = Self {
            packed,
            images,
            by_image: threads > 1 && packed.separate && even,
            step: 0,
            complete: 0,
            times,
            measured: None,
        };
        schedule.complete = images.min(schedule.stride());
        schedule
    }

    /// Images of a micro-batch of the first segment. Micro-batches never shrink from one segment to
    /// the next.
    fn stride(&self) -> usize {
        let first = self.packed.program.steps.first();
        first.map_or(self.images, |step| step.micro_batch)
    }

    /// The phase that starts with the next step, if the images that it reads are complete.
    fn phase(&self) -> Option<Phase> {
        let Self { packed, step, .. } = *self;
        let steps = &packed.program.steps;
        let micro_batch = steps.get(step)?.micro_batch;
        // A segment runs when the inputs of a whole micro-batch are complete, or the batch ends.
        let last = self.complete == self.images;
        if !(self.complete.is_multiple_of(micro_batch) || last) {
            return None;
        }
        let end = if self.times.is_some() {
            step + 1
        } else if self.by_image {
            steps.len()
        } else {
            let ends_phase = packed.ends_phase[step..].iter().position(|ends| *ends);
            ends_phase.map_or(steps.len(), |index| step + index + 1)
        };
        Some(Phase {
            steps: step..end,
            images: (self.complete - 1) / micro_batch * micro_batch..self.complete,
            by_image: self.by_image,
        })
    }
}

impl Iterator for Schedule<'_> {
    type Item = Phase;

    fn next(&mut self) -> Option<Phase> {
        if let (Some(times), Some((step, start))) = (&mut self.times, self.measured.take()) {
            times[step] += start.elapsed();
        }
        loop {
            if let Some(phase) = self.phase() {
                self.step = phase.steps.end;
                self.measured = (self.times.is_some()).then(|| (phase.steps.start, Instant::now()));
                return Some(phase);
            }
            if self.complete == self.images {
                return None;
            }
            self.step = 0;
            self.complete = self.images.min(self.complete + self.stride());
        }
    }
}
