//! The CUDA engine: certified selection on one GPU or several.
//!
//! ```text
//! probe, nvrtc, driver, blas       what a machine has; compiling; the driver's calls made safe
//! whiten, input, select, rescore,  one a file of kernels/: argument structs and launches
//!   tally, coactivate; kernels     all of them, loaded onto a device
//! rule, format, margin             the rule of firing; the screen's numbers; the bound's proof
//! encoder, screen                  the model on a device; as the device's product takes it
//! shape, stages, lane              batches and tiles; time; a stream with its buffers
//! run, worker                      the queue that devices share; a device at work
//! ```
//!
//! [`CudaEngine`] is what to use. The layers below it are public for tests and benchmarks of single
//! kernels, and change without notice.

pub mod blas;
pub mod coactivate;
pub mod driver;
pub mod encoder;
mod fault;
pub mod input;
pub mod kernels;
mod lane;
pub mod margin;
pub mod nvrtc;
mod pairs;
pub mod probe;
pub mod rescore;
mod rows;
pub mod rule;
mod run;
pub mod screen;
pub mod select;
pub mod select_groups;
pub mod select_threshold;
pub mod selftest;
mod shape;
mod stages;
pub mod tally;
pub mod whiten;
mod worker;

use std::time::Instant;

pub use super::cuda_options::{CudaOptions, Format, ScreenChoice};
pub use fault::{Fault, FaultKind};
pub use pairs::CudaPairs;
pub use rows::{DeviceRows, PageLockedRows};

use self::run::{Run, Stop};
use self::select::Counters;
use self::stages::Stage;
use self::worker::{Spent, Worker};
use super::sink::Sink;
use super::{Cuts, Encoded, Engine, EngineOptions, Seconds, ThreadSeconds, dropped, start_threads};
use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::tally::{Certificate, SharedTally, Strata, Tally};

/// The least compute capability: what the kernels, and the proof of their bound, are made for.
const LEAST_ARCHITECTURE: u32 = 75;

/// Certified selection on CUDA devices.
pub struct CudaEngine {
    sae: Sae,
    workers: Vec<Worker>,
    options: EngineOptions,
}

impl CudaEngine {
    /// Checks that these devices can be used, as far as can be told without the model.
    ///
    /// # Errors
    /// A library or a device that is missing, too old, or fails.
    pub fn check(ordinals: &[u32]) -> std::result::Result<(), Fault> {
        let version = driver::driver_version()?;
        if version < driver::NEEDED {
            let (known, needed) = (version, driver::NEEDED);
            return Err(Fault::missing(
                format!(
                    "the NVIDIA driver knows CUDA {}.{}; {}.{} is needed",
                    known.0, known.1, needed.0, needed.1
                ),
                fault::INSTALL_DRIVER,
            ));
        }
        check_libraries(version.0)?;
        for &ordinal in ordinals {
            let info = driver::info(ordinal)?;
            if info.architecture() < LEAST_ARCHITECTURE {
                let (major, minor) = info.compute_capability;
                return Err(Fault::missing(
                    format!(
                        "{} has compute capability {major}.{minor}; 7.5 is needed",
                        info.name
                    ),
                    "use --device cpu, which gives the same answer",
                ));
            }
        }
        Ok(())
    }

    /// Takes devices into use, and puts the model on each.
    ///
    /// # Errors
    /// A library or a device that is missing, too old, or fails; a model that does not fit.
    pub fn new(
        ordinals: &[u32],
        sae: &Sae,
        options: &EngineOptions,
    ) -> std::result::Result<Self, Fault> {
        Self::check(ordinals)?;
        let sides = [sae.input_dim(), sae.feature_dim()];
        if sides.iter().any(|&side| side > MOST_SIDE) {
            return Err(Fault::missing(
                format!(
                    "a model of {} x {}; a side can be {MOST_SIDE} at most",
                    sides[0], sides[1]
                ),
                "use --device cpu",
            ));
        }
        let worker = |&ordinal| Worker::new(ordinal, sae, &options.cuda);
        Ok(Self {
            sae: sae.clone(),
            workers: ordinals
                .iter()
                .map(worker)
                .collect::<std::result::Result<_, _>>()?,
            options: options.clone(),
        })
    }

    /// Every device at work until the queue is empty.
    fn work(&mut self, run: &Run) -> Result<Vec<Spent>> {
        let (sae, options) = (&self.sae, &self.options.cuda);
        let results: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> = self
                .workers
                .iter_mut()
                .map(|worker| {
                    let work = move || {
                        let result = worker.work(run, sae, options);
                        let ordinal = worker.device.info().ordinal;
                        result.map_err(|stop| {
                            run.fail();
                            stop.on(ordinal)
                        })
                    };
                    scope.spawn(work)
                })
                .collect();
            // A panic of a device's thread is a defect of this program: it goes on here.
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            started.into_iter().map(join).collect()
        });
        let device = self.device();
        results
            .into_iter()
            .map(|result: std::result::Result<Spent, Stop>| {
                result.map_err(|stop| stop.of_device(&device))
            })
            .collect()
    }
}

/// The most input numbers, or features: sides of a matrix are 32-bit for cuBLAS, split threefold.
const MOST_SIDE: usize = (i32::MAX / 4) as usize;

/// Checks that the libraries are of no later CUDA than the driver: a device refuses later code.
fn check_libraries(driver: u32) -> std::result::Result<(), Fault> {
    let of_nvrtc = ("NVRTC", nvrtc::version()?.0);
    let of_cublas = ("cuBLAS", blas::major_version()?);
    for (name, major) in [of_nvrtc, of_cublas] {
        if i64::from(major) > i64::from(driver) {
            return Err(Fault::missing(
                format!(
                    "{name} is of CUDA {major}, and the NVIDIA driver knows CUDA {driver} at most"
                ),
                fault::OLDER_LIBRARIES,
            ));
        }
    }
    Ok(())
}

fn certificate(spent: &[Spent]) -> Certificate {
    let of_device = |counters: &Counters| Certificate {
        rows: counters.rows,
        rows_certified_outright: counters.certified_outright,
        ambiguous_atoms: counters.ambiguous_atoms,
        second_scores: 0,
        canonical_scores: counters.ambiguous_atoms,
        most_ambiguous_in_a_row: counters.most_ambiguous,
        rows_rescored_in_full: counters.overflowed,
    };
    let parts = spent.iter().map(|spent| of_device(&spent.counters));
    parts.fold(Certificate::default(), Certificate::merge)
}

fn thread_seconds(spent: &[Spent]) -> ThreadSeconds {
    let mut sum = ThreadSeconds::default();
    for Spent { read, stages, .. } in spent {
        let of = |stage: Stage| stages[stage as usize];
        sum.add(&ThreadSeconds {
            wait: 0.0,
            read: *read,
            copy: of(Stage::Copy) + of(Stage::Drain),
            whiten: of(Stage::Whiten),
            product: of(Stage::Product),
            select: of(Stage::Select),
            resolve: of(Stage::Rescore) + of(Stage::Resolve) + of(Stage::Full),
            score: of(Stage::Score),
        });
    }
    sum
}

/// The most counters, strata times features, that a device counts in: 512 MiB of them.
const MOST_COUNTERS: usize = 1 << 27;

/// Says whether a device can count so many strata; else the CPU counts the firing sets.
fn fits_device(strata: &Strata, features: usize) -> bool {
    let strata = strata.table().len();
    let counters = strata.checked_mul(features);
    u16::try_from(strata).is_ok() && counters.is_some_and(|counters| counters <= MOST_COUNTERS)
}

impl Engine for CudaEngine {
    fn device(&self) -> String {
        let ordinals = self
            .workers
            .iter()
            .map(|worker| worker.device.info().ordinal.to_string());
        format!("cuda:{}", ordinals.collect::<Vec<_>>().join(","))
    }

    fn code_path(&self) -> String {
        let described = self.workers.iter().map(Worker::describe);
        described.collect::<Vec<_>>().join("; ")
    }

    fn threads(&self) -> usize {
        let current = rayon::current_num_threads;
        self.options.threads.unwrap_or_else(current)
    }

    fn encode_cut(
        &mut self,
        rows: &dyn Rows,
        strata: &Strata,
        cuts: Option<&Cuts>,
        control: &Control,
    ) -> Result<Encoded> {
        super::check_cuts(&self.sae, rows, cuts)?;
        super::check_shapes(&self.sae, rows, strata.of_row().len())?;
        let began = Instant::now();
        let sink = Sink::new(rows.count(), self.sae.top_k(), self.options.scores)?;
        let features = self.sae.feature_dim();
        let single = (!fits_device(strata, features)).then(|| Strata::single(rows.count()));
        let counted = single.as_ref().unwrap_or(strata);
        let tally = SharedTally::new(features, counted.table().to_vec())?;
        let readers = start_threads(self.threads())?;
        let mut run = Run::new(rows, counted, control, sink, tally, readers);
        run.cuts = cuts;
        run.batch_rows = self.options.batch_rows;
        run.devices = self.workers.len();
        let spent = self.work(&run)?;
        let (sink, bad_rows, tally) = run.finish();
        let dropped = dropped::reject_or_drop(rows, self.options.nonfinite, bad_rows)?;
        let fires = sink.finish(dropped, self.sae.values())?;
        Ok(Encoded {
            tally: match single {
                Some(_) => Tally::count(features, strata, fires.iter(), certificate(&spent)),
                None => tally.finish(certificate(&spent)),
            },
            fires,
            seconds: Seconds {
                encode: began.elapsed().as_secs_f64(),
                threads: thread_seconds(&spent),
            },
        })
    }
}
