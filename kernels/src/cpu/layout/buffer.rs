//! Aligned memory for weights and maps.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::allocator::try_allocate;

/// A fixed number of zeroed floats, aligned to cache lines. Large buffers are aligned to huge
/// pages, which the operating system is advised to use: streaming weights through 4 KiB pages costs
/// a tenth of the time.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<f32>,
    len: usize,
}

const LINE: usize = 64;
const LARGE_PAGE: usize = 2 << 20;

impl Buffer {
    /// A buffer of `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        // Not through `try_zeroed`, so that a failure ends the process by its allocator.
        Self::allocate(len).unwrap_or_else(|| handle_alloc_error(Self::layout(len)))
    }

    /// A buffer of `len` zeros, or `None` if the memory cannot be allocated.
    pub fn try_zeroed(len: usize) -> Option<Self> {
        try_allocate(|| Self::allocate(len))
    }

    fn allocate(len: usize) -> Option<Self> {
        if len > isize::MAX as usize / size_of::<f32>() - LARGE_PAGE {
            return None;
        }
        let layout = Self::layout(len);
        if len == 0 {
            return Some(Self {
                start: NonNull::dangling(),
                len,
            });
        }
        let large = layout.align() == LARGE_PAGE;
        // SAFETY: the size of the layout is not 0.
        let start = unsafe {
            if large {
                alloc(layout)
            } else {
                alloc_zeroed(layout)
            }
        };
        let start = NonNull::new(start.cast::<f32>())?;
        #[cfg(target_os = "linux")]
        if large {
            // SAFETY: the range is this allocation; the advice does not change its content.
            unsafe {
                libc::madvise(
                    start.as_ptr().cast::<libc::c_void>(),
                    layout.size(),
                    libc::MADV_HUGEPAGE,
                )
            };
        }
        if large {
            // SAFETY: the range is this allocation. Written after the advice, since the first write
            // maps the pages.
            unsafe { start.as_ptr().write_bytes(0, len) };
        }
        Some(Self { start, len })
    }

    fn layout(len: usize) -> Layout {
        let bytes = len
            .checked_mul(size_of::<f32>())
            .expect("a buffer smaller than the address space");
        let align = if bytes >= LARGE_PAGE {
            LARGE_PAGE
        } else {
            LINE
        };
        Layout::from_size_align(bytes, align).expect("a buffer smaller than the address space")
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the buffer owns `len` initialized floats, borrowed by `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: the buffer owns `len` initialized floats, borrowed mutably by `self`.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: the memory was allocated in `zeroed` with the same layout.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.len)) };
        }
    }
}

// SAFETY: the buffer owns its floats, as a `Vec<f32>` does.
unsafe impl Send for Buffer {}
// SAFETY: a shared reference gives read access only.
unsafe impl Sync for Buffer {}
