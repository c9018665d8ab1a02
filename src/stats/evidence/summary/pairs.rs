//! The pairs of atoms that fire together.

use serde::Serialize;

use crate::stats::evidence::{ExtendedTables, ListedPairs};
use crate::stats::pairs::{PairFigures, PairNumbers};

/// The number of pairs that are described.
const DESCRIBED_PAIRS: usize = 3;

/// All pairs of atoms that fire together often enough.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairsSummary {
    /// The numbers of pairs.
    #[serde(flatten)]
    pub numbers: PairNumbers,
    /// The fewest calls that were asked for.
    pub threshold_asked: u64,
    /// The pairs that the table has.
    pub table: ListedPairs,
    /// The most frequent that can be tested.
    pub most_frequent: Vec<PairSummary>,
}

/// Two atoms that fire together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairSummary {
    /// The atoms.
    pub atoms: [u32; 2],
    /// The number of calls on which both fire.
    pub calls: u32,
    /// The ratio of that to the number expected by chance.
    pub lift: f64,
    /// The correlation of their firing on all, on true, and on false calls; `None` where it is undefined.
    pub phi: [Option<f64>; 3],
}

impl PairsSummary {
    /// `None` where pairs were not counted.
    pub(super) fn of(tables: &ExtendedTables) -> Option<Self> {
        let pairs = tables.pairs.as_ref()?;
        let describe = |pair: PairFigures| PairSummary {
            atoms: pair.atoms,
            calls: pair.count,
            lift: pair.lift,
            phi: pair.phi.map(|phi| (!phi.is_nan()).then_some(phi)),
        };
        let first = pairs.first_tested(DESCRIBED_PAIRS).into_iter();
        Some(Self {
            numbers: pairs.numbers(),
            threshold_asked: tables.options.min_coactivation,
            table: tables.options.pairs,
            most_frequent: first.map(describe).collect(),
        })
    }

    /// The number of pairs that cannot be tested.
    pub fn untested(&self) -> usize {
        self.numbers.at_threshold - self.numbers.tested
    }

    /// Says whether the table lacks pairs that tell something, as they are more than were asked for.
    pub fn lacks_significant(&self) -> bool {
        self.table == ListedPairs::Significant
            && self.numbers.significant.either > self.numbers.listed
    }

    /// Says whether more pairs were asked for than can be tested.
    pub fn is_cut(&self) -> bool {
        self.numbers.found > self.numbers.at_threshold as u64
    }
}
