//! Ranks that are threads of the test. They compute one at a time, because Burn's CPU backends have one
//! random number generator in a process.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::share::gather;
use super::*;

/// Longest wait for a message.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A message, or the error that its rank ended with.
type Sent = Result<Message, String>;

/// The turn to compute.
#[derive(Default)]
struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

impl Turn {
    fn take(&self) {
        let taken = self.taken.lock().expect("no panic");
        *self
            .free
            .wait_while(taken, |taken| *taken)
            .expect("no panic") = true;
    }

    fn give(&self) {
        *self.taken.lock().expect("no panic") = false;
        self.free.notify_one();
    }
}

/// A rank that is a thread.
struct Thread<'a> {
    turn: &'a Turn,
    rank: usize,
    senders: Vec<Sender<(usize, Sent)>>,
    receiver: Receiver<(usize, Sent)>,
    /// Messages that arrived before those of other ranks, by rank.
    early: RefCell<Vec<VecDeque<Sent>>>,
    sent: Cell<u64>,
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        self.turn.give();
    }
}

impl Thread<'_> {
    /// Receives the next message of every rank.
    fn receive(&self) -> Result<Vec<Message>, ClusterError> {
        let mut early = self.early.borrow_mut();
        let silent = |early: &[VecDeque<Sent>]| -> Vec<usize> {
            (0..early.len())
                .filter(|&rank| early[rank].is_empty())
                .collect()
        };
        while !silent(&early).is_empty() {
            match self.receiver.recv_timeout(TIMEOUT) {
                Ok((rank, message)) => early[rank].push_back(message),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(ClusterError::Silent {
                        ranks: silent(&early),
                        seconds: TIMEOUT.as_secs(),
                    });
                }
            }
        }
        let received = early.iter_mut().enumerate().map(|(rank, messages)| {
            let message = messages.pop_front().expect("a message");
            message.map_err(|error| ClusterError::Failed { rank, error })
        });
        received.collect()
    }
}

impl Cluster for Thread<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.senders.len()
    }

    fn exchange(&self, messages: Vec<Message>) -> Result<Vec<Message>, ClusterError> {
        for (rank, message) in messages.into_iter().enumerate() {
            if rank != self.rank {
                self.sent.set(self.sent.get() + message.len() as u64);
            }
            // A rank that has ended does not receive.
            let _ = self.senders[rank].send((self.rank, Ok(message)));
        }
        self.turn.give();
        let received = self.receive();
        self.turn.take();
        received
    }

    fn abort(&self, error: &dyn Display) {
        for (rank, sender) in self.senders.iter().enumerate() {
            if rank != self.rank {
                let _ = sender.send((self.rank, Err(error.to_string())));
            }
        }
    }

    fn sent(&self) -> u64 {
        self.sent.get()
    }
}

/// Runs `compute` on as many threads as ranks, and returns the results by rank.
pub fn on_threads<R: Send>(ranks: usize, compute: impl Fn(&dyn Cluster) -> R + Sync) -> Vec<R> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..ranks).map(|_| channel()).unzip();
    let (compute, turn) = (&compute, &Turn::default());
    thread::scope(|scope| {
        let threads: Vec<_> = receivers
            .into_iter()
            .enumerate()
            .map(|(rank, receiver)| {
                let senders = senders.clone();
                scope.spawn(move || {
                    turn.take();
                    compute(&Thread {
                        turn,
                        rank,
                        senders,
                        receiver,
                        early: RefCell::new(vec![VecDeque::new(); ranks]),
                        sent: Cell::new(0),
                    })
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a rank"))
            .collect()
    })
}

#[test]
fn every_rank_gets_the_message_of_every_other() {
    let received = on_threads(3, |cluster| {
        let rank = cluster.rank() as u8;
        let messages = (0..3).map(|to| vec![rank, to].into()).collect();
        cluster.exchange(messages).expect("messages")
    });
    for (rank, messages) in received.into_iter().enumerate() {
        for (from, message) in messages.iter().enumerate() {
            assert_eq!(message[..], [from as u8, rank as u8]);
        }
    }
}

#[test]
fn the_error_of_a_rank_ends_the_others() {
    let results = on_threads(3, |cluster| {
        if cluster.rank() == 1 {
            cluster.abort(&"no space left");
            return None;
        }
        Some(gather(cluster, &cluster.rank()))
    });
    for result in [&results[0], &results[2]] {
        let error = result.as_ref().expect("a rank that goes on").as_ref();
        let error = error.expect_err("an error").to_string();
        assert_eq!(error, "rank 1 ended: no space left");
    }
}
