//! The builder of an analysis: its input and its options.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;

use super::counted::Counted;
use super::session::{CountOptions, MEMORY};
use super::tables::TableOptions;
use crate::cohort::{Calls, ClassRule};
use crate::control::Control;
use crate::engine::{Device, Nonfinite};
use crate::read::{Decoder, ModelAnswers};
use crate::rows::{EmbeddingsChoice, Rows};
use crate::sae::Sae;
use crate::stats::evidence::regions::RegionOptions;
use crate::stats::evidence::{self, Exchange, ListedPairs, Partition};
use crate::stats::prediction::PredictBy;
use crate::tally::{CallProperty, StratifyBy};

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
    pub(super) source: Source<'a>,
    pub(super) options: CountOptions,
    pub(super) tables: TableOptions,
    pub(super) compare_scores: bool,
    pub(super) save_firings: bool,
    pub(super) memory: u64,
    pub(super) control: Control<'a>,
}

#[derive(Clone)]
pub(super) enum Source<'a> {
    Memory {
        sae: Sae,
        rows: &'a dyn Rows,
        calls: &'a Calls,
        decoder: Option<Decoder>,
    },
    Files {
        embeddings: Vec<PathBuf>,
        metadata: Vec<PathBuf>,
        model: PathBuf,
    },
    Activations {
        files: Vec<PathBuf>,
        metadata: Vec<PathBuf>,
        atoms: Option<u64>,
    },
    Counted(Arc<Counted>),
}

impl<'a> Analysis<'a> {
    /// An analysis of data in memory; `rows` and `calls` are of the same length and order.
    pub fn of(sae: &Sae, rows: &'a dyn Rows, calls: &'a Calls) -> Self {
        Self::new(Source::Memory {
            sae: sae.clone(),
            rows,
            calls,
            decoder: None,
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

    /// An analysis of activations that were computed elsewhere, for a model that is not read here: paths
    /// or patterns of files ([`read_activations`](crate::read::read_activations) has the layouts). An
    /// atom fires where its activation is not 0. Calls are read from tables; nothing is encoded.
    ///
    /// ```no_run
    /// let found = atomscope::Analysis::of_activations(["activations.npz"])
    ///     .metadata(["calls.csv"])
    ///     .run()?;
    /// found.write("results")?;
    /// # Ok::<(), atomscope::Error>(())
    /// ```
    pub fn of_activations<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>) -> Self {
        Self::new(Source::Activations {
            files: files.into_iter().map(Into::into).collect(),
            metadata: Vec::new(),
            atoms: None,
        })
    }

    /// An analysis of a cohort that was counted before: by an earlier [`run`](Self::run), or from
    /// tallies. Only the options of tables bear on it.
    pub fn of_counted(counted: Arc<Counted>) -> Self {
        Self::new(Source::Counted(counted))
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

    /// Reads the calls from these tables, the first of the first file, and so on.
    #[must_use]
    pub fn metadata<P: Into<PathBuf>>(mut self, tables: impl IntoIterator<Item = P>) -> Self {
        if let Source::Files { metadata, .. } | Source::Activations { metadata, .. } =
            &mut self.source
        {
            *metadata = tables.into_iter().map(Into::into).collect();
        }
        self
    }

    /// The decoder of the model of data in memory, from which the page shows atoms of a like direction.
    #[must_use]
    pub fn decoder(mut self, of_model: Option<Decoder>) -> Self {
        if let Source::Memory { decoder, .. } = &mut self.source {
            *decoder = of_model;
        }
        self
    }

    /// Says of the model what its files leave open.
    #[must_use]
    pub fn model_answers(mut self, answers: ModelAnswers) -> Self {
        self.options.model = answers;
        self
    }

    /// Says which matrix of the files holds the embeddings, and how tokens become one row.
    #[must_use]
    pub fn embeddings_choice(mut self, choice: EmbeddingsChoice) -> Self {
        self.options.embeddings = choice;
        self
    }

    /// Says how many atoms the model of activations has, where their files do not.
    #[must_use]
    pub fn atoms(mut self, count: u64) -> Self {
        if let Source::Activations { atoms, .. } = &mut self.source {
            *atoms = Some(count);
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

    /// Cuts the batches of a model of batch top-k every so many rows, in the cohort's order. Without
    /// it the whole cohort is one batch.
    #[must_use]
    pub fn batch_rows(mut self, rows: NonZeroU64) -> Self {
        self.options.batch_topk.rows = Some(rows);
        self
    }

    /// Estimates one threshold for a model of batch top-k, above which scores fire.
    #[must_use]
    pub fn batch_threshold(mut self) -> Self {
        self.options.batch_topk.threshold = true;
        self
    }

    /// Stratifies calls by these of their columns.
    #[must_use]
    pub fn stratify_by(mut self, columns: StratifyBy) -> Self {
        self.options.stratify_by = columns.clone();
        self.extended(|options| options.strata = Some(columns))
    }

    /// Compares atoms with these quantities of the calls, where calls are read from files: columns and keys
    /// (`"col:depth".parse()`).
    #[must_use]
    pub fn describe(mut self, quantities: Vec<CallProperty>) -> Self {
        self.options.describe = quantities;
        self
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

    /// Compares calls, and atoms, in and outside regions of the reference
    /// ([`Regions::read`](crate::read::Regions::read) reads them).
    #[must_use]
    pub fn regions(mut self, regions: RegionOptions) -> Self {
        let regions = Arc::new(regions);
        self.options.regions = Some(regions.clone());
        self.tables.regions = Some(regions);
        self
    }

    /// Predicts the label of each call from the atoms that fire on it, by models that have not seen the
    /// call nor its chromosome, or its locus.
    #[must_use]
    pub fn predict(mut self, by: PredictBy) -> Self {
        self.tables.predict = Some(by);
        self
    }

    /// Says which calls change places in a permutation.
    #[must_use]
    pub fn exchange(self, exchange: Exchange) -> Self {
        self.extended(|options| options.block = exchange)
    }

    /// Takes calls within so many base pairs of the next as one locus.
    #[must_use]
    pub fn locus_distance(self, base_pairs: u64) -> Self {
        self.extended(|options| options.locus_distance = base_pairs)
    }

    /// Leaves out pairs of atoms that fire together on fewer calls.
    #[must_use]
    pub fn min_coactivation(self, calls: u64) -> Self {
        self.extended(|options| options.min_coactivation = calls)
    }

    /// Says which pairs of atoms the table of pairs has.
    #[must_use]
    pub fn pairs(self, listed: ListedPairs) -> Self {
        self.extended(|options| options.pairs = listed)
    }

    /// Lists at most so many pairs where those that tell something are listed: the ones with the
    /// largest |φ|.
    #[must_use]
    pub fn max_pairs(self, most: usize) -> Self {
        self.extended(|options| options.max_pairs = most)
    }

    /// Draws the given number of bootstrap replicates; 0 for none.
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

    /// Takes about the given number of bytes of memory for firing sets, calls and scores.
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
}
