//! Phaser: a barrier whose members come and go (Shirako, Peixotto, Sarkar & Scherer, "Phasers: a
//! Unified Deadlock-Free Construct for Collective and Point-to-Point Synchronization", 2008).
//!
//! Work is divided into phases, and a phase is divided into chunks that any member may claim. A
//! barrier would wait for threads to arrive. A phaser waits for work to be finished: a phase is
//! complete when all of its chunks are claimed and no member is inside. A thread that the operating
//! system does not run delays the others only if it holds a chunk.
//!
//! A member leaves a phase when it finds no chunk left to claim. The last member to leave closes the
//! phase and opens the next one. A member that has left spins for the next phase for a while; then it
//! sleeps. A spinning member is inside the next phase from the moment that it opens, so that entering
//! does not cost a write to the shared cache line. A sleeping member is woken when the next phase
//! opens, and enters the phase that it finds.

use super::sync::{AtomicU64, Ordering, hint, thread};

/// Largest number of members.
pub(super) const MAX_MEMBERS: usize = COUNT as usize;

// The state, from the lowest bit: members inside the phase, members that spin, members that have
// been inside the phase, flags, and the number of the phase, which wraps around. A member that spins
// or is inside prevents the number from passing it. A sleeping member misses a phase if the number
// wraps around in its sleep to the same value.
const COUNT: u64 = (1 << 12) - 1;
const INSIDE: u64 = 1;
const SPINNING: u64 = 1 << 12;
const PARTICIPANT: u64 = 1 << 24;
/// A member sleeps, or did when the phase opened.
const ASLEEP: u64 = 1 << 36;
/// All work of the phase is finished, and one member prepares the next phase.
const CLOSED: u64 = 1 << 37;
/// There is no work.
const IDLE: u64 = 1 << 38;
/// Members shall terminate.
const STOPPED: u64 = 1 << 39;
const PHASE: u64 = 1 << 40;

/// State of the members of a team. The state has two cache lines of its own, since processors
/// prefetch lines in pairs.
#[repr(align(128))]
pub(super) struct Phaser(AtomicU64);

#[derive(Clone, Copy)]
struct State(u64);

impl State {
    fn inside(self) -> u64 {
        self.0 & COUNT
    }

    fn spinning(self) -> u64 {
        (self.0 / SPINNING) & COUNT
    }

    fn participants(self) -> u64 {
        (self.0 / PARTICIPANT) & COUNT
    }

    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    fn is_open(self) -> bool {
        self.0 & (CLOSED | IDLE) == 0
    }

    fn phase(self) -> u64 {
        self.0 / PHASE
    }

    /// The next phase, with the spinning members and the caller inside.
    fn next(self) -> Self {
        let members = self.spinning() + 1;
        let phase = self.phase().wrapping_add(1);
        Self(phase.wrapping_mul(PHASE) | (members * INSIDE) | (members * PARTICIPANT))
    }
}

/// One thread's relation to a phaser.
pub(super) struct Member {
    /// The phase that the thread is inside, or has left.
    phase: Option<u64>,
    /// Whether the thread is among those that spin.
    spins: bool,
    /// Whether the end of the work ends the wait of this member.
    is_caller: bool,
}

/// The end of a wait.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// The member is inside a phase.
    Entered,
    /// The work has ended, and the member is the caller.
    Ended,
    /// The member shall terminate.
    Stopped,
}

impl Member {
    /// A member that waits for work, or the caller, who starts it.
    pub fn new(is_caller: bool) -> Self {
        Self {
            phase: None,
            spins: false,
            is_caller,
        }
    }
}

impl Phaser {
    /// An idle phaser without members.
    pub fn new() -> Self {
        Self(AtomicU64::new(IDLE))
    }

    /// Opens the next phase, with this member inside. The phaser is idle and the member is the caller,
    /// or this member closed the phase before. Returns whether members sleep.
    pub fn open(&self, member: &mut Member) -> bool {
        let before = self.update(Ordering::Release, State::next);
        member.phase = Some(before.next().phase());
        before.has(ASLEEP)
    }

    /// Ends the work, after this member closed the last phase. Returns whether members sleep, the
    /// caller perhaps among them.
    pub fn end(&self, member: &mut Member) -> bool {
        let spins = if member.is_caller { 0 } else { SPINNING };
        member.spins = !member.is_caller;
        let before = self.update(Ordering::Release, |state| {
            State((state.0 & !CLOSED | IDLE) + spins)
        });
        before.has(ASLEEP)
    }

    /// Leaves a phase that has no unclaimed work. If the member is the last one, closes the phase and
    /// returns the number of members that took part in it.
    pub fn leave(&self, member: &mut Member) -> Option<usize> {
        let change = SPINNING - INSIDE;
        // Release: the next phase reads what this member wrote. Acquire: see below.
        let before = self.0.fetch_add(change, Ordering::AcqRel);
        let mut state = State(before + change);
        member.spins = true;
        while state.is_open() && Some(state.phase()) == member.phase && state.inside() == 0 {
            let closed = (state.0 | CLOSED) - SPINNING;
            // Acquire: this member and the next phase read what all members wrote.
            match (self.0).compare_exchange_weak(
                state.0,
                closed,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    member.spins = false;
                    return Some(state.participants() as usize);
                }
                Err(now) => state = State(now),
            }
        }
        None
    }

    /// Blocks until this member is inside a phase that it has not left before, or the work ends.
    /// Spins `spins` times before it sleeps.
    pub fn wait(&self, member: &mut Member, spins: usize) -> Event {
        loop {
            if let Some(event) = self.enter(member) {
                return event;
            }
            if let Some(event) = self.spin(member, spins) {
                return event;
            }
            // Returns at once if `unpark` was called first.
            thread::park();
        }
    }

    /// Tells all members to terminate. The phaser is idle, and the caller unparks all members.
    pub fn stop(&self) {
        self.update(Ordering::Relaxed, |state| State(state.0 | STOPPED));
    }

    /// Enters the open phase, or joins the members that spin for the next one.
    fn enter(&self, member: &mut Member) -> Option<Event> {
        let mut state = self.load();
        while !member.spins {
            if let Some(event) = state.event(member) {
                return Some(event);
            }
            let enters = state.is_open() && member.phase != Some(state.phase());
            let after = match enters {
                true => state.0 + INSIDE + PARTICIPANT,
                false => state.0 + SPINNING,
            };
            match (self.0).compare_exchange_weak(
                state.0,
                after,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    member.phase = Some(state.phase());
                    if enters {
                        return Some(Event::Entered);
                    }
                    member.spins = true;
                }
                Err(now) => state = State(now),
            }
        }
        None
    }

    /// Spins until the next phase opens or the work ends. Returns `None` if the member has announced
    /// that it sleeps.
    fn spin(&self, member: &mut Member, mut spins: usize) -> Option<Event> {
        let mut state = self.load();
        loop {
            // Only the opening of a phase changes the number, and it took this member inside.
            if member.phase != Some(state.phase()) {
                member.phase = Some(state.phase());
                member.spins = false;
                return Some(Event::Entered);
            }
            if let Some(event) = state.event(member) {
                self.update(Ordering::Relaxed, |state| State(state.0 - SPINNING));
                member.spins = false;
                return Some(event);
            }
            if spins > 0 {
                spins -= 1;
                hint::spin_loop();
                state = self.load();
                continue;
            }
            let asleep = (state.0 - SPINNING) | ASLEEP;
            match (self.0).compare_exchange_weak(
                state.0,
                asleep,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    member.spins = false;
                    return None;
                }
                Err(now) => state = State(now),
            }
        }
    }

    fn load(&self) -> State {
        State(self.0.load(Ordering::Acquire))
    }

    /// Replaces the state by `change(state)` and returns the state before.
    fn update(&self, order: Ordering, change: impl Fn(State) -> State) -> State {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let after = change(State(before)).0;
            match (self.0).compare_exchange_weak(before, after, order, Ordering::Relaxed) {
                Ok(_) => return State(before),
                Err(now) => before = now,
            }
        }
    }
}

impl State {
    /// Whether the wait of `member` ends without a phase.
    fn event(self, member: &Member) -> Option<Event> {
        if self.has(STOPPED) {
            Some(Event::Stopped)
        } else if self.has(IDLE) && member.is_caller {
            Some(Event::Ended)
        } else {
            None
        }
    }
}
