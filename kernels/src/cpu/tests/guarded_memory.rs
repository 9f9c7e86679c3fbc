//! Memory that detects accesses outside of its bounds.

use std::ops::{Deref, DerefMut};

/// Bits that mark memory which the code under test must write or must not change: a NaN whose
/// payload no arithmetic produces.
pub(crate) const SENTINEL: f32 = f32::from_bits(0x7fca_fe11);

/// Floats between guard regions, filled with [`SENTINEL`] when created.
///
/// On Unix, the last float lies directly before an inaccessible guard page, so that an access after
/// the end is a segmentation fault. Before the first float lie sentinels up to the start of its
/// page, and an inaccessible page before them. On other systems, 64 sentinels lie on either side.
/// The destructor panics if a sentinel outside of the floats changed.
pub(crate) struct GuardedMemory {
    mapping: Mapping,
    start: usize,
}

impl GuardedMemory {
    /// `len` floats, all of them [`SENTINEL`].
    pub fn new(len: usize) -> Self {
        let mut mapping = Mapping::new(len);
        mapping.fill(SENTINEL);
        let start = mapping.len() - Mapping::TRAILING_SENTINELS - len;
        Self { mapping, start }
    }

    /// A copy of `values`.
    pub fn from_slice(values: &[f32]) -> Self {
        let mut memory = Self::new(values.len());
        memory.copy_from_slice(values);
        memory
    }

    /// Index in the mapping after the last float.
    fn end(&self) -> usize {
        self.mapping.len() - Mapping::TRAILING_SENTINELS
    }

    /// Iterator over the floats of the mapping outside of the bounds.
    fn outside(&self) -> impl Iterator<Item = &f32> {
        self.mapping[..self.start]
            .iter()
            .chain(&self.mapping[self.end()..])
    }
}

impl Deref for GuardedMemory {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.mapping[self.start..self.end()]
    }
}

impl DerefMut for GuardedMemory {
    fn deref_mut(&mut self) -> &mut [f32] {
        let end = self.end();
        &mut self.mapping[self.start..end]
    }
}

impl Drop for GuardedMemory {
    fn drop(&mut self) {
        let intact = self.outside().all(|x| x.to_bits() == SENTINEL.to_bits());
        assert!(
            intact || std::thread::panicking(),
            "a write outside of the bounds of guarded memory"
        );
    }
}

#[cfg(unix)]
use pages::Mapping;

#[cfg(unix)]
mod pages {
    use std::ops::{Deref, DerefMut};
    use std::ptr::NonNull;

    /// Accessible pages between two inaccessible guard pages.
    pub struct Mapping {
        /// First byte of the guard page before the accessible pages.
        start: NonNull<u8>,
        /// Number of accessible pages.
        pages: usize,
        /// Size of a page in bytes.
        page: usize,
    }

    impl Mapping {
        /// Sentinels after the floats: none, since the guard page follows.
        pub const TRAILING_SENTINELS: usize = 0;

        /// Maps enough pages for `len` floats.
        pub fn new(len: usize) -> Self {
            // SAFETY: `sysconf` has no preconditions; it returns a number.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
            let pages = (len * size_of::<f32>()).div_ceil(page);
            let bytes = (pages + 2) * page;
            // SAFETY: an anonymous mapping at an address that the system chooses replaces no other
            // mapping. `inner` is within the mapping, one page after its start, and the range whose
            // protection changes ends one page before its end.
            let start = unsafe {
                let start = libc::mmap(
                    std::ptr::null_mut(),
                    bytes,
                    libc::PROT_NONE,
                    libc::MAP_PRIVATE | libc::MAP_ANON,
                    -1,
                    0,
                );
                assert!(start != libc::MAP_FAILED, "mmap failed");
                let inner = start.byte_add(page);
                let protection = libc::PROT_READ | libc::PROT_WRITE;
                assert!(pages == 0 || libc::mprotect(inner, pages * page, protection) == 0);
                start
            };
            Self {
                start: NonNull::new(start.cast()).expect("the address of a mapping is not null"),
                pages,
                page,
            }
        }

        /// Address of the first accessible page.
        fn inner(&self) -> *mut f32 {
            self.start.as_ptr().wrapping_add(self.page).cast()
        }

        /// Number of floats in the accessible pages.
        fn floats(&self) -> usize {
            self.pages * self.page / size_of::<f32>()
        }
    }

    impl Deref for Mapping {
        type Target = [f32];

        fn deref(&self) -> &[f32] {
            // SAFETY: the accessible pages start at `inner`, which is aligned to pages, and hold
            // `floats` floats, which the system initialized to zero. They stay mapped until `drop`,
            // and `self` is borrowed.
            unsafe { std::slice::from_raw_parts(self.inner(), self.floats()) }
        }
    }

    impl DerefMut for Mapping {
        fn deref_mut(&mut self) -> &mut [f32] {
            // SAFETY: as in `deref`; the mutable borrow of `self` excludes other references to the
            // pages.
            unsafe { std::slice::from_raw_parts_mut(self.inner(), self.floats()) }
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            let bytes = (self.pages + 2) * self.page;
            // SAFETY: `new` mapped this address range, and no reference to it outlives `self`.
            unsafe { libc::munmap(self.start.as_ptr().cast(), bytes) };
        }
    }
}

/// Floats with sentinels on either side, where pages cannot be protected.
#[cfg(not(unix))]
struct Mapping(Vec<f32>);

#[cfg(not(unix))]
impl Mapping {
    /// Sentinels after the floats.
    const TRAILING_SENTINELS: usize = 64;

    /// Allocates `len` floats and the sentinels.
    fn new(len: usize) -> Self {
        Self(vec![0.0; 64 + len + Self::TRAILING_SENTINELS])
    }
}

#[cfg(not(unix))]
impl Deref for Mapping {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

#[cfg(not(unix))]
impl DerefMut for Mapping {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
