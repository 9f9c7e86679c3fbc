//! Settings of the C allocator for training.

/// Keeps freed memory in the process until the process ends.
///
/// Each training step frees and allocates the same sizes. By default glibc returns large arrays to
/// the operating system, which zeroes their pages when the next step allocates them again: more
/// than a tenth of the time of a step. The retained memory is about the peak of one step at most.
///
/// The setting applies to the whole process. With a C library other than glibc, this function does
/// nothing.
#[allow(unsafe_code)]
pub(crate) fn retain_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes plain integers and changes the allocator's options under its own
    // lock.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        // Arrays in their own memory mapping are unmapped when freed, whatever the threshold.
        libc::mallopt(libc::M_MMAP_MAX, 0);
    }
}
