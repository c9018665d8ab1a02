//! Small cohorts, and stores that hand them over in pieces.

use atomscope::cohort::{Call, Calls, Number};
use atomscope::error::Result;
use atomscope::fires::{FiringBlock, FiringSets, FiringStore};
use rand::{RngExt, SeedableRng};

/// A cohort cut into blocks of so many calls.
pub(super) struct Pieces {
    pub(super) calls: Calls,
    pub(super) sets: FiringSets,
    pub(super) rows: usize,
}

impl FiringStore for Pieces {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        let mut first = 0;
        while first < self.calls.len() {
            let end = self.calls.len().min(first + self.rows);
            let (mut ends, mut atoms, mut scores) = (Vec::new(), Vec::new(), Vec::new());
            for row in first..end {
                atoms.extend_from_slice(self.sets.row(row));
                scores.extend_from_slice(&self.sets.scores().unwrap()[self.sets.place(row)]);
                ends.push(atoms.len());
            }
            take(FiringBlock {
                first: first as u64,
                calls: &self.calls.slice(first..end),
                sets: &FiringSets::ragged(ends, atoms, Vec::new()).with_scores(scores),
            })?;
            first = end;
        }
        Ok(())
    }
}

/// What a call's label depends on.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Truth {
    /// Nothing.
    Chance,
    /// Atoms 0 and 1.
    Atoms,
}

/// Calls on these chromosomes, in one piece, on which each of 30 atoms fires with chance 1 in 5.
pub(super) fn cohort(calls: usize, chromosomes: usize, truth: Truth, seed: u64) -> Pieces {
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let (mut all, mut ends, mut atoms, mut scores) = (Calls::default(), vec![], vec![], vec![]);
    for call in 0..calls {
        let set: Vec<u32> = (0..30).filter(|_| draw.random_range(0..5) == 0).collect();
        let eta = match truth {
            Truth::Chance => -0.5,
            Truth::Atoms => {
                let fires = |atom| f64::from(u8::from(set.contains(&atom)));
                2.0 * fires(0) - 2.0 * fires(1) - 0.5
            }
        };
        let is_fp = draw.random_range(0.0..1.0) < 1.0 / (1.0 + f64::exp(-eta));
        let chrom = format!("chr{}", 1 + draw.random_range(0..chromosomes));
        let id = format!("call{call}");
        all.push(&Call {
            chrom: Some(&chrom),
            pos: Number::Int(draw.random_range(1..50_000_000)),
            svtype: Some(["INS", "DEL"][draw.random_range(0..2_usize)]),
            svlen: Number::Int(draw.random_range(50..3000)),
            truvari_class: Some(if is_fp { "FP" } else { "TP" }),
            dataset: Some(["a", "b"][call % 2]),
            id: Some(&id),
            ..Call::default()
        });
        scores.extend(set.iter().map(|_| draw.random_range(0.5..1.5)));
        atoms.extend(set);
        ends.push(atoms.len());
    }
    Pieces {
        calls: all,
        sets: FiringSets::ragged(ends, atoms, Vec::new()).with_scores(scores),
        rows: usize::MAX,
    }
}
