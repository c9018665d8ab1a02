//! The application: plan, count, make tables, write. The command line, the library's front door and
//! other languages all go this way.
//!
//! ```text
//! Plan ──count()──► Counted ──tables()──► Tables ──write()──► files
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`Analysis`], the whole way in one call, and its [`Results`] |
//! | `shards` | [`Plan`]: a cohort in files, counted shard by shard |
//! | `session` | [`Session`]: an engine at work on one part after another |
//! | `counted` | [`Counted`]: counts and firing sets, from files, from memory, or from a tally |
//! | `tables` | [`Tables`]: every table |
//! | `outputs` | the one list of the files that are written |
//! | `record` | `run.json` |
//! | `tally_files`, `merge` | the files of one shard; tallies to one |
//! | `calls` | a file of the calls on which chosen atoms fire |
//! | `place` | what these may be written over |
//! | `warnings` | what is odd about the calls |
//! | `pairs` | pairs of atoms on the GPU that encoded the calls |

mod calls;
mod counted;
mod merge;
pub mod outputs;
#[cfg(feature = "cuda")]
mod pairs;
pub mod place;
pub mod record;
mod session;
pub mod shards;
mod tables;
mod tally_files;
pub mod warnings;

use std::path::{Path, PathBuf};

pub use calls::CallsFile;
pub use counted::{CompareScores, Counted, Run};
pub use merge::merge_into;
pub use outputs::ResultsFolder;
pub use session::{CountOptions, Encoder, Session};
pub use shards::Plan;
pub use tables::{TableOptions, Tables};
pub use tally_files::{TallyFiles, firing_files};

use self::shards::{KeepFirings, PART_ROWS};
use crate::cohort::{Calls, ClassRule};
use crate::control::Control;
use crate::engine::{Device, Nonfinite};
use crate::error::Result;
use crate::read::{find_model, model_files};
use crate::rows::Rows;
use crate::sae::Sae;
use crate::stats::evidence::{self, Exchange, Partition};
use crate::tally::StratifyBy;
use crate::write::inputs::Inputs;

/// Memory that firing sets, calls, firings by atom and scores may take, where nothing else is asked
/// for: 512 MiB.
pub const MEMORY: u64 = 512 << 20;

/// An analysis of one cohort: what it is of, and how it is done. [`run`](Self::run) does it.
///
/// ```no_run
/// let found = atomscope::Analysis::of_files(["embeddings.pt"], "sae.pt").permutations(10_000).run()?;
/// found.write("results")?;
/// # Ok::<(), atomscope::Error>(())
/// ```
///
/// The answer is the same on every device, with any number of threads, and for every cut of the
/// cohort into files.
#[derive(Clone)]
pub struct Analysis<'a> {
    source: Source<'a>,
    options: CountOptions,
    tables: TableOptions,
    compare_scores: bool,
    save_firings: bool,
    memory: u64,
    control: Control<'a>,
}

#[derive(Clone)]
enum Source<'a> {
    Memory {
        sae: Sae,
        rows: &'a dyn Rows,
        calls: &'a Calls,
    },
    Files {
        embeddings: Vec<PathBuf>,
        metadata: Vec<PathBuf>,
        model: PathBuf,
    },
}

impl<'a> Analysis<'a> {
    /// An analysis of data in memory; `rows` and `calls` are of the same length and order.
    pub fn of(sae: &Sae, rows: &'a dyn Rows, calls: &'a Calls) -> Self {
        Self::new(Source::Memory {
            sae: sae.clone(),
            rows,
            calls,
        })
    }

    /// An analysis of files: paths or patterns (`*`, `?`, `[…]`) of embeddings, which are read shard by
    /// shard, and the model's file. Calls are read from the embeddings' files or from tables beside them.
    pub fn of_files<P: Into<PathBuf>>(
        embeddings: impl IntoIterator<Item = P>,
        model: impl Into<PathBuf>,
    ) -> Self {
        Self::new(Source::Files {
            embeddings: embeddings.into_iter().map(Into::into).collect(),
            metadata: Vec::new(),
            model: model.into(),
        })
    }

    fn new(source: Source<'a>) -> Self {
        Self {
            source,
            options: CountOptions::default(),
            tables: TableOptions {
                extended: Some(evidence::Options::default()),
                ..TableOptions::default()
            },
            compare_scores: false,
            save_firings: false,
            memory: MEMORY,
            control: Control::default(),
        }
    }

    /// Reads the calls from these tables, the first of the first embeddings file, and so on.
    #[must_use]
    pub fn metadata<P: Into<PathBuf>>(mut self, tables: impl IntoIterator<Item = P>) -> Self {
        if let Source::Files { metadata, .. } = &mut self.source {
            *metadata = tables.into_iter().map(Into::into).collect();
        }
        self
    }

    /// Encodes on this device.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.options.device = device;
        self
    }

    /// Says which calls are true, where calls are read from files.
    #[must_use]
    pub fn class_rule(mut self, rule: ClassRule) -> Self {
        self.options.rule = rule;
        self
    }

    /// Says what becomes of rows with a NaN or an infinity.
    #[must_use]
    pub fn nonfinite(mut self, nonfinite: Nonfinite) -> Self {
        self.options.engine.nonfinite = nonfinite;
        self
    }

    /// Stratifies calls by these of their columns.
    #[must_use]
    pub fn stratify_by(mut self, columns: StratifyBy) -> Self {
        self.options.stratify_by = columns;
        self.extended(|options| options.strata = Some(columns))
    }

    /// Leaves out atoms that fire on fewer calls.
    #[must_use]
    pub fn min_support(mut self, calls: u64) -> Self {
        self.tables.notebook.min_support = calls;
        self.extended(|options| options.min_support = calls)
    }

    /// Permutes the labels so often; 0 for no permutations.
    #[must_use]
    pub fn permutations(self, count: usize) -> Self {
        self.extended(|options| options.permutations = count)
    }

    /// Says which calls change places in a permutation.
    #[must_use]
    pub fn exchange(self, exchange: Exchange) -> Self {
        self.extended(|options| options.block = exchange)
    }

    /// Draws so many bootstrap replicates; 0 for none.
    #[must_use]
    pub fn bootstrap(self, replicates: usize) -> Self {
        self.extended(|options| options.bootstrap = replicates)
    }

    /// Discovers in one part of the cohort, and confirms in the other.
    #[must_use]
    pub fn replicate(self, by: Partition) -> Self {
        self.extended(|options| options.replicate = Some(by))
    }

    /// Draws permutations and bootstrap from this seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.extended(|options| options.seed = seed)
    }

    /// Compares atoms by their scores on all calls too, which reads the embeddings again.
    #[must_use]
    pub fn compare_scores(mut self) -> Self {
        self.compare_scores = true;
        self
    }

    /// Makes the notebook's tables alone.
    #[must_use]
    pub fn notebook_only(mut self) -> Self {
        self.tables.extended = None;
        self
    }

    /// Writes the firing sets, too.
    #[must_use]
    pub fn save_firings(mut self) -> Self {
        self.save_firings = true;
        self
    }

    /// Takes about so many bytes of memory for firing sets, calls and scores.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Lets `control` cancel the run, and learn how far it is.
    #[must_use]
    pub fn control(mut self, control: Control<'a>) -> Self {
        self.control = control;
        self
    }

    fn extended(mut self, change: impl FnOnce(&mut evidence::Options)) -> Self {
        self.tables.extended.as_mut().map(change);
        self
    }

    /// Counts the cohort, and makes all tables.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together; rows with a NaN or an infinity; classes that
    /// are not understood; a device that cannot be used; memory; cancellation.
    pub fn run(&self) -> Result<Results<'a>> {
        let mut options = self.options.clone();
        options.engine.scores = self.tables.extended.is_some();
        let mut tables = self.tables.clone();
        if let Some(extended) = &mut tables.extended {
            extended.memory = self.memory;
        }
        let compare = (self.compare_scores && tables.extended.is_some()).then_some(CompareScores {
            stratify_by: options.stratify_by,
            memory: self.memory / 2,
        });
        let control = &self.control;
        let (counted, scores, inputs) = match &self.source {
            Source::Memory { sae, rows, calls } => {
                let counted = Counted::of_rows(sae, *rows, calls, &options, control)?;
                let scores = compare.map(|compare| {
                    counted.compare_scores_of_rows(*rows, &options.engine, compare, control)
                });
                (counted, scores.transpose()?, Inputs::default())
            }
            Source::Files {
                embeddings,
                metadata,
                model,
            } => {
                let shards = shards::shards(embeddings, metadata, None)?;
                let found = find_model(model)?;
                let folder = std::env::temp_dir();
                let plan = Plan {
                    inputs: &shards,
                    model: &found,
                    options: &options,
                    part_rows: PART_ROWS,
                    checkpoints: None,
                    firings: Some(KeepFirings {
                        memory: self.memory / 2,
                        folder: &folder,
                    }),
                    output: None,
                    read_ahead: rayon::current_num_threads() > 1,
                };
                let counted = plan.count(control)?;
                let scores =
                    compare.map(|compare| counted.compare_scores_of(&plan, compare, control));
                let inputs = plan.reads(&model_files(model), &|_| true);
                (counted, scores.transpose()?, inputs)
            }
        };
        let (device, engine) = (options.device, &options.engine);
        Ok(Results {
            tables: counted.tables_by(device, engine, &tables, scores, control)?,
            counted,
            inputs,
            save_firings: self.save_firings,
            control: self.control,
        })
    }
}

/// What an [`Analysis`] found.
#[derive(Debug)]
pub struct Results<'a> {
    /// Counts and firing sets.
    pub counted: Counted,
    /// Every table.
    pub tables: Tables,
    inputs: Inputs,
    save_firings: bool,
    control: Control<'a>,
}

impl Results<'_> {
    /// Writes every file into a folder, which is made where it does not exist: all of them, or none. The
    /// files of an earlier run are replaced, no others.
    ///
    /// # Errors
    /// A folder or files that cannot be written; files there that no earlier run wrote; cancellation.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = ResultsFolder::open(folder.as_ref(), self.inputs.clone(), false)?;
        let nothing = |_: &mut record::Record| Ok(());
        let (counted, tables) = (&self.counted, &self.tables);
        folder
            .write(
                counted,
                tables,
                self.save_firings,
                &self.control,
                nothing,
                |_| Ok(()),
            )
            .map(drop)
    }
}
