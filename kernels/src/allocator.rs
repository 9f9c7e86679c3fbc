//! Global allocator for programs: an allocation that fails ends the process with a message.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

/// The system's allocator. When it has no memory left, it prints a line that starts with `error:` and
/// ends the process with exit code 2, where Rust would abort. [`try_allocate`] is an exception.
#[derive(Debug, Default, Clone, Copy)]
pub struct ExitWithoutMemory;

/// Exit code of a process without memory.
const EXIT_CODE: i32 = 2;

thread_local! {
    /// Whether the thread handles failed allocations itself.
    static HANDLES_FAILURES: Cell<bool> = const { Cell::new(false) };
}

/// Runs `allocate`, whose failed allocations do not end the process. It handles them, as
/// `Vec::try_reserve` does.
pub fn try_allocate<T>(allocate: impl FnOnce() -> T) -> T {
    let before = HANDLES_FAILURES.replace(true);
    let value = allocate();
    HANDLES_FAILURES.set(before);
    value
}

/// Ends the process after an allocation of `bytes` bytes failed, or returns if the thread handles
/// failures.
#[cold]
fn failed(bytes: usize) {
    // The variable of a thread that ends is gone.
    if HANDLES_FAILURES.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    // A second failure, while the message is printed, is handled like the first one's caller.
    let _ = HANDLES_FAILURES.try_with(|handles| handles.set(true));
    let mut line = [0; 80];
    let mut rest = &mut line[..];
    let _ = writeln!(
        rest,
        "error: out of memory: {bytes} bytes cannot be allocated"
    );
    let unused = rest.len();
    let length = line.len() - unused;
    let _ = std::io::stderr().write_all(&line[..length]);
    std::process::exit(EXIT_CODE);
}

// SAFETY: all calls are forwarded to the system's allocator with the same arguments, and its results
// are returned.
unsafe impl GlobalAlloc for ExitWithoutMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's guarantees are those of `System`.
        let start = unsafe { System.alloc(layout) };
        if start.is_null() {
            failed(layout.size());
        }
        start
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's guarantees are those of `System`.
        let start = unsafe { System.alloc_zeroed(layout) };
        if start.is_null() {
            failed(layout.size());
        }
        start
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's guarantees are those of `System`.
        let moved = unsafe { System.realloc(start, layout, size) };
        if moved.is_null() {
            failed(size);
        }
        moved
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's guarantees are those of `System`.
        unsafe { System.dealloc(start, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_the_systems_and_handled_failures_return() {
        let layout = Layout::from_size_align(100, 64).unwrap();
        // SAFETY: the layout is not empty, and the memory is freed once with its layout.
        unsafe {
            let start = ExitWithoutMemory.alloc_zeroed(layout);
            assert_eq!((start.align_offset(64), *start), (0, 0));
            let start = ExitWithoutMemory.realloc(start, layout, 1000);
            let layout = Layout::from_size_align(1000, 64).unwrap();
            ExitWithoutMemory.dealloc(start, layout);
        }
        let huge = Layout::from_size_align(isize::MAX as usize - 4096, 1).unwrap();
        // SAFETY: the layout is not empty.
        let start = try_allocate(|| unsafe { ExitWithoutMemory.alloc(huge) });
        // The compiler may assume that memory which nobody uses was allocated.
        assert!(std::hint::black_box(start).is_null());
        assert!(!HANDLES_FAILURES.get());
    }
}
