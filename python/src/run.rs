//! Long work: in a thread of its own, with the GIL released, while the calling thread looks for Ctrl-C
//! and tells of progress.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atomscope::control::{Control, Progress};
use pyo3::exceptions::{PyRuntimeError, PySystemExit};
use pyo3::prelude::*;

use crate::at_exit::{self, Inside};
use crate::errors::{CancelledError, InternalError, bad, exception};

/// The time after which the calling thread looks for signals again.
const TICK: Duration = Duration::from_millis(50);
/// The time that work has to end once it is cancelled, before it is left alone.
const PATIENCE: Duration = Duration::from_millis(50);

/// The place and message of the last panic.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// The time after which the state of a run is told again, so that whoever is told can end it.
const AGAIN: Duration = Duration::from_secs(1);

/// Prepares what all runs need, as the module is imported.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    // A panic becomes an exception, which tells it.
    std::panic::set_hook(Box::new(|panic| {
        *lock(&PANIC) = Some(panic.to_string());
    }));
    at_exit::register(py)
}

/// Refuses a process that was forked: threads and devices do not survive that.
fn refuse_fork() -> PyResult<()> {
    if !at_exit::is_forked() {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(
        "this process was forked from the one that imported atomscope, whose threads it does not have; \
         start processes with the method \"spawn\" (multiprocessing.get_context(\"spawn\"), or \
         multiprocessing_context=\"spawn\" of a DataLoader)",
    ))
}

/// The state of a run, which both threads see.
#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    progress: Mutex<Option<Progress>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` by `threads` threads of its own, or as many as the machine has. `progress` is called with
/// the stage, what is done and all there is, by the calling thread, at least once a second; where it returns
/// False the work ends.
/// Work that does not end at once, as while a table is read, is left to end by itself: so it owns all that
/// it needs.
///
/// # Errors
/// Those of `work`; an exception of `progress`; KeyboardInterrupt; a fault of atomscope.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Control<'_>) -> atomscope::Result<T> + Send + 'static,
) -> PyResult<T> {
    refuse_fork()?;
    let _inside = Inside::enter().ok_or_else(ending)?;
    let pool = start_threads(threads)?;
    let shared = Arc::new(Shared::default());
    let (answer, answers) = mpsc::channel();
    let tells = progress.is_some();
    let of_worker = shared.clone();
    let worker = named_thread().spawn(move || {
        // Nobody listens any more to work that was left alone.
        let _ = answer.send(worked(&of_worker, &pool, tells, work));
    });
    worker.map_err(no_thread)?;
    watch(py, &shared, answers, progress, Some(PATIENCE))
}

/// The same for work that borrows what it needs, and always ends before this returns.
///
/// # Errors
/// As of `run`.
pub(crate) fn run_borrowed<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Control<'_>) -> atomscope::Result<T> + Send,
) -> PyResult<T> {
    refuse_fork()?;
    let _inside = Inside::enter().ok_or_else(ending)?;
    let pool = start_threads(None)?;
    let shared = Shared::default();
    let (answer, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        let (shared, pool) = (&shared, &pool);
        let worker = named_thread().spawn_scoped(scope, move || {
            let _ = answer.send(worked(shared, pool, false, work));
        });
        worker.map_err(no_thread)?;
        watch(py, shared, answers, None, None)
    })
}

/// Makes the exception that ends a thread of Python's, without a word, as the interpreter ends.
fn ending() -> PyErr {
    PySystemExit::new_err(())
}

fn named_thread() -> std::thread::Builder {
    std::thread::Builder::new().name("atomscope".to_owned())
}

fn no_thread(error: std::io::Error) -> PyErr {
    PyRuntimeError::new_err(format!("a thread that does the work: {error}"))
}

/// What became of work: what it found, or its panic.
type Done<T> = std::thread::Result<atomscope::Result<T>>;

fn worked<T: Send>(
    shared: &Shared,
    pool: &rayon::ThreadPool,
    tells: bool,
    work: impl FnOnce(&Control<'_>) -> atomscope::Result<T> + Send,
) -> Done<T> {
    let is_cancelled = || shared.cancelled.load(Ordering::Relaxed);
    let learn = |progress: Progress| {
        let mut known = lock(&shared.progress);
        // Threads tell of what they have done in any order.
        let is_old = |known: Progress| {
            (known.stage, known.total) == (progress.stage, progress.total)
                && known.done > progress.done
                && progress.done > 0
        };
        if !known.is_some_and(is_old) {
            *known = Some(progress);
        }
    };
    let control = Control::default().cancel_when(&is_cancelled);
    let control = if tells {
        control.on_progress(&learn)
    } else {
        control
    };
    catch_unwind(AssertUnwindSafe(|| pool.install(|| work(&control))))
}

/// Waits for the answer of the work, or, once it is cancelled, for as long as there is patience. Meanwhile it
/// looks for signals, and tells of progress. As the interpreter begins to end, the work is cancelled.
fn watch<T: Send>(
    py: Python<'_>,
    shared: &Shared,
    mut answers: Receiver<Done<T>>,
    progress: Option<&Bound<'_, PyAny>>,
    patience: Option<Duration>,
) -> PyResult<T> {
    let mut stopped: Option<(PyErr, Instant)> = None;
    let mut teller = Teller::new(progress);
    loop {
        let waiting = &mut answers;
        let answer = py.detach(move || waiting.recv_timeout(TICK));
        match (answer, stopped) {
            (Ok(_), Some((error, _))) => return Err(error),
            (Ok(done), None) => {
                // A stage is told to the end, even one shorter than a tick.
                teller.tell(shared, false)?;
                return match done {
                    Ok(found) => found.map_err(|error| exception(&error)),
                    Err(panic) => Err(fault(&*panic)),
                };
            }
            (Err(RecvTimeoutError::Disconnected), _) => {
                return Err(InternalError::new_err("work that ended without an answer"));
            }
            (Err(RecvTimeoutError::Timeout), Some((error, since))) => {
                if patience.is_some_and(|patience| since.elapsed() >= patience) {
                    return Err(error);
                }
                stopped = Some((error, since));
            }
            (Err(RecvTimeoutError::Timeout), None) => {
                let next = if at_exit::is_ending() {
                    Err(ending())
                } else {
                    py.check_signals().and_then(|()| teller.tell(shared, true))
                };
                stopped = next.err().map(|error| (error, Instant::now()));
                shared.cancelled.store(stopped.is_some(), Ordering::Relaxed);
            }
        }
    }
}

/// Tells of progress: what is new, and after a second without news the same again.
struct Teller<'a, 'py> {
    progress: Option<&'a Bound<'py, PyAny>>,
    told: Option<Progress>,
    when: Instant,
}

impl<'a, 'py> Teller<'a, 'py> {
    fn new(progress: Option<&'a Bound<'py, PyAny>>) -> Self {
        Self {
            progress,
            told: None,
            when: Instant::now(),
        }
    }

    fn tell(&mut self, shared: &Shared, again: bool) -> PyResult<()> {
        let Some(progress) = self.progress else {
            return Ok(());
        };
        let now = *lock(&shared.progress);
        let is_late = again && self.when.elapsed() >= AGAIN;
        if now == self.told && !is_late {
            return Ok(());
        }
        (self.told, self.when) = (now, Instant::now());
        let (stage, done, total) = now.map_or(("starting", 0, 0), |now| {
            (now.stage.as_str(), now.done, now.total)
        });
        let answer = progress.call1((stage, done, total))?;
        if answer.is(pyo3::types::PyBool::new(progress.py(), false)) {
            return Err(CancelledError::new_err("progress returned False"));
        }
        Ok(())
    }
}

/// Threads that live as long as the run, so that none are there when a process forks.
fn start_threads(threads: Option<usize>) -> PyResult<rayon::ThreadPool> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or(cores);
    if threads == 0 || threads > cores.saturating_mul(16) {
        let expected = format!("a number from 1 to {}, or None for all cores", cores * 16);
        return Err(bad("threads", &threads.to_string(), &expected));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("atomscope-{number}"))
        .build();
    pool.map_err(|error| PyRuntimeError::new_err(format!("threads: {error}")))
}

/// The exception of a panic, which is a fault of atomscope.
pub(crate) fn fault(panic: &(dyn Any + Send)) -> PyErr {
    let told = lock(&PANIC).take();
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    let text = told.or(message).unwrap_or_default();
    InternalError::new_err(format!(
        "a fault of atomscope {}: {text}; please report it, with this text and what was called",
        env!("CARGO_PKG_VERSION")
    ))
}

/// Does short work under the GIL; a panic becomes an exception.
///
/// # Errors
/// Those of `work`; a fault of atomscope.
pub(crate) fn guard<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(fault(&*panic)))
}
