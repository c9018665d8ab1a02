//! The end of the interpreter, which no thread may be inside of Python for: one that then wants the GIL would
//! be ended by Python in the midst of Rust's frames, and the process with it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyCFunction;

/// The process that imported the module.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// The threads of this module that are inside of Python, or wait for it, and [`ENDING`]. It is no lock, so that
/// a process that was forked finds none that is held.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Set once the interpreter begins to end.
const ENDING: usize = 1 << (usize::BITS - 1);
/// The time after which it is looked again whether all are out.
const TICK: Duration = Duration::from_millis(5);

/// A thread that is inside of Python, or waits for it: one of this module that reads a block, or one of Python that
/// waits for work. The interpreter does not end meanwhile.
pub(crate) struct Inside(());

impl Inside {
    /// Enters; `None` once the interpreter has begun to end.
    pub(crate) fn enter() -> Option<Self> {
        let before = INSIDE.fetch_add(1, Ordering::AcqRel);
        // Where it is dropped it leaves again.
        let inside = Self(());
        (before & ENDING == 0).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Says whether the interpreter has begun to end.
pub(crate) fn is_ending() -> bool {
    INSIDE.load(Ordering::Acquire) & ENDING != 0
}

/// Says whether this process was forked from the one that imported the module.
pub(crate) fn is_forked() -> bool {
    let process = PROCESS.get();
    process.is_some_and(|&process| process != std::process::id())
}

/// Has the interpreter wait, as it ends, until no thread of this module is inside of it.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    PROCESS.get_or_init(std::process::id);
    let wait = PyCFunction::new_closure(py, None, None, |arguments, _| wait(arguments.py()))?;
    py.import("atexit")?.call_method1("register", (wait,))?;
    Ok(())
}

/// Lets no thread in any more, and waits until all are out. A signal ends the waiting.
fn wait(py: Python<'_>) -> PyResult<()> {
    INSIDE.fetch_or(ENDING, Ordering::AcqRel);
    // A process that was forked has none of the threads.
    if is_forked() {
        return Ok(());
    }
    while INSIDE.load(Ordering::Acquire) != ENDING {
        py.detach(|| std::thread::sleep(TICK));
        py.check_signals()?;
    }
    Ok(())
}
