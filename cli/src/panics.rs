//! Panics of libraries, turned into errors.

use std::backtrace::Backtrace;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

/// Message of the first panic of any thread since [`catch_panics`] last returned one.
static FIRST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs `command` and returns its value, or the message of the first panic of any thread.
///
/// Prints a backtrace to standard error for each panic if `RUST_BACKTRACE` is set.
///
/// # Errors
///
/// If `command` panics: the message of the panic and its source location.
pub fn catch_panics<T>(command: impl FnOnce() -> T) -> Result<T, String> {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let location = info.location().map(ToString::to_string);
        let message = info.payload_as_str().unwrap_or("unknown failure");
        let text = format!("{message} (at {})", location.unwrap_or_default());
        FIRST_PANIC
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(text);
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            let _ = writeln!(io::stderr(), "{}", Backtrace::force_capture());
        }
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(command));
    panic::set_hook(default_hook);
    outcome.map_err(|_| {
        FIRST_PANIC
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .unwrap_or_default()
    })
}

/// Whether the message of a panic says that a library could not start a thread, which the standard
/// library and rayon answer with a panic.
pub fn is_without_threads(message: &str) -> bool {
    message.contains("failed to spawn thread")
        || message.contains("ThreadPoolBuildError { kind: IOError")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_message_and_location() {
        assert_eq!(catch_panics(|| 7), Ok(7));
        let message = catch_panics(|| panic!("no adapter")).expect_err("it panics");
        assert!(message.starts_with("no adapter (at "), "{message}");
    }
}
