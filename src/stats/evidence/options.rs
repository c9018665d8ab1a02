//! The options of the tables beside the notebook's.

use serde::Serialize;

use crate::tally::StratifyBy;

/// The choice of what is computed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Atoms that fire on fewer calls are in no family of tests.
    pub min_support: u64,
    /// The properties that tell strata apart; `None` means all that the tally has.
    pub strata: Option<StratifyBy>,
    /// Permutations of the labels; none where 0.
    pub permutations: usize,
    /// The unit that changes places in a permutation and is drawn together in a bootstrap.
    pub block: Exchange,
    /// The distance in base pairs within which a call and the next are one locus.
    pub locus_distance: u64,
    /// The same seed gives the same permutations and bootstraps.
    pub seed: u64,
    /// Pairs of atoms that fire together on fewer calls are left out.
    pub min_coactivation: u64,
    /// The pairs that the table of pairs has.
    pub pairs: ListedPairs,
    /// The largest number of pairs of that table where it has the significant ones.
    pub max_pairs: usize,
    /// The property that splits the cohort, if it is split.
    pub replicate: Option<Partition>,
    /// The number of times that calls are drawn anew for bootstrap intervals; 0 for no intervals.
    pub bootstrap: usize,
    /// Bytes that firings may take at a time.
    #[serde(skip)]
    pub memory: u64,
}

/// The unit that changes places when labels are permuted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Exchange {
    /// Calls, each on its own.
    Call,
    /// Loci: neighbouring calls keep their labels together.
    Locus,
    /// Labels rotate along the genome within each dataset.
    Sample,
}

/// The pairs of atoms that the table of pairs has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListedPairs {
    /// Those that fire together more or less often than by chance, or otherwise on true calls than on
    /// false ones, at a false discovery rate of 5 %.
    Significant,
    /// All that fire together often enough.
    All,
    /// There is no such table; pairs are not counted.
    None,
}

/// The property that tells the two parts of a replication apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Partition {
    /// Datasets.
    Dataset,
    /// Chromosomes.
    Chrom,
}

impl Options {
    /// The options used if nothing else is asked for.
    pub const DEFAULT: Self = Self {
        min_support: 5,
        strata: None,
        permutations: 1000,
        block: Exchange::Call,
        locus_distance: 1000,
        seed: 0,
        min_coactivation: 10,
        pairs: ListedPairs::Significant,
        max_pairs: 100_000,
        replicate: None,
        bootstrap: 1000,
        memory: 512 << 20,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
