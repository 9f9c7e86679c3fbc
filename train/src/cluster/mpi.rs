//! Ranks of MPI.
//!
//! One thread makes all calls of MPI. It owns the messages until they are sent, so a rank that does not
//! answer cannot hold up the caller beyond its timeout.

use std::cell::Cell;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::point_to_point::{Destination, Source};
use mpi::request::{LocalScope, Request, scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::Equivalence;

use super::error::ClusterError;
use super::interface::{Cluster, Message};

/// Tags of messages, and of errors that end the run.
const DATA: i32 = 1;
const ERROR: i32 = 2;

/// Longest part of a message. MPI counts in 32 bits.
const FRAME: usize = 1 << 30;

/// Polls without a pause, after which the thread sleeps between polls.
const BUSY_POLLS: u32 = 2_000;

/// Pause between polls.
const PAUSE: Duration = Duration::from_micros(50);

/// Pause between polls for errors while no exchange is asked for.
const IDLE_PAUSE: Duration = Duration::from_millis(50);

/// Time that other ranks have to take the error of this one.
const ABORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Environment variables that `mpirun` of Open MPI, `mpiexec` of MPICH, and Slurm's `srun` set.
const LAUNCHERS: [&str; 4] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK"];

/// Ranks of MPI.
pub struct Mpi {
    rank: usize,
    ranks: usize,
    /// Longest wait for other ranks.
    timeout: Duration,
    commands: Option<Sender<Command>>,
    replies: Receiver<Reply>,
    /// Whether the message of a rank is missing in the present exchange, by rank.
    missing: Arc<Vec<AtomicBool>>,
    sent: Cell<u64>,
    /// Whether the run failed, so that the thread never ends.
    failed: Cell<bool>,
    /// Whether the thread takes no more commands.
    ended: Cell<bool>,
    thread: Option<JoinHandle<()>>,
}

/// A request to the thread, which ends when the channel closes.
enum Command {
    Exchange(Vec<Message>),
    Abort(String),
}

/// An answer of the thread.
enum Reply {
    Started {
        rank: usize,
        missing: Arc<Vec<AtomicBool>>,
    },
    Received(Vec<Message>),
    Failed {
        rank: usize,
        error: String,
    },
    /// The others have got the error, or time is up.
    Aborted,
}

impl Mpi {
    /// Whether a launcher of MPI has started this process.
    pub fn is_launched() -> bool {
        LAUNCHERS
            .iter()
            .any(|name| std::env::var_os(name).is_some())
    }

    /// Starts MPI. An exchange with a rank that does not answer for `timeout` is an error.
    ///
    /// # Errors
    ///
    /// [`ClusterError::Mpi`] when MPI has been started before, or the thread cannot be started.
    pub fn start(timeout: Duration) -> Result<Self, ClusterError> {
        let (commands, command_receiver) = channel();
        let (reply_sender, replies) = channel();
        let thread = thread::Builder::new()
            .name("mpi".to_owned())
            .spawn(move || serve(&command_receiver, &reply_sender))
            .map_err(|error| ClusterError::Mpi(error.to_string()))?;
        let Ok(Reply::Started { rank, missing }) = replies.recv() else {
            return Err(ClusterError::Mpi("it was started before".to_owned()));
        };
        Ok(Self {
            rank,
            ranks: missing.len(),
            timeout,
            commands: Some(commands),
            replies,
            missing,
            sent: Cell::new(0),
            failed: Cell::new(false),
            ended: Cell::new(false),
            thread: Some(thread),
        })
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // The thread runs as long as this value exists.
            let _ = commands.send(command);
        }
    }

    fn silent(&self) -> ClusterError {
        let missing = |&rank: &usize| self.missing[rank].load(Ordering::Relaxed);
        ClusterError::Silent {
            ranks: (0..self.ranks).filter(missing).collect(),
            seconds: self.timeout.as_secs(),
        }
    }
}

impl Cluster for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.ranks
    }

    fn exchange(&self, messages: Vec<Message>) -> Result<Vec<Message>, ClusterError> {
        if self.failed.get() {
            return Err(ClusterError::Mpi(
                "an exchange has failed before".to_owned(),
            ));
        }
        let others = messages
            .iter()
            .enumerate()
            .filter(|(rank, _)| *rank != self.rank);
        let bytes: usize = others.map(|(_, message)| message.len()).sum();
        self.sent.set(self.sent.get() + bytes as u64);
        self.send(Command::Exchange(messages));
        let error = match self.replies.recv_timeout(self.timeout) {
            Ok(Reply::Received(messages)) => return Ok(messages),
            Ok(Reply::Failed { rank, error }) => {
                self.ended.set(true);
                ClusterError::Failed { rank, error }
            }
            Err(RecvTimeoutError::Timeout) => self.silent(),
            Ok(Reply::Started { .. } | Reply::Aborted) | Err(RecvTimeoutError::Disconnected) => {
                ClusterError::Mpi("its thread has ended".to_owned())
            }
        };
        self.failed.set(true);
        Err(error)
    }

    fn abort(&self, error: &dyn Display) {
        self.failed.set(true);
        if self.ended.replace(true) {
            return;
        }
        self.send(Command::Abort(error.to_string()));
        let deadline = Instant::now() + 2 * ABORT_TIMEOUT;
        // Replies of an interrupted exchange come first.
        while let Ok(reply) = self
            .replies
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if matches!(reply, Reply::Aborted) {
                return;
            }
        }
    }

    fn sent(&self) -> u64 {
        self.sent.get()
    }
}

impl Drop for Mpi {
    /// Ends MPI, which waits for the other ranks; unless this process or the run failed.
    fn drop(&mut self) {
        if thread::panicking() || self.failed.get() {
            // The thread goes on until the process ends.
            return;
        }
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs the thread.
fn serve(commands: &Receiver<Command>, replies: &Sender<Reply>) {
    let Some((universe, _)) = mpi::initialize_with_threading(Threading::Funneled) else {
        return;
    };
    let world = universe.world();
    let missing = (0..world.size()).map(|_| AtomicBool::new(false)).collect();
    let missing: Arc<Vec<AtomicBool>> = Arc::new(missing);
    let started = Reply::Started {
        rank: world.rank() as usize,
        missing: Arc::clone(&missing),
    };
    // The receiver may be gone, when the run is over.
    let _ = replies.send(started);
    let service = Service {
        world,
        commands,
        replies,
        missing: &missing,
    };
    loop {
        match commands.recv_timeout(IDLE_PAUSE) {
            Ok(Command::Exchange(messages)) => {
                let _ = replies.send(Reply::Received(service.exchange(messages)));
            }
            Ok(Command::Abort(error)) => service.abort(&error),
            Err(RecvTimeoutError::Timeout) => service.watch_other_ranks(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The thread's side of the exchanges.
struct Service<'a> {
    world: SimpleCommunicator,
    commands: &'a Receiver<Command>,
    replies: &'a Sender<Reply>,
    missing: &'a [AtomicBool],
}

/// Message of a rank that arrives in frames: its length, then its bytes.
#[derive(Default)]
struct Incoming {
    length: Option<usize>,
    bytes: Vec<u8>,
}

impl Incoming {
    fn is_whole(&self) -> bool {
        self.length == Some(self.bytes.len())
    }

    fn add(&mut self, frame: Vec<u8>) {
        match self.length {
            None => {
                let length = frame
                    .first_chunk()
                    .map_or(0, |&bytes| u64::from_le_bytes(bytes));
                self.length = Some(length as usize);
            }
            Some(_) if self.bytes.is_empty() => self.bytes = frame,
            Some(_) => self.bytes.extend(frame),
        }
    }
}

impl Service<'_> {
    fn own_rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn exchange(&self, mut messages: Vec<Message>) -> Vec<Message> {
        let own_rank = self.own_rank();
        let own = std::mem::take(&mut messages[own_rank]);
        let length = |message: &Message| (message.len() as u64).to_le_bytes();
        let lengths: Vec<[u8; 8]> = messages.iter().map(length).collect();
        let mut incoming: Vec<Incoming> = messages.iter().map(|_| Incoming::default()).collect();
        incoming[own_rank].length = Some(0);
        for (rank, missing) in self.missing.iter().enumerate() {
            missing.store(rank != own_rank, Ordering::Relaxed);
        }
        scope(|scope| {
            let mut sends = Vec::new();
            for rank in (0..messages.len()).filter(|&rank| rank != own_rank) {
                let process = self.world.process_at_rank(rank as i32);
                let frames =
                    std::iter::once(&lengths[rank][..]).chain(messages[rank].chunks(FRAME));
                for frame in frames {
                    let request = process.immediate_send_with_tag(scope, frame, DATA);
                    sends.push((rank, request));
                }
            }
            let mut polls = 0;
            loop {
                let mut progress = false;
                for (rank, message) in incoming.iter_mut().enumerate() {
                    if message.is_whole() {
                        continue;
                    }
                    if let Some(frame) = self.receive(rank, DATA) {
                        message.add(frame);
                        progress = true;
                    }
                }
                sends = pending(sends);
                for (rank, missing) in self.missing.iter().enumerate() {
                    let sending = sends.iter().any(|(to, _)| *to == rank);
                    let is_missing = sending || !incoming[rank].is_whole();
                    missing.store(is_missing, Ordering::Relaxed);
                }
                if sends.is_empty() && incoming.iter().all(Incoming::is_whole) {
                    break;
                }
                self.watch_other_ranks();
                self.watch_own_rank();
                polls = if progress { 0 } else { polls + 1 };
                pause(polls);
            }
        });
        let received = incoming.into_iter().map(|message| message.bytes.into());
        let mut received: Vec<Message> = received.collect();
        received[own_rank] = own;
        received
    }

    /// Receives a message of `rank`, if one has arrived.
    fn receive(&self, rank: usize, tag: i32) -> Option<Vec<u8>> {
        let process = self.world.process_at_rank(rank as i32);
        let (message, status) = process.immediate_matched_probe_with_tag(tag)?;
        let length = status.count(u8::equivalent_datatype());
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        message.matched_receive_into(&mut bytes[..]);
        Some(bytes)
    }

    /// Ends the thread's work if another rank has failed.
    fn watch_other_ranks(&self) {
        for rank in (0..self.missing.len()).filter(|&rank| rank != self.own_rank()) {
            if let Some(error) = self.receive(rank, ERROR) {
                let error = String::from_utf8_lossy(&error).into_owned();
                let _ = self.replies.send(Reply::Failed { rank, error });
                self.park_forever();
            }
        }
    }

    /// Ends the thread's work if this rank fails during an exchange.
    fn watch_own_rank(&self) {
        match self.commands.try_recv() {
            Ok(Command::Abort(error)) => self.abort(&error),
            Ok(Command::Exchange(_)) | Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => self.park_forever(),
        }
    }

    /// Sends `error` to all other ranks, and waits until they have received it or [`ABORT_TIMEOUT`] is over.
    fn abort(&self, error: &str) -> ! {
        let deadline = Instant::now() + ABORT_TIMEOUT;
        scope(|scope| {
            let others = (0..self.missing.len()).filter(|&rank| rank != self.own_rank());
            let sends = others.map(|rank| {
                let process = self.world.process_at_rank(rank as i32);
                let request =
                    process.immediate_synchronous_send_with_tag(scope, error.as_bytes(), ERROR);
                (rank, request)
            });
            let mut sends: Vec<_> = sends.collect();
            while !sends.is_empty() && Instant::now() < deadline {
                sends = pending(sends);
                thread::sleep(PAUSE);
            }
            let _ = self.replies.send(Reply::Aborted);
            self.park_forever()
        })
    }

    /// Waits until the process ends. Messages that were not sent stay valid.
    fn park_forever(&self) -> ! {
        loop {
            thread::park();
        }
    }
}

/// A message on its way to a rank.
type Sending<'a, 's> = (usize, Request<'a, [u8], &'s LocalScope<'a>>);

/// Returns the messages that are not sent.
fn pending<'a, 's>(sends: Vec<Sending<'a, 's>>) -> Vec<Sending<'a, 's>> {
    let sends = sends.into_iter();
    sends
        .filter_map(|(rank, request)| Some((rank, request.test().err()?)))
        .collect()
}

fn pause(polls: u32) {
    match polls < BUSY_POLLS {
        true => thread::yield_now(),
        false => thread::sleep(PAUSE),
    }
}
