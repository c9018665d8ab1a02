//! What can be chosen.

use serde::Serialize;

use crate::tally::StratifyBy;

/// What is computed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Atoms that fire on fewer calls are in no family of tests.
    pub min_support: u64,
    /// What the strata tell apart; all that the tally does where `None`.
    pub strata: Option<StratifyBy>,
    /// Permutations of the labels; none where 0.
    pub permutations: usize,
    /// What changes places in a permutation, and is drawn together in a bootstrap.
    pub block: Exchange,
    /// Calls within so many base pairs of the next are one locus.
    pub locus_distance: u64,
    /// The same seed gives the same permutations and bootstraps.
    pub seed: u64,
    /// Pairs of atoms that fire together on fewer calls are left out.
    pub min_coactivation: u64,
    /// What the cohort is split by, where it is.
    pub replicate: Option<Partition>,
    /// How often calls are drawn anew for bootstrap intervals; none where 0.
    pub bootstrap: usize,
    /// Bytes that firings may take at a time.
    #[serde(skip)]
    pub memory: u64,
}

/// What changes places with what when labels are permuted.
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

/// What tells the two parts of a replication apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Partition {
    /// Datasets.
    Dataset,
    /// Chromosomes.
    Chrom,
}

impl Options {
    /// What is done where nothing else is asked for.
    pub const DEFAULT: Self = Self {
        min_support: 5,
        strata: None,
        permutations: 1000,
        block: Exchange::Call,
        locus_distance: 1000,
        seed: 0,
        min_coactivation: 10,
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
