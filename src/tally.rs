//! What is counted: `counts[stratum][feature]`, a commutative monoid of integers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cohort::{Calls, Label};
use crate::error::Result;

/// What a row is counted under: its label crossed with its type of variant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// True or false call.
    pub label: Label,
    /// SV type; `UNK` where it is missing.
    pub svtype: String,
}

/// The stratum of every row, and the table that says what the numbers mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strata {
    table: Vec<Stratum>,
    of_row: Vec<u16>,
}

impl Strata {
    /// At most so many SV types have strata of their own; the types that are seen last beyond
    /// them share one, [`Strata::OTHER`], so that memory stays bounded whatever a file holds.
    pub const MOST_TYPES: usize = 30;

    /// The shared type's name.
    pub const OTHER: &'static str = "(other types)";

    /// Label × SV type, in the order in which they are first seen.
    pub fn of_calls(calls: &Calls) -> Self {
        let mut types = HashMap::<u32, String>::new();
        let mut numbers = HashMap::<Stratum, u16>::new();
        let mut known = HashMap::<(Label, u32), u16>::new();
        let mut strata = Self::default();
        for row in 0..calls.len() {
            let (label, code) = (calls.label(row), calls.svtype.code(row));
            let number = *known.entry((label, code)).or_insert_with(|| {
                let name = calls.svtype.get(row).unwrap_or("UNK");
                // The types that the analysis asks for by name never share a stratum.
                let room = types.len() < Self::MOST_TYPES
                    || types.contains_key(&code)
                    || matches!(name, "INS" | "DEL");
                let svtype = if room { name } else { Self::OTHER }.to_owned();
                if room {
                    types.insert(code, svtype.clone());
                }
                let stratum = Stratum { label, svtype };
                *numbers.entry(stratum.clone()).or_insert_with(|| {
                    strata.table.push(stratum);
                    (strata.table.len() - 1) as u16
                })
            });
            strata.of_row.push(number);
        }
        strata
    }

    /// One stratum for all rows, where there are no calls to tell rows apart.
    pub fn single(rows: usize) -> Self {
        let stratum = Stratum {
            label: Label::Fp,
            svtype: "UNK".to_owned(),
        };
        Self {
            table: vec![stratum],
            of_row: vec![0; rows],
        }
    }

    /// What each stratum stands for.
    pub fn table(&self) -> &[Stratum] {
        &self.table
    }

    /// The stratum of every row.
    pub fn of_row(&self) -> &[u16] {
        &self.of_row
    }
}

/// What certified selection left open, over a run. These depend on the machine's screen, and
/// so are part of a run's record, never of its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Certificate {
    /// Rows that were selected.
    pub rows: u64,
    /// Rows whose set the screen alone settled.
    pub rows_certified_outright: u64,
    /// Atoms that the screen's bound left open, over all rows.
    pub ambiguous_atoms: u64,
    /// Those of them that went through a second, narrower screen.
    pub second_scores: u64,
    /// Those of them that were scored canonically.
    pub canonical_scores: u64,
    /// The most of them in one row.
    pub most_ambiguous_in_a_row: u64,
    /// Rows that were scored canonically in full.
    pub rows_rescored_in_full: u64,
}

impl Certificate {
    /// The certificate of both runs together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            rows_certified_outright: self.rows_certified_outright + other.rows_certified_outright,
            ambiguous_atoms: self.ambiguous_atoms + other.ambiguous_atoms,
            second_scores: self.second_scores + other.second_scores,
            canonical_scores: self.canonical_scores + other.canonical_scores,
            most_ambiguous_in_a_row: self
                .most_ambiguous_in_a_row
                .max(other.most_ambiguous_in_a_row),
            rows_rescored_in_full: self.rows_rescored_in_full + other.rows_rescored_in_full,
        }
    }
}

/// A tally that several threads count into at once: one for all of them, since strata times
/// features can be many.
#[derive(Debug)]
pub struct SharedTally {
    feature_dim: usize,
    table: Vec<Stratum>,
    rows: Vec<AtomicU64>,
    counts: Vec<AtomicU64>,
}

impl SharedTally {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::error::Error::Memory) where the counts do not fit.
    pub fn new(feature_dim: usize, table: Vec<Stratum>) -> Result<Self> {
        let strata = table.len();
        let counts = crate::memory::filled(strata, feature_dim, "the counts", AtomicU64::default)?;
        let rows = table.iter().map(|_| AtomicU64::default()).collect();
        Ok(Self {
            feature_dim,
            table,
            rows,
            counts,
        })
    }

    /// Counts one row's firing set.
    pub fn add_row(&self, stratum: u16, atoms: &[u32]) {
        let stratum = usize::from(stratum);
        self.rows[stratum].fetch_add(1, Ordering::Relaxed);
        let counts = &self.counts[stratum * self.feature_dim..][..self.feature_dim];
        for &atom in atoms {
            counts[atom as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds what a device has counted: `counts` \[strata, features\], `rows` of each stratum.
    pub fn add_counts(&self, counts: &[u32], rows: &[u64]) {
        for (sum, &more) in self.counts.iter().zip(counts) {
            sum.fetch_add(u64::from(more), Ordering::Relaxed);
        }
        for (sum, &more) in self.rows.iter().zip(rows) {
            sum.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// The tally, once all threads are done.
    pub fn finish(self, certificate: Certificate) -> Tally {
        let numbers =
            |counts: Vec<AtomicU64>| counts.into_iter().map(AtomicU64::into_inner).collect();
        Tally {
            feature_dim: self.feature_dim,
            table: self.table,
            rows: numbers(self.rows),
            counts: numbers(self.counts),
            certificate,
        }
    }
}

/// Counts by stratum and feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    feature_dim: usize,
    table: Vec<Stratum>,
    rows: Vec<u64>,
    counts: Vec<u64>,
    certificate: Certificate,
}

impl Tally {
    /// Adds another tally of the same features and strata; the order does not matter.
    ///
    /// # Panics
    /// If features or strata differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(
            (self.feature_dim, &self.table),
            (other.feature_dim, &other.table)
        );
        for (mine, theirs) in [
            (&mut self.rows, &other.rows),
            (&mut self.counts, &other.counts),
        ] {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
        self.certificate = self.certificate.merge(other.certificate);
    }

    /// F, the number of features.
    pub fn feature_dim(&self) -> usize {
        self.feature_dim
    }

    /// What each stratum stands for.
    pub fn table(&self) -> &[Stratum] {
        &self.table
    }

    /// Rows counted under each stratum.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// `counts(stratum)[feature]`: rows of the stratum on which the feature fires.
    pub fn counts(&self, stratum: usize) -> &[u64] {
        &self.counts[stratum * self.feature_dim..][..self.feature_dim]
    }

    /// What selection left open.
    pub fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// Rows over all strata that `pick` takes.
    pub fn rows_where(&self, pick: impl Fn(&Stratum) -> bool) -> u64 {
        self.table
            .iter()
            .zip(&self.rows)
            .filter(|(s, _)| pick(s))
            .map(|(_, n)| n)
            .sum()
    }

    /// Counts of every feature over all strata that `pick` takes, \[F\].
    pub fn counts_where(&self, pick: impl Fn(&Stratum) -> bool) -> Vec<u64> {
        let mut sums = vec![0; self.feature_dim];
        for (stratum, _) in self.table.iter().enumerate().filter(|(_, s)| pick(s)) {
            for (sum, n) in sums.iter_mut().zip(self.counts(stratum)) {
                *sum += n;
            }
        }
        sums
    }
}
