//! Small cohorts, handed over in blocks.

use atomscope::cohort::{Call, Calls, Label};
use atomscope::control::Control;
use atomscope::error::Result;
use atomscope::fires::{FiringBlock, FiringSets, FiringSetsBuilder, FiringStore};
use atomscope::stats::inference::stratified::StratumCounts;
use atomscope::stats::pairs::{Listed, PairColumns, Pairs, Settings};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A call's label, and the atoms that fire on it; none if it was dropped.
pub(crate) type Row = (Label, Option<Vec<u32>>);

pub(crate) struct Cohort {
    pub(crate) features: usize,
    /// How many atoms fire on each call; `None` where calls differ.
    pub(crate) k: Option<usize>,
    pub(crate) rows: Vec<Row>,
    /// Calls of a block.
    pub(crate) block: usize,
}

impl FiringStore for Cohort {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        let mut first = 0;
        for rows in self.rows.chunks(self.block) {
            let calls: Calls = rows.iter().map(|(label, _)| call(*label)).collect();
            let atoms = rows.iter().filter_map(|(_, set)| set.as_deref());
            let dropped = rows.iter().enumerate();
            let dropped = dropped.filter_map(|(row, (_, set))| set.is_none().then_some(row));
            let sets = self.sets(atoms, dropped.collect());
            take(FiringBlock {
                first,
                calls: &calls,
                sets: &sets,
            })?;
            first += rows.len() as u64;
        }
        Ok(())
    }
}

fn call(label: Label) -> Call<'static> {
    Call {
        truvari_class: Some(label.as_str()),
        ..Call::default()
    }
}

/// The tally of a cohort.
pub(crate) struct Counts {
    pub(crate) on: [Vec<u64>; 2],
    pub(crate) calls: [u64; 2],
}

impl Counts {
    pub(crate) fn borrowed(&self) -> StratumCounts<'_> {
        StratumCounts {
            tp_on: &self.on[0],
            fp_on: &self.on[1],
            tp: self.calls[0],
            fp: self.calls[1],
        }
    }
}

impl Cohort {
    /// Rows with exactly k of the atoms, the first ones oftener than the last, and some pairs of
    /// neighbours together oftener, on true calls at that; every seventh call or so was dropped.
    pub(crate) fn random(features: usize, k: usize, calls: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut row = || {
            let tp = random.random_bool(0.6);
            let label = if tp { Label::Tp } else { Label::Fp };
            let mut set = Vec::new();
            while set.len() < k {
                let share: f64 = random.random();
                let atom = (share * share * features as f64) as u32;
                let neighbour = atom ^ 1;
                for atom in [atom, neighbour] {
                    let wanted = atom != neighbour || tp && random.random_bool(0.5);
                    if wanted && set.len() < k && !set.contains(&atom) && (atom as usize) < features
                    {
                        set.push(atom);
                    }
                }
            }
            set.sort_unstable();
            (label, (!random.random_bool(0.15)).then_some(set))
        };
        Self {
            features,
            k: Some(k),
            rows: (0..calls).map(|_| row()).collect(),
            block: calls.max(1),
        }
    }

    /// Rows of any size: on some no atom fires, on one all do, on others few or many, on true calls
    /// more.
    pub(crate) fn ragged(features: usize, calls: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut row = |row: usize| {
            let tp = random.random_bool(0.6);
            let label = if tp { Label::Tp } else { Label::Fp };
            let rate = [0.0, 0.1, 0.25, 0.5][row % 4] * if tp { 1.0 } else { 0.8 };
            let fires = |atom: &u32| {
                let often = 1.5 - f64::from(*atom) / features as f64;
                row == 40 || random.random_bool(rate * often)
            };
            let set = (0..features as u32).filter(fires).collect();
            (label, (row % 7 != 6).then_some(set))
        };
        Self {
            features,
            k: None,
            rows: (0..calls).map(&mut row).collect(),
            block: 57,
        }
    }

    fn sets<'a>(&self, rows: impl Iterator<Item = &'a [u32]>, dropped: Vec<usize>) -> FiringSets {
        if let Some(k) = self.k {
            return FiringSets::uniform(k, rows.collect::<Vec<_>>().concat(), dropped);
        }
        let mut sets = FiringSetsBuilder::default();
        rows.for_each(|row| sets.push(row));
        sets.finish(dropped)
    }

    /// The sets of the calls that were kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (Label, &[u32])> {
        self.rows
            .iter()
            .filter_map(|(label, set)| set.as_deref().map(|set| (*label, set)))
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts {
            on: [vec![0; self.features], vec![0; self.features]],
            calls: [0; 2],
        };
        for (label, set) in self.kept() {
            counts.calls[label as usize] += 1;
            for &atom in set {
                counts.on[label as usize][atom as usize] += 1;
            }
        }
        counts
    }

    /// The firing sets of one label's calls.
    pub(crate) fn sets_of(&self, label: Label) -> FiringSets {
        let of_label = self.kept().filter(|(of, _)| *of == label);
        self.sets(of_label.map(|(_, set)| set), Vec::new())
    }

    pub(crate) fn pairs(&self, settings: &Settings) -> Pairs {
        let counts = self.counts();
        Pairs::count(self, &counts.borrowed(), settings, &Control::default()).expect("one cohort")
    }
}

/// Everything kept, with memory for all.
pub(crate) fn settings(min_coactivation: u64) -> Settings {
    Settings {
        min_coactivation,
        most_pairs: usize::MAX,
        listed: Listed::All,
        memory: 1 << 20,
    }
}

pub(crate) fn all(pairs: &Pairs) -> PairColumns {
    pairs.chunk(0..pairs.len())
}

/// Columns as they can be compared, NaN too.
pub(crate) fn shown(columns: &PairColumns) -> String {
    format!("{columns:?}")
}
