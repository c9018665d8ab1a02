//! The program's allocator: the system's, and one line in place of an abort where there is no more memory.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::memory::may_fail_here;

/// The system's allocator. An allocation that fails ends the process by `end`, unless whoever asked for it
/// can do without.
///
/// ```no_run
/// use atomscope::engine::Allocator;
///
/// #[global_allocator]
/// static ALLOCATOR: Allocator = Allocator::new(|| std::process::exit(2));
/// ```
#[derive(Debug)]
pub struct Allocator {
    end: fn() -> !,
}

impl Allocator {
    /// Makes an allocator. `end` must not allocate.
    pub const fn new(end: fn() -> !) -> Self {
        Self { end }
    }

    fn checked(&self, found: *mut u8) -> *mut u8 {
        if found.is_null() && !may_fail_here() {
            (self.end)();
        }
        found
    }
}

/// Ends the process with this exit code at once. Nothing is run before: no other thread is waited for, and no
/// memory is needed.
#[cfg(feature = "cli")]
pub(crate) fn leave(code: i32) -> ! {
    #[cfg(unix)]
    {
        // SAFETY: the call has no conditions, and does not return.
        unsafe { libc::_exit(code) }
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}

// SAFETY: all memory is the system's allocator's, which is asked for it in the same words.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same rules.
        self.checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same rules.
        self.checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the same rules.
        self.checked(unsafe { System.realloc(block, layout, size) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the same rules.
        unsafe { System.dealloc(block, layout) }
    }
}
