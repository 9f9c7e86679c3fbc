//! A slice of floats that several threads write at disjoint offsets.

/// Address of the first float of a slice that is shared by threads.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: the type holds an address only; callers of `at` guarantee that threads write disjoint
// elements.
unsafe impl Send for Shared {}
// SAFETY: see `Send`.
unsafe impl Sync for Shared {}

impl Shared {
    /// Shares `values`, which must not be used otherwise while a thread holds the address.
    pub fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// Shares uninitialized memory.
    pub fn uninit(values: &mut [std::mem::MaybeUninit<f32>]) -> Self {
        Self(values.as_mut_ptr().cast())
    }

    /// Address of the float at offset `at`.
    ///
    /// # Safety
    ///
    /// `at` is at most the length of the slice.
    pub unsafe fn at(self, at: usize) -> *mut f32 {
        // SAFETY: the caller guarantees that the offset is within the slice.
        unsafe { self.0.add(at) }
    }
}
