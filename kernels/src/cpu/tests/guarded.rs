//! Memory whose ends are watched.

use std::ops::{Deref, DerefMut};

/// A NaN that no arithmetic makes.
pub(crate) const CANARY: f32 = f32::from_bits(0x7fca_fe11);

/// Floats of which the last ends where a page begins that nobody may touch, and before which lie
/// canaries and another such page. Filled with canaries at first.
///
/// Where pages cannot be guarded, canaries lie on both sides.
pub(crate) struct Guarded {
    whole: Whole,
    start: usize,
}

impl Guarded {
    /// `len` canaries.
    pub fn new(len: usize) -> Self {
        let mut whole = Whole::new(len);
        whole.fill(CANARY);
        let start = whole.len() - Whole::AFTER - len;
        Self { whole, start }
    }

    /// A copy of `values`.
    pub fn of(values: &[f32]) -> Self {
        let mut guarded = Self::new(values.len());
        guarded.copy_from_slice(values);
        guarded
    }

    fn canaries(&self) -> impl Iterator<Item = &f32> {
        let end = self.whole.len() - Whole::AFTER;
        self.whole[..self.start].iter().chain(&self.whole[end..])
    }
}

impl Deref for Guarded {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.whole[self.start..self.whole.len() - Whole::AFTER]
    }
}

impl DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut [f32] {
        let end = self.whole.len() - Whole::AFTER;
        &mut self.whole[self.start..end]
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let intact = self.canaries().all(|x| x.to_bits() == CANARY.to_bits());
        assert!(
            intact || std::thread::panicking(),
            "written outside of its memory"
        );
    }
}

#[cfg(unix)]
use pages::Whole;

#[cfg(unix)]
mod pages {
    use std::ops::{Deref, DerefMut};
    use std::ptr::NonNull;

    /// Whole pages between two that nobody may touch.
    pub struct Whole {
        start: NonNull<u8>,
        pages: usize,
        page: usize,
    }

    impl Whole {
        /// Canaries after the floats.
        pub const AFTER: usize = 0;

        /// Room for `len` floats.
        pub fn new(len: usize) -> Self {
            // SAFETY: asks a number.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
            let pages = (len * size_of::<f32>()).div_ceil(page);
            let bytes = (pages + 2) * page;
            // SAFETY: a new mapping of our own; only the pages in between are made accessible.
            let start = unsafe {
                let start = libc::mmap(
                    std::ptr::null_mut(),
                    bytes,
                    libc::PROT_NONE,
                    libc::MAP_PRIVATE | libc::MAP_ANON,
                    -1,
                    0,
                );
                assert!(start != libc::MAP_FAILED, "no memory");
                let inner = start.byte_add(page);
                let protection = libc::PROT_READ | libc::PROT_WRITE;
                assert!(pages == 0 || libc::mprotect(inner, pages * page, protection) == 0);
                start
            };
            Self {
                start: NonNull::new(start.cast()).expect("mapped"),
                pages,
                page,
            }
        }

        fn inner(&self) -> *mut f32 {
            self.start.as_ptr().wrapping_add(self.page).cast()
        }

        fn floats(&self) -> usize {
            self.pages * self.page / size_of::<f32>()
        }
    }

    impl Deref for Whole {
        type Target = [f32];

        fn deref(&self) -> &[f32] {
            // SAFETY: accessible pages of our own, zeroed by the system.
            unsafe { std::slice::from_raw_parts(self.inner(), self.floats()) }
        }
    }

    impl DerefMut for Whole {
        fn deref_mut(&mut self) -> &mut [f32] {
            // SAFETY: as in `deref`, and nobody else has them.
            unsafe { std::slice::from_raw_parts_mut(self.inner(), self.floats()) }
        }
    }

    impl Drop for Whole {
        fn drop(&mut self) {
            let bytes = (self.pages + 2) * self.page;
            // SAFETY: the mapping of `new`.
            unsafe { libc::munmap(self.start.as_ptr().cast(), bytes) };
        }
    }
}

#[cfg(not(unix))]
struct Whole(Vec<f32>);

#[cfg(not(unix))]
impl Whole {
    const AFTER: usize = 64;

    fn new(len: usize) -> Self {
        Self(vec![0.0; 64 + len + Self::AFTER])
    }
}

#[cfg(not(unix))]
impl Deref for Whole {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

#[cfg(not(unix))]
impl DerefMut for Whole {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
