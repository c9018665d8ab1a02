//! Long work: in a thread of its own, with the GIL released, while the calling thread looks for Ctrl-C
//! and tells of progress.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use atomscope::control::{Control, Progress, Stage};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::errors::{CancelledError, InternalError, bad, exception};

/// The time after which the calling thread looks for signals again.
const TICK: Duration = Duration::from_millis(50);
/// The time that work has to end once it is cancelled, before it is left alone.
const PATIENCE: Duration = Duration::from_millis(50);

/// The process that imported the module.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// The place and message of the last panic.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Prepares what all runs need, as the module is imported.
pub(crate) fn prepare() {
    PROCESS.get_or_init(std::process::id);
    // A panic becomes an exception, which tells it.
    std::panic::set_hook(Box::new(|panic| {
        *lock(&PANIC) = Some(panic.to_string());
    }));
}

/// Refuses a process that was forked: threads and devices do not survive that.
fn refuse_fork() -> PyResult<()> {
    if PROCESS
        .get()
        .is_none_or(|&process| process == std::process::id())
    {
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
    is_done: Mutex<bool>,
    done: Condvar,
}

impl Shared {
    /// Waits a tick; true if the work is done.
    fn wait(&self) -> bool {
        let is_done = lock(&self.is_done);
        let waited = self
            .done
            .wait_timeout_while(is_done, TICK, |is_done| !*is_done);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn finish(&self) {
        *lock(&self.is_done) = true;
        self.done.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` by `threads` threads of its own, or as many as the machine has. `progress` is called with
/// the stage, the rows done and all rows, by the calling thread; where it returns False the work ends.
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
    let pool = start_threads(threads)?;
    let shared = Arc::new(Shared::default());
    let found = Arc::new(Mutex::new(None));
    let tells = progress.is_some();
    let worker = {
        let (shared, found) = (shared.clone(), found.clone());
        named_thread().spawn(move || {
            let done = worked(&shared, &pool, tells, work);
            *lock(&found) = Some(done);
            shared.finish();
        })
    };
    worker.map_err(no_thread)?;
    let stopped = watch(py, &shared, progress, Some(PATIENCE));
    let found = lock(&found).take();
    ended(&shared, progress, stopped, found)
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
    let pool = start_threads(None)?;
    let shared = Shared::default();
    std::thread::scope(|scope| {
        let (shared, pool) = (&shared, &pool);
        let worker = named_thread().spawn_scoped(scope, move || {
            let done = worked(shared, pool, false, work);
            shared.finish();
            done
        });
        let worker = worker.map_err(no_thread)?;
        let stopped = watch(py, shared, None, None);
        // The worker has said that it is done; it needs no GIL any more.
        ended(
            shared,
            None,
            stopped,
            Some(worker.join().unwrap_or_else(Err)),
        )
    })
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
    let learn = |progress: Progress| *lock(&shared.progress) = Some(progress);
    let control = Control::default().cancel_when(&is_cancelled);
    let control = if tells {
        control.on_progress(&learn)
    } else {
        control
    };
    catch_unwind(AssertUnwindSafe(|| pool.install(|| work(&control))))
}

fn ended<T>(
    shared: &Shared,
    progress: Option<&Bound<'_, PyAny>>,
    stopped: Option<PyErr>,
    found: Option<Done<T>>,
) -> PyResult<T> {
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    // A stage is told to the end, even one shorter than a tick.
    if let (Some(progress), Some(last)) = (progress, *lock(&shared.progress)) {
        tell(progress, last)?;
    }
    match found {
        Some(Ok(found)) => found.map_err(|error| exception(&error)),
        Some(Err(panic)) => Err(fault(&*panic)),
        None => Err(InternalError::new_err("work that ended without an answer")),
    }
}

/// Waits until the work is done, or, once it is cancelled, for as long as there is patience. Returns the
/// exception that ended it, if one did.
fn watch(
    py: Python<'_>,
    shared: &Shared,
    progress: Option<&Bound<'_, PyAny>>,
    patience: Option<Duration>,
) -> Option<PyErr> {
    let mut stopped: Option<(PyErr, Instant)> = None;
    let mut told = None;
    while !py.detach(|| shared.wait()) {
        if let Some((_, since)) = &stopped {
            if patience.is_some_and(|patience| since.elapsed() >= patience) {
                break;
            }
            continue;
        }
        let now = *lock(&shared.progress);
        let next = py.check_signals().and_then(|()| match (progress, now) {
            (Some(progress), Some(now)) if told != Some(now) => {
                told = Some(now);
                tell(progress, now)
            }
            _ => Ok(()),
        });
        if let Err(error) = next {
            shared.cancelled.store(true, Ordering::Relaxed);
            stopped = Some((error, Instant::now()));
        }
    }
    stopped.map(|(error, _)| error)
}

fn tell(progress: &Bound<'_, PyAny>, now: Progress) -> PyResult<()> {
    let stage = match now.stage {
        Stage::Encoding => "encoding",
        Stage::Cutting => "cutting",
        Stage::Reading => "reading",
        Stage::Scoring => "scoring",
        Stage::Simulating => "simulating",
    };
    let answer = progress.call1((stage, now.done, now.total))?;
    if answer.is(pyo3::types::PyBool::new(progress.py(), false)) {
        return Err(CancelledError::new_err("progress returned False"));
    }
    Ok(())
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
