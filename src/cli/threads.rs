//! The threads that all parts of a command share.

use crate::engine::threads_error;
use crate::error::Result;
use crate::memory;

/// One thread for each core that the process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Starts the threads, while there is memory for them.
///
/// # Errors
/// No memory for so many; the system starts no more.
pub(super) fn start(threads: usize) -> Result<()> {
    memory::check_threads(threads)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global()
        .map_err(|error| threads_error(threads, &error))?;
    // All have begun before anything else takes memory.
    rayon::broadcast(|_| ());
    Ok(())
}
