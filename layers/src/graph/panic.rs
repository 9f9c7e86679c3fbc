//! Panics of a recorded `forward`, as messages.
//!
//! Burn reports a tensor of an unexpected shape by a panic, so a `forward` panics on images that its
//! network does not accept.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether panics of this thread are caught by [`catch_panic`], and print no message.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`, and returns the message of its panic in one line if `call` panics. The panic hook
/// does not run.
pub(super) fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    // The hook is global, so it is wrapped once and never restored.
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                hook(info);
            }
        }));
    });
    let outer = CAUGHT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    CAUGHT.set(outer);
    result.map_err(|payload| message(&*payload))
}

/// Returns the text of a panic in one line, without the headings of Burn's messages.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = match payload.downcast_ref::<String>() {
        Some(text) => text,
        None => payload.downcast_ref::<&str>().copied().unwrap_or("a panic"),
    };
    let text = text.replace("=== Tensor Operation Error ===", " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_message_in_one_line() {
        assert_eq!(catch_panic(|| 1), Ok(1));
        let message = catch_panic(|| panic!("two\n  lines {}", 2)).unwrap_err();
        assert_eq!(message, "two lines 2");
        let nested = catch_panic(|| catch_panic(|| panic!("inner")).is_err());
        assert_eq!(nested, Ok(true));
    }
}
