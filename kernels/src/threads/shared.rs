//! Memory that several threads write.

/// The first of floats of which each thread writes some of its own.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: an address; those who write there say which part is theirs.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Of `values`, which nobody else may use while a thread has the address.
    pub fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// Of memory that is not initialised yet.
    pub fn uninit(values: &mut [std::mem::MaybeUninit<f32>]) -> Self {
        Self(values.as_mut_ptr().cast())
    }

    /// The address of the float at `at`.
    ///
    /// # Safety
    ///
    /// There are more than `at` floats, or as many.
    pub unsafe fn at(self, at: usize) -> *mut f32 {
        unsafe { self.0.add(at) }
    }
}
