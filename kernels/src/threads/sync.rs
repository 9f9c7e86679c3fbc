//! Atomics, cells and threads: the standard library's, or loom's in a test with `--cfg loom`.

#[cfg(not(all(test, loom)))]
mod types {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use std::sync::{Mutex, MutexGuard};
    pub(crate) use std::{hint, thread};

    /// `std::cell::UnsafeCell` with the interface of loom's.
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// Calls `function` with an address for reads.
        #[inline]
        pub fn with<R>(&self, function: impl FnOnce(*const T) -> R) -> R {
            function(self.0.get())
        }

        /// Calls `function` with an address for reads and writes.
        #[inline]
        pub fn with_mut<R>(&self, function: impl FnOnce(*mut T) -> R) -> R {
            function(self.0.get())
        }
    }
}

#[cfg(all(test, loom))]
mod types {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::{hint, thread};
}

pub(crate) use types::*;
