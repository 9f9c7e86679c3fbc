//! Parallel processing of a stream of photos, in order and with bounded memory.
//!
//! [`run`] divides inputs into batches. Each worker thread takes the next batch, and decodes, resizes
//! and classifies its photos from beginning to end, so that all cores are busy whatever the shares of
//! decoder and network are. With a plan of one thread, the computations of workers do not wait for each other. Results are
//! delivered in the order of the inputs, and few batches are in memory at any time.
//!
//! ```
//! use std::num::NonZero;
//! use std::ops::ControlFlow;
//!
//! use receptive_layers::pipeline;
//!
//! let workers = NonZero::new(4).unwrap();
//! let mut squares = Vec::new();
//! pipeline::run(
//!     0..10,
//!     3,
//!     workers,
//!     |batch: Vec<u32>| batch.iter().map(|n| n * n).collect(),
//!     |square| {
//!         squares.push(square);
//!         ControlFlow::Continue(())
//!     },
//! );
//! assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
//! ```

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Batches that a worker may be ahead of the delivery.
const BATCHES_AHEAD: usize = 4;

/// Calls `work` for consecutive batches of up to `batch` inputs on `workers` threads, and `deliver` on
/// the calling thread for each result, in the order of the inputs. Ends when the inputs or `deliver`
/// end.
///
/// At most four batches for each worker are between `inputs` and `deliver`. `inputs` is advanced by one
/// worker at a time.
///
/// # Panics
///
/// If `work` or `inputs` panics, or a thread cannot be started. Results that are not delivered by then are
/// dropped.
pub fn run<I, T>(
    inputs: I,
    batch: usize,
    workers: NonZero<usize>,
    work: impl Fn(Vec<I::Item>) -> Vec<T> + Sync,
    mut deliver: impl FnMut(T) -> ControlFlow<()>,
) where
    I: IntoIterator,
    I::IntoIter: Send,
    T: Send,
{
    let source = Mutex::new(Source {
        inputs: inputs.into_iter().fuse(),
        next: 0,
    });
    let queue = Queue {
        state: Mutex::new(QueueState {
            done: BTreeMap::new(),
            delivered: 0,
            workers: workers.get(),
            stopped: false,
        }),
        changed: Condvar::new(),
        ahead: BATCHES_AHEAD * workers.get(),
    };
    thread::scope(|scope| {
        // Before the threads start: if one cannot start, the others must end.
        let _stops = Stop(&queue);
        let mut handles = Vec::new();
        for _ in 0..workers.get() {
            handles.push(scope.spawn(|| {
                let _leaves = Leave(&queue);
                loop {
                    let taken = lock(&source).take(batch.max(1));
                    let Some((number, inputs)) = taken else { break };
                    if !queue.wait_for_turn(number) {
                        break;
                    }
                    queue.put(number, work(inputs));
                }
            }));
        }
        while let Some(results) = queue.next() {
            for result in results {
                if deliver(result).is_break() {
                    return;
                }
            }
        }
        for handle in handles {
            if let Err(panic) = handle.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// The inputs that no worker has taken yet.
struct Source<I> {
    inputs: I,
    /// Number of the next batch.
    next: usize,
}

impl<I: Iterator> Source<I> {
    /// Returns the next `batch` inputs, fewer at the end, and the number of the batch.
    fn take(&mut self, batch: usize) -> Option<(usize, Vec<I::Item>)> {
        let inputs: Vec<I::Item> = self.inputs.by_ref().take(batch).collect();
        if inputs.is_empty() {
            return None;
        }
        self.next += 1;
        Some((self.next - 1, inputs))
    }
}

/// Results that wait for their delivery.
struct Queue<T> {
    state: Mutex<QueueState<T>>,
    changed: Condvar,
    /// Batches between the last delivered one and the newest one that is worked on.
    ahead: usize,
}

struct QueueState<T> {
    /// Results of a batch by its number.
    done: BTreeMap<usize, Vec<T>>,
    /// Number of batches that are delivered.
    delivered: usize,
    /// Number of workers that have not ended.
    workers: usize,
    /// Whether no further result is delivered.
    stopped: bool,
}

impl<T> Queue<T> {
    /// Waits until batch `number` is less than `ahead` batches ahead of the delivery. Returns false if
    /// no further result is delivered.
    fn wait_for_turn(&self, number: usize) -> bool {
        let mut state = lock(&self.state);
        while !state.stopped && number >= state.delivered + self.ahead {
            state = wait(&self.changed, state);
        }
        !state.stopped
    }

    fn put(&self, number: usize, results: Vec<T>) {
        lock(&self.state).done.insert(number, results);
        self.changed.notify_all();
    }

    /// Waits for the next batch in order. Returns `None` after the last one.
    fn next(&self) -> Option<Vec<T>> {
        let mut state = lock(&self.state);
        loop {
            let delivered = state.delivered;
            if let Some(results) = state.done.remove(&delivered) {
                state.delivered += 1;
                self.changed.notify_all();
                return Some(results);
            }
            if state.workers == 0 || state.stopped {
                return None;
            }
            state = wait(&self.changed, state);
        }
    }
}

/// Counts the end of a worker. A panic of the worker ends the delivery.
struct Leave<'a, T>(&'a Queue<T>);

impl<T> Drop for Leave<'_, T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.workers -= 1;
        state.stopped |= thread::panicking();
        self.0.changed.notify_all();
    }
}

/// Ends the workers when the delivery ends.
struct Stop<'a, T>(&'a Queue<T>);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        lock(&self.0.state).stopped = true;
        self.0.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(changed: &Condvar, state: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    changed.wait(state).unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn workers(count: usize) -> NonZero<usize> {
        NonZero::new(count).unwrap()
    }

    /// Waits for some microseconds that differ between numbers.
    fn delay(number: usize) {
        thread::sleep(Duration::from_micros((number * 7919 % 97) as u64));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn results_are_in_order_and_few_inputs_are_taken_ahead(
            count in 0_usize..200,
            batch in 1_usize..9,
            threads in 1_usize..6,
        ) {
            let taken = AtomicUsize::new(0);
            let mut results = Vec::new();
            let mut furthest = 0;
            run(
                (0..count).inspect(|_| { taken.fetch_add(1, Ordering::Relaxed); }),
                batch,
                workers(threads),
                |batch| {
                    delay(batch[0]);
                    batch.into_iter().map(|n| 2 * n).collect()
                },
                |result| {
                    furthest = furthest.max(taken.load(Ordering::Relaxed) - results.len());
                    results.push(result);
                    ControlFlow::Continue(())
                },
            );
            prop_assert_eq!(results, (0..count).map(|n| 2 * n).collect::<Vec<_>>());
            // The batch in delivery, and a batch that each worker holds back.
            let bound = batch * (BATCHES_AHEAD * threads + threads + 1);
            prop_assert!(furthest <= bound, "{} inputs are ahead, expected {}", furthest, bound);
        }

        #[test]
        fn a_break_ends_the_run(count in 1_usize..200, last in 0_usize..200, threads in 1_usize..6) {
            let mut results = Vec::new();
            run(0..count, 4, workers(threads), |batch| batch, |result| {
                results.push(result);
                if result == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            prop_assert_eq!(results, (0..count.min(last + 1)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_of_a_worker_ends_the_run() {
        let mut results = Vec::new();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            run(
                0..1000,
                2,
                workers(3),
                |batch: Vec<usize>| {
                    assert!(batch[0] != 100, "batch of image 100");
                    batch
                },
                |result| {
                    results.push(result);
                    ControlFlow::Continue(())
                },
            );
        }));
        let panic = ended.unwrap_err();
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
        assert_eq!(message.unwrap(), "batch of image 100");
        assert!(results.len() <= 100);
        assert!(results.iter().enumerate().all(|(n, &result)| n == result));
    }
}
