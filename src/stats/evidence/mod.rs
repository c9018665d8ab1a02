//! The results that a paper needs beside the notebook's tables. For every atom these are its
//! effect, its tests, what is left of them within strata and after adjustment for many tests, and
//! the calls it fires on.
//!
//! Everything is computed from the tally; what needs single calls, from the firing sets, gathered for
//! one group of atoms after another so that memory stays bounded.
//!
//! ```
//! use atomscope::Analysis;
//! use atomscope::rows::SliceRows;
//! use atomscope::simulate::{SimulateOptions, simulate_in_memory};
//!
//! let cohort = simulate_in_memory(&SimulateOptions::new(2000, 32, 128, 8, 1))?;
//! let rows = SliceRows::new(&cohort.embeddings, 32)?;
//! let found = Analysis::of(&cohort.sae, &rows, &cohort.calls).permutations(200).run()?;
//!
//! let extended = found.tables.extended.ok_or("extended tables")?;
//! let max_t = extended.permutations.ok_or("permutations")?;
//! for (atom, counts) in extended.atoms.iter().enumerate() {
//!     if max_t.atoms[atom].p < 0.05 {
//!         println!("atom {atom}: {:?}", counts.log_odds);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `options` | what can be chosen |
//! | `strata` | the tally's counts by confounder, by type |
//! | `calls` | of each call its label, stratum, size, chromosome, dataset |
//! | `from_firings` | what firing sets add, part after part |
//! | `atoms` | one record an atom, from counts alone; adjusted p-values |
//! | `displacement` | how far atoms lean because others take their places |
//! | `within` | what becomes of an association within strata |
//! | `firings` | what an atom's firings add: activation, sizes, chromosomes, datasets |
//! | `categories` | atom × type, chromosome, dataset: each against the rest |
//! | `co_activation` | all pairs of atoms, by the CPU or by something else |
//! | `reasons` | atoms against the reasons why calls are false |
//! | `regions` | atoms and labels in and outside regions of the reference |
//! | `replicated` | discovery in one part, confirmation in the other |
//! | `resampling` | max-T by permutation, intervals by bootstrap |
//! | `values` | atoms against quantities of the calls |
//! | `order` | the one order of atoms by strength |
//! | `summary` | what all of this says: claims, strongest atoms, cautions |

mod atoms;
mod calls;
mod categories;
mod co_activation;
mod displacement;
mod firings;
mod from_firings;
mod options;
pub mod order;
pub mod reasons;
pub mod regions;
mod replicated;
mod resampling;
mod strata;
pub mod summary;
pub mod values;
mod within;

use serde::Serialize;

use crate::control::Control;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::stats::pairs::Pairs;
use crate::stats::prediction::Prediction;
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::{StratifyBy, Tally};

pub use crate::stats::inference::LEVEL;
pub use crate::stats::inference::multiplicity::Adjusted;
pub use atoms::AtomCounts;
pub use calls::{CallFacts, Categories};
pub use categories::{Category, CategoryAtom, Enrichment};
pub use co_activation::{PairsBy, PairsCounted};
pub use displacement::{Displacement, FEWEST_ATOMS, LEAST_VARIANCE};
pub use firings::{Activation, AtomFirings, Sizes};
pub use options::{Exchange, ListedPairs, Options, Partition};
pub use replicated::Replicated;
pub use resampling::{BootstrapInterval, LEAST_BLOCKS, Permutations};
pub use strata::{StrataCounts, StratumKey};
pub use summary::Summary;
pub use within::Within;

use atoms::AllAtoms;
use displacement::Bulk;
use from_firings::{FromFirings, Times};
use strata::{Confounded, by_type};

/// Everything beside the notebook's tables.
#[derive(Debug, Clone)]
pub struct ExtendedTables {
    /// The options that were asked for.
    pub options: Options,
    /// The properties that tell strata apart.
    pub scheme: StratifyBy,
    /// The number of strata.
    pub strata: usize,
    /// True calls.
    pub tp: u64,
    /// False calls.
    pub fp: u64,
    /// Every atom, from counts alone, \[F\].
    pub atoms: Vec<AtomCounts>,
    /// Fisher's p-values adjusted, among atoms with enough support.
    pub fisher: Adjusted,
    /// The exact conditional test's within strata, among atoms of which a stratum informs.
    pub cmh: Adjusted,
    /// The test of one odds ratio in all strata, given their margins and sum.
    pub homogeneity: Adjusted,
    /// The place of the middle of all atoms; `None` where too few atoms tell enough.
    pub displacement: Option<Displacement>,
    /// Atoms compared by their scores, where that was done: it takes the embeddings, and whoever has
    /// them fills it in.
    pub scores: Option<ScoreComparison>,
    /// Atoms against the reasons why calls are false, where calls have reasons: whoever has them fills it in.
    pub reasons: Option<reasons::ReasonTables>,
    /// Atoms and labels in and outside regions, where regions were given: whoever has them fills it in.
    pub regions: Option<regions::RegionTables>,
    /// The label predicted from atoms, where that was asked for: whoever has the calls fills it in.
    pub prediction: Option<Prediction>,
    /// The fate of each atom's association within strata, \[F\]; `None` where no stratum informs.
    pub within: Vec<Option<Within>>,
    /// Every atom against each SV type.
    pub types: Enrichment,
    /// The results of permuting the labels, if permutations were asked for.
    pub permutations: Option<Permutations>,
    /// Intervals of the strongest atoms' log odds ratios by bootstrap, where one was asked for.
    pub bootstrap: Vec<BootstrapInterval>,
    /// The number of blocks of calls that the bootstrap draws from. `None` if none was asked for,
    /// or without firing sets.
    pub blocks: Option<u32>,
    /// The results that hold in both parts of the cohort, if that was asked for.
    pub replication: Option<Replicated>,
    /// The atoms that fire together; `None` without firing sets.
    pub pairs: Option<Pairs>,
    /// Atoms against quantities of the calls, where any are described.
    pub values: Option<values::ValueTables>,
    /// The device on which pairs were counted.
    pub pairs_counted: Option<PairsCounted>,
    /// The results that need firing sets; `None` without them.
    pub firings: Option<FiringTables>,
    /// The time that each step took.
    pub seconds: Seconds,
    /// The CPU time of all threads that each step took.
    pub cpu_seconds: Seconds,
}

/// The results that need firing sets.
#[derive(Debug, Clone)]
pub struct FiringTables {
    /// The results that each atom's firings add, \[F\].
    pub atoms: Vec<AtomFirings>,
    /// Mann and Whitney's p-values adjusted; none where scores were not kept.
    pub mann_whitney: Adjusted,
    /// The p-values of Spearman's correlation with size adjusted.
    pub sizes: Adjusted,
    /// Every atom with enough support against each chromosome.
    pub chromosomes: Enrichment,
    /// Every atom with enough support against each dataset.
    pub datasets: Enrichment,
    /// True if firing sets have scores.
    pub has_scores: bool,
}

/// Seconds of the parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Effects, tests and strata, from counts.
    pub counts: f64,
    /// Atom × type.
    pub types: f64,
    /// Reading the calls.
    pub calls: f64,
    /// Activations, sizes, chromosomes and datasets.
    pub firings: f64,
    /// Permutations.
    pub permutations: f64,
    /// The bootstrap.
    pub bootstrap: f64,
    /// Discovery and confirmation.
    pub replication: f64,
    /// Co-activation.
    pub pairs: f64,
}

impl ExtendedTables {
    /// Computes everything that is asked for. `control` can cancel it.
    ///
    /// # Errors
    /// Strata that the tally does not tell apart; firing sets that are not those that were counted;
    /// those of reading; memory.
    pub fn of(
        tally: &Tally,
        details: Option<&dyn FiringStore>,
        options: &Options,
        control: &Control,
    ) -> Result<Self> {
        Self::with_pairs_by(PairsBy::Cpu, tally, details, options, control)
    }

    /// The same, with pairs counted by something else. The result is the same.
    ///
    /// # Errors
    /// As [`of`](Self::of), and those of the counter, except a lack of memory: then the CPU counts.
    pub fn with_pairs_by(
        pairs_by: PairsBy<'_>,
        tally: &Tally,
        details: Option<&dyn FiringStore>,
        options: &Options,
        control: &Control,
    ) -> Result<Self> {
        let mut times = Times::start();
        let confounded = Confounded::of(tally, options.strata.as_ref())?;
        let all = AllAtoms::of(tally, &confounded, options.min_support);
        times.lap(|seconds| &mut seconds.counts);
        let by_type = by_type(tally);
        let types = Enrichment::of(&by_type, &all.fires, |_| true, options.min_support);
        times.lap(|seconds| &mut seconds.types);
        control.check()?;
        let bulk = Bulk::of(&confounded, &all);
        let told = match details {
            None => FromFirings::default(),
            Some(details) => {
                let cohort = from_firings::Cohort {
                    details,
                    all: &all,
                    bulk: &bulk,
                    scheme: confounded.scheme.clone(),
                };
                FromFirings::of(&cohort, pairs_by, options, control)?
            }
        };
        let fisher = all.adjusted(|atom| Some(atom.fisher.p));
        let cmh = all.adjusted(|atom| atom.conditional.no_effect.map(|test| test.p));
        Ok(Self {
            options: options.clone(),
            strata: confounded.strata(),
            scheme: confounded.scheme,
            tp: all.tp,
            fp: all.fp,
            displacement: bulk.displacement(&all, told.inflation),
            scores: None,
            reasons: None,
            regions: None,
            values: None,
            prediction: None,
            within: within::of_atoms(&all.atoms, &fisher, &cmh),
            fisher,
            cmh,
            homogeneity: all.adjusted(|atom| atom.conditional.homogeneity),
            atoms: all.atoms,
            types,
            permutations: told.permutations,
            bootstrap: told.bootstrap,
            blocks: told.blocks,
            replication: told.replication,
            pairs: told.pairs,
            pairs_counted: told.pairs_counted,
            firings: told.firings,
            seconds: Seconds {
                counts: times.wall.counts,
                types: times.wall.types,
                ..told.seconds
            },
            cpu_seconds: Seconds {
                counts: times.cpu.counts,
                types: times.cpu.types,
                ..told.cpu_seconds
            },
        })
    }
}
