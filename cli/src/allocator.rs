//! The process's heap while a network is trained.

/// Keeps the memory that is freed for what is allocated next, until the process ends.
///
/// A step of training frees as much as it allocates, the same sizes again. glibc gives arrays of megabytes back to
/// the system, which fills them with zeros page by page when the next step asks for them: a tenth of a step's time and
/// more. What is kept is never more than the step's own peak, about. Nothing happens with another C library.
///
/// For a program's `main`: it is the whole process's allocator that changes.
#[allow(unsafe_code)]
pub(crate) fn retain_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: allocator options, which `mallopt` sets under its own lock.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        // A mapping of its own is given back whatever the threshold.
        libc::mallopt(libc::M_MMAP_MAX, 0);
    }
}
