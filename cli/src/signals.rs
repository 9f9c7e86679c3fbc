//! Signals that end the process: SIGINT (Ctrl-C), SIGTERM and SIGHUP.
//!
//! No command leaves scratch files when a signal ends it. A training run stops at the next step
//! instead, and saves a checkpoint.

#[cfg(feature = "train")]
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Whether the first signal is only recorded.
static STOPS_AT_NEXT_STEP: AtomicBool = AtomicBool::new(false);

/// Number of the first signal that was recorded; 0 before.
static RECEIVED: AtomicU8 = AtomicU8::new(0);

/// From now on, the first signal does not end the process but makes [`received`] return its exit
/// code. The second one ends the process.
#[cfg(feature = "train")]
pub fn stop_at_next_step() {
    STOPS_AT_NEXT_STEP.store(true, Ordering::SeqCst);
}

/// Returns the exit code of a process that stops because of the signal that was received, by the
/// convention of shells: 128 plus the number of the signal.
#[cfg(feature = "train")]
pub fn received() -> Option<ExitCode> {
    match RECEIVED.load(Ordering::SeqCst) {
        0 => None,
        signal => Some(ExitCode::from(128 + signal)),
    }
}

/// Records the signal and returns true, or returns false if the process is to end.
fn record(signal: u8) -> bool {
    STOPS_AT_NEXT_STEP.load(Ordering::SeqCst)
        && RECEIVED
            .compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
}

/// Handles the signals from now on. Called before the process starts its threads.
#[cfg(unix)]
pub fn handle() {
    use nix::sys::signal::{SigSet, Signal, raise};

    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .filter(|&signal| !is_ignored(signal as u32))
        .collect();
    // Threads inherit the mask, so that the signals reach only the thread that waits for them.
    if signals.thread_block().is_err() {
        return;
    }
    let wait = move || {
        while let Ok(signal) = signals.wait() {
            if record(signal as u8) {
                continue;
            }
            receptive_layers::scratch::remove_all();
            // The signal ends the process as if it had not been handled, which tells a shell to end
            // its script too.
            let _ = signals.thread_unblock();
            let _ = raise(signal);
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    if thread.spawn(wait).is_err() {
        // Without a thread, signals end the process at once.
        let _ = signals.thread_unblock();
    }
}

/// Whether the process was started with this signal ignored, as `nohup` does with SIGHUP.
#[cfg(unix)]
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Handles Ctrl-C from now on.
#[cfg(not(unix))]
pub fn handle() {
    const SIGINT: u8 = 2;
    // An error means that the process has another handler, which then decides.
    let _ = ctrlc::set_handler(|| {
        if !record(SIGINT) {
            receptive_layers::scratch::remove_all();
            std::process::exit(128 + i32::from(SIGINT));
        }
    });
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn no_signal_that_the_program_handles_is_ignored_by_default() {
        // Rust's runtime ignores SIGPIPE (13).
        assert!(super::is_ignored(13) && !super::is_ignored(15));
    }
}
