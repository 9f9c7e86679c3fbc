//! A failure inside a library becomes an error like any other.

use std::backtrace::Backtrace;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

/// What the first failure said.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Runs `command`; where it panics, the message of the first panic of any thread.
///
/// # Errors
///
/// The message and its place in the source.
pub fn catch_panics<T>(command: impl FnOnce() -> T) -> Result<T, String> {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        let message = info.payload_as_str().unwrap_or("unknown failure");
        let text = format!("{message} (at {})", place.unwrap_or_default());
        FIRST
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(text);
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            let _ = writeln!(io::stderr(), "{}", Backtrace::force_capture());
        }
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(command));
    panic::set_hook(standard);
    outcome.map_err(|_| {
        FIRST
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        assert_eq!(catch_panics(|| 7), Ok(7));
        let told = catch_panics(|| panic!("no adapter")).expect_err("it panics");
        assert!(told.starts_with("no adapter (at "), "{told}");
    }
}
