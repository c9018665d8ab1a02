//! Rows are read ahead of those that compute, in order, each once; and a run that ends early, for
//! whatever reason, ends.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use atomscope::control::{Control, Progress};
use atomscope::engine::{CpuEngine, Encoded, Engine, EngineOptions};
use atomscope::error::{Error, Result};
use atomscope::rows::{ElementType, Rows, SliceRows};
use atomscope::sae::Sae;
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::tally::Strata;
use rayon::prelude::*;

const DIM: usize = 12;
const COUNT: usize = 400;
const BATCH: usize = 10;

/// What goes wrong when these rows are read.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Error,
    Panic,
}

/// Rows that keep a log of how they are read.
struct Logged<'a> {
    rows: SliceRows<'a, f32>,
    log: Mutex<Vec<Range<usize>>>,
    fault: Fault,
}

impl Rows for Logged<'_> {
    fn count(&self) -> usize {
        self.rows.count()
    }
    fn dim(&self) -> usize {
        DIM
    }
    fn name(&self) -> String {
        "logged".to_owned()
    }
    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        self.log.lock().unwrap().push(range.clone());
        if range.contains(&(COUNT / 2)) {
            match self.fault {
                Fault::None => {}
                Fault::Error => {
                    return Err(Error::input(
                        "logged", "row 200", "a hole", "a row", "mend it",
                    ));
                }
                Fault::Panic => panic!("planted"),
            }
        }
        self.rows.read(range, out)
    }
}

struct Outcome {
    encoded: Result<Encoded>,
    log: Vec<Range<usize>>,
}

/// Encodes logged rows; fails the test rather than hang.
fn run(threads: usize, fault: Fault, cancel: &'static AtomicBool) -> Outcome {
    let (send, receive) = channel();
    let thread = std::thread::spawn(move || {
        let cohort =
            simulate_in_memory(&SimulateOptions::new(COUNT, DIM, 30, 3, 1)).expect("a good shape");
        let rows = Logged {
            rows: SliceRows::new(&cohort.embeddings, DIM).expect("whole rows"),
            log: Mutex::default(),
            fault,
        };
        let options = EngineOptions {
            threads: Some(threads),
            batch_rows: Some(BATCH),
            ..EngineOptions::default()
        };
        let done = AtomicU64::new(0);
        let progress = |progress: Progress| {
            done.fetch_max(progress.done, Ordering::Relaxed);
        };
        let cancelled = || cancel.load(Ordering::Relaxed);
        let control = Control::default()
            .cancel_when(&cancelled)
            .on_progress(&progress);
        let mut engine = CpuEngine::new(&cohort.sae, &options).expect("an engine");
        let encoded = engine.encode(&rows, &Strata::of_calls(&cohort.calls), &control);
        let log = rows.log.into_inner().unwrap();
        let _ = send.send((
            Outcome { encoded, log },
            expected(&cohort.sae, &cohort.embeddings),
        ));
    });
    match receive.recv_timeout(Duration::from_secs(60)) {
        Ok((outcome, expected)) => {
            if let Ok(encoded) = &outcome.encoded {
                assert_eq!(encoded.fires.atoms(), expected);
            }
            outcome
        }
        Err(RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().expect_err("it has sent nothing"))
        }
        Err(RecvTimeoutError::Timeout) => panic!("the run hangs"),
    }
}

/// The sets of rows that are all in memory, which no thread reads.
fn expected(sae: &Sae, embeddings: &[f32]) -> Vec<u32> {
    let rows = SliceRows::new(embeddings, DIM).expect("whole rows");
    let mut engine = CpuEngine::new(sae, &EngineOptions::default()).expect("an engine");
    let encoded = engine.encode(&rows, &Strata::single(COUNT), &Control::default());
    encoded.expect("finite rows").fires.atoms().to_vec()
}

static NEVER: AtomicBool = AtomicBool::new(false);
static AT_ONCE: AtomicBool = AtomicBool::new(true);

#[test]
fn every_row_is_read_once_and_in_order() {
    for threads in [1, 2, 5] {
        let outcome = run(threads, Fault::None, &NEVER);
        let seconds = outcome.encoded.expect("finite rows").seconds.threads;
        assert!(seconds.read > 0.0 && seconds.wait > 0.0, "{seconds:?}");
        let mut next = 0;
        for range in outcome.log {
            assert_eq!(range.start, next);
            assert!(range.len() <= BATCH);
            next = range.end;
        }
        assert_eq!(next, COUNT);
    }
}

#[test]
fn a_row_that_cannot_be_read_ends_the_run_with_its_error() {
    for threads in [1, 2, 5] {
        let outcome = run(threads, Fault::Error, &NEVER);
        let error = outcome.encoded.expect_err("a hole").to_string();
        assert_eq!(
            error,
            "logged: row 200: found a hole, expected a row; mend it"
        );
        assert_eq!(
            outcome.log.last().map(|range| range.contains(&200)),
            Some(true)
        );
    }
}

#[test]
fn a_cancelled_run_stops_reading() {
    for threads in [1, 2, 5] {
        let outcome = run(threads, Fault::None, &AT_ONCE);
        assert!(matches!(outcome.encoded, Err(Error::Cancelled)));
        // Those that were taken, those that waited, and the one that was being read.
        let most = 2 * threads + 4;
        assert!(outcome.log.len() <= most, "{} of {most}", outcome.log.len());
    }
}

#[test]
#[should_panic(expected = "thread panicked")]
fn rows_that_panic_end_the_run_with_a_panic() {
    run(2, Fault::Panic, &NEVER);
}

#[test]
fn rows_of_every_type_are_read_as_they_are_stored() {
    /// Rows that know no other way.
    struct Halves(Vec<u16>);
    impl Rows for Halves {
        fn count(&self) -> usize {
            self.0.len() / DIM
        }
        fn dim(&self) -> usize {
            DIM
        }
        fn name(&self) -> String {
            "halves".to_owned()
        }
        fn read(&self, _: Range<usize>, _: &mut [f32]) -> Result<()> {
            panic!("they were to be read as they are stored")
        }
        fn element_type(&self) -> ElementType {
            ElementType::Bf16
        }
        fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
            let numbers = &self.0[range.start * DIM..range.end * DIM];
            out.copy_from_slice(bytemuck::cast_slice(numbers));
            Ok(())
        }
    }
    let cohort =
        simulate_in_memory(&SimulateOptions::new(COUNT, DIM, 30, 3, 1)).expect("a good shape");
    let halves = cohort.embeddings.iter().map(|x| (x.to_bits() >> 16) as u16);
    let rows = Halves(halves.collect());
    let widened: Vec<f32> = rows
        .0
        .iter()
        .map(|&half| f32::from_bits(u32::from(half) << 16))
        .collect();
    let mut engine = CpuEngine::new(&cohort.sae, &EngineOptions::default()).expect("an engine");
    let encoded = engine.encode(&rows, &Strata::single(COUNT), &Control::default());
    let found = encoded.expect("finite rows").fires.atoms().to_vec();
    assert_eq!(found, expected(&cohort.sae, &widened));
}

#[test]
fn rows_may_be_read_by_the_pool_that_waits_for_them() {
    /// Rows that are read by all threads of the pool: those that compute must lend a hand.
    struct ByThePool<'a>(SliceRows<'a, f32>);
    impl Rows for ByThePool<'_> {
        fn count(&self) -> usize {
            self.0.count()
        }
        fn dim(&self) -> usize {
            DIM
        }
        fn name(&self) -> String {
            "by the pool".to_owned()
        }
        fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
            let each = out.par_chunks_mut(DIM).zip(range);
            each.try_for_each(|(out, row)| self.0.read(row..row + 1, out))
        }
    }
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let cohort =
            simulate_in_memory(&SimulateOptions::new(COUNT, DIM, 30, 3, 1)).expect("a good shape");
        let rows = ByThePool(SliceRows::new(&cohort.embeddings, DIM).expect("whole rows"));
        // No threads of its own: those of the pool that the rows use.
        let mut engine = CpuEngine::new(&cohort.sae, &EngineOptions::default()).expect("an engine");
        let encoded = engine.encode(&rows, &Strata::single(COUNT), &Control::default());
        let found = encoded.expect("finite rows").fires.atoms().to_vec();
        let _ = send.send((found, expected(&cohort.sae, &cohort.embeddings)));
    });
    let (found, expected) = receive
        .recv_timeout(Duration::from_secs(60))
        .expect("no run that hangs");
    assert_eq!(found, expected);
}

#[test]
fn a_callback_that_panics_stops_all_threads() {
    let cohort =
        simulate_in_memory(&SimulateOptions::new(COUNT, DIM, 30, 3, 1)).expect("a good shape");
    let rows = SliceRows::new(&cohort.embeddings, DIM).expect("whole rows");
    let options = EngineOptions {
        threads: Some(2),
        batch_rows: Some(1),
        ..EngineOptions::default()
    };
    let calls = AtomicU64::new(0);
    let progress = |_: Progress| {
        let calls = calls.fetch_add(1, Ordering::Relaxed);
        assert_ne!(calls, 0, "planted");
        // The other thread, which goes on until the panic, and its backtrace, are through.
        std::thread::sleep(Duration::from_millis(20));
    };
    let run = || {
        let mut engine = CpuEngine::new(&cohort.sae, &options).expect("an engine");
        let control = Control::default().on_progress(&progress);
        engine
            .encode(&rows, &Strata::single(COUNT), &control)
            .map(drop)
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    assert!(calls.into_inner() < COUNT as u64 / 2);
}
