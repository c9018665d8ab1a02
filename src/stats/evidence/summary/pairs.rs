//! The pairs of atoms that fire together.

use serde::Serialize;

use crate::stats::evidence::{ExtendedTables, LEVEL};

/// The number of pairs that are described.
const DESCRIBED_PAIRS: usize = 3;

/// All pairs of atoms that fire together often enough.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairsSummary {
    /// The number of pairs.
    pub pairs: usize,
    /// The fewest calls on which their atoms fire together.
    pub threshold: u64,
    /// The fewest that were asked for.
    pub threshold_asked: u64,
    /// The number of pairs that fire together on at least as many calls as were asked for.
    pub pairs_asked: u64,
    /// The number of pairs that fire together more or less often than by chance, at a false
    /// discovery rate of 5 %.
    pub associated: usize,
    /// The number of pairs that do so differently on true calls than on false ones.
    pub different: usize,
    /// The number of pairs that cannot be tested.
    pub untested: usize,
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
        let significant = pairs.significant(LEVEL);
        let first = pairs.first_tested(DESCRIBED_PAIRS).into_iter();
        let describe = |place: usize| {
            let row = pairs.chunk(place..place + 1);
            let phi = [row.all.phi[0], row.tp.phi[0], row.fp.phi[0]];
            PairSummary {
                atoms: [row.a[0], row.b[0]],
                calls: row.all.count[0],
                lift: row.all.lift[0],
                phi: phi.map(|phi| (!phi.is_nan()).then_some(phi)),
            }
        };
        Some(Self {
            pairs: pairs.len(),
            threshold: pairs.threshold_used(),
            threshold_asked: tables.options.min_coactivation,
            pairs_asked: pairs.pairs_at_the_threshold_asked(),
            associated: significant.associated,
            different: significant.different,
            untested: pairs.len() - pairs.tested(),
            most_frequent: first.map(describe).collect(),
        })
    }

    /// Says whether more pairs were asked for than a table holds.
    pub fn is_cut(&self) -> bool {
        self.pairs_asked > self.pairs as u64
    }
}
