//! Allocation of large buffers that returns an error instead of ending the process.

use std::cell::Cell;

use crate::error::{Error, Result};

thread_local! {
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// Does some work whose allocations may fail: what fails is an error of the work's own.
pub(crate) fn may_fail<T>(work: impl FnOnce() -> T) -> T {
    let before = MAY_FAIL.replace(true);
    let done = work();
    MAY_FAIL.set(before);
    done
}

/// Says whether this thread does such work now.
pub(crate) fn may_fail_here() -> bool {
    MAY_FAIL.try_with(Cell::get).unwrap_or(false)
}

/// Allocates `rows · width` items, or returns an error that names their purpose.
pub(crate) fn filled<T>(
    rows: usize,
    width: usize,
    what: &'static str,
    item: impl FnMut() -> T,
) -> Result<Vec<T>> {
    let refused = || Error::Memory {
        what,
        bytes: rows as u128 * width as u128 * size_of::<T>() as u128,
    };
    let count = rows.checked_mul(width).ok_or_else(refused)?;
    let mut items = room(count as u64, what)?;
    items.resize_with(count, item);
    Ok(items)
}

/// Makes room for as many items as a file claims, or returns an error that names their purpose.
pub(crate) fn room<T>(count: u64, what: &'static str) -> Result<Vec<T>> {
    let refused = || Error::Memory {
        what,
        bytes: u128::from(count) * size_of::<T>() as u128,
    };
    let count = usize::try_from(count).map_err(|_| refused())?;
    let mut items = Vec::new();
    may_fail(|| items.try_reserve_exact(count)).map_err(|_| refused())?;
    Ok(items)
}

/// Looks that there is address space for threads to begin in: their stacks, and what they allocate first. One
/// that begins without memory ends the process as it likes.
pub(crate) fn check_threads(threads: usize) -> Result<()> {
    const THREAD: u64 = 3 << 20;
    // Nothing of it is touched, and it is given back at once.
    drop(room::<u8>(threads as u64 * THREAD, "threads")?);
    Ok(())
}

/// Makes a buffer of as many bytes as a file claims, or returns an error that names their purpose.
pub(crate) fn zeros(count: u64, what: &'static str) -> Result<Vec<u8>> {
    let mut bytes = room(count, what)?;
    bytes.resize(count as usize, 0);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn filled_beyond_memory_is_an_error_with_its_size() {
        assert_eq!(filled(3, 2, "six", || 7u8).ok(), Some(vec![7; 6]));
        for (rows, width) in [(usize::MAX, 2), (1 << 40, 1 << 20)] {
            let error = filled(rows, width, "the moon", || 0u32).expect_err("too large");
            let bytes = (rows as u128 * width as u128 * 4).to_string();
            assert!(error.to_string().contains("the moon") && error.to_string().contains(&bytes));
        }
    }
}
