//! Each atom's share in a pair's figures, and these.

use super::chance::Chance;
use super::kept::Pair;
use super::lanes::Observed;
use super::sizes::Sizes;
use super::together::{Together, test_of_association};
use crate::error::{Error, Result};
use crate::stats::inference::Table2x2;
use crate::stats::inference::stratified::StratumCounts;

/// The group of calls that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    All,
    Tp,
    Fp,
}

impl Group {
    pub(super) const EACH: [Self; 3] = [Self::All, Self::Tp, Self::Fp];
}

/// The number of each group's calls on which each atom fires.
#[derive(Debug, Clone)]
pub(super) struct Margins([OfGroup; 3]);

#[derive(Debug, Clone)]
struct OfGroup {
    calls: u64,
    atoms: Vec<OfAtom>,
    chance: Chance,
}

/// The firings of an atom on n calls: m, the number on which it fires, and 1/√(m·(n − m)), infinite
/// where that is 0.
#[derive(Debug, Clone, Copy)]
struct OfAtom {
    fires: u64,
    scale: f64,
}

fn bad(found: &str, expected: &str) -> Error {
    Error::Argument {
        name: "tally",
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

fn odd() -> Error {
    bad(
        "atoms that fire on more calls than there are",
        "counts of one cohort",
    )
}

impl OfGroup {
    fn new(calls: u64, fires: &[u64], sizes: Option<&Sizes>) -> Option<Self> {
        let of_atom = |&fires: &u64| {
            let product = fires * u64::checked_sub(calls, fires)?;
            let scale = 1.0 / (product as f64).sqrt();
            Some(OfAtom { fires, scale })
        };
        Some(Self {
            calls,
            atoms: fires.iter().map(of_atom).collect::<Option<_>>()?,
            chance: Chance::of(calls, fires, sizes),
        })
    }
}

impl Margins {
    /// `sizes` are those of the firing sets of true and of false calls, where they are known.
    ///
    /// # Errors
    /// 2^32 calls or more; atoms that fire on more calls than there are.
    pub(super) fn of(counts: &StratumCounts<'_>, sizes: Option<&[Sizes; 2]>) -> Result<Self> {
        Self::check(counts)?;
        let StratumCounts {
            tp_on,
            fp_on,
            tp,
            fp,
        } = *counts;
        let of_tp = OfGroup::new(tp, tp_on, sizes.map(|[tp, _]| tp)).ok_or_else(odd)?;
        let of_fp = OfGroup::new(fp, fp_on, sizes.map(|[_, fp]| fp)).ok_or_else(odd)?;
        let both: Vec<u64> = tp_on.iter().zip(fp_on).map(|(tp, fp)| tp + fp).collect();
        let of_both = sizes.map(|[tp, fp]| tp.with(fp));
        let of_all = OfGroup::new(tp + fp, &both, of_both.as_ref()).ok_or_else(odd)?;
        Ok(Self([of_all, of_tp, of_fp]))
    }

    /// # Errors
    /// As [`Self::of`].
    pub(super) fn check(counts: &StratumCounts<'_>) -> Result<()> {
        let StratumCounts {
            tp_on,
            fp_on,
            tp,
            fp,
        } = *counts;
        let calls = tp.saturating_add(fp);
        if u32::try_from(calls).is_err() {
            return Err(bad(
                "2^32 calls, or more",
                "fewer: report on parts of the cohort",
            ));
        }
        if tp_on.len() != fp_on.len() || u32::try_from(tp_on.len()).is_err() {
            return Err(odd());
        }
        let fits = |fires: &[u64], calls| fires.iter().all(|&fires| fires <= calls);
        if fits(tp_on, tp) && fits(fp_on, fp) {
            return Ok(());
        }
        Err(odd())
    }

    /// Counts the pairs that could fire together on `threshold` calls and be tested on the calls of
    /// a group. It uses how often each atom fires. This is the family of tests. Which of the pairs
    /// do fire together is seen from what is tested, so those alone are no family.
    pub(super) fn pairs_that_could(&self, group: Group, threshold: u64) -> u64 {
        let of = &self.0[group as usize];
        if !of.chance.is_open() {
            return 0;
        }
        let atoms = (0..).zip(&self.0[Group::All as usize].atoms);
        let could = atoms.filter(|&(atom, all)| all.fires >= threshold && of.chance.varies(atom));
        let atoms = could.count() as u64;
        atoms * atoms.saturating_sub(1) / 2
    }

    /// Returns the number of atoms.
    pub(super) fn atoms(&self) -> usize {
        self.0[0].atoms.len()
    }

    /// Returns a pair of atoms that fire together on the given number of calls; `None` if they
    /// cannot.
    pub(super) fn pair(&self, a: u32, b: u32, tp: u64, fp: u64) -> Option<Pair> {
        let can = |group, count| {
            let [of_a, of_b] = self.fires(group, a, b);
            let fewest = (of_a + of_b).saturating_sub(self.0[group as usize].calls);
            (fewest..=of_a.min(of_b)).contains(&count)
        };
        let pair = || Pair {
            a,
            b,
            tp: tp as u32,
            fp: fp as u32,
        };
        (can(Group::Tp, tp) && can(Group::Fp, fp)).then(pair)
    }

    fn fires(&self, group: Group, a: u32, b: u32) -> [u64; 2] {
        let atoms = &self.0[group as usize].atoms;
        [atoms[a as usize].fires, atoms[b as usize].fires]
    }

    /// Calls of the group on which both fire.
    pub(super) fn count(group: Group, pair: &Pair) -> u32 {
        match group {
            Group::All => pair.count(),
            Group::Tp => pair.tp,
            Group::Fp => pair.fp,
        }
    }

    /// Firing of a in the rows, of b in the columns; the group has the pair's calls.
    pub(super) fn table(&self, group: Group, pair: &Pair) -> Table2x2 {
        let [of_a, of_b] = self.fires(group, pair.a, pair.b);
        let both = u64::from(Self::count(group, pair));
        Table2x2 {
            tp_on: both,
            fp_on: of_a - both,
            tp_off: of_b - both,
            fp_off: self.0[group as usize].calls + both - of_a - of_b,
        }
    }

    /// Calls on which both would fire by chance.
    pub(super) fn expected(&self, group: Group, pair: &Pair) -> f64 {
        let of = &self.0[group as usize];
        of.chance.both(pair.a, pair.b) * of.calls as f64
    }

    /// Count by expected count.
    pub(super) fn lift(&self, group: Group, pair: &Pair) -> f64 {
        f64::from(Self::count(group, pair)) / self.expected(group, pair)
    }

    /// Calls on which both fire, by calls on which either does.
    pub(super) fn jaccard(&self, group: Group, pair: &Pair) -> f64 {
        let [of_a, of_b] = self.fires(group, pair.a, pair.b);
        let both = u64::from(Self::count(group, pair));
        both as f64 / (of_a + of_b - both) as f64
    }

    /// The correlation of the two atoms' firing, `(ad − bc)/√(product of the margins)`; NaN where a
    /// margin is 0.
    pub(super) fn phi(&self, group: Group, pair: &Pair) -> f64 {
        let of = &self.0[group as usize];
        let [a, b] = [pair.a, pair.b].map(|atom| of.atoms[atom as usize]);
        // ad − bc is this difference, exact: either is below 2⁶⁴. Whatever the atoms' order, the
        // bits are the same.
        let both = u64::from(Self::count(group, pair)) * of.calls;
        let chance = a.fires * b.fires;
        let size = both.abs_diff(chance) as f64 * (a.scale * b.scale);
        // Rounding may put it beyond; 0·∞ is NaN.
        let size = if size > 1.0 { 1.0 } else { size };
        if both < chance { -size } else { size }
    }

    /// The exact test that both fire together as chance has it; `None` where their count could not be
    /// another.
    pub(super) fn test(&self, group: Group, pair: &Pair) -> Option<Observed<Together>> {
        let of = &self.0[group as usize];
        let both = u64::from(Self::count(group, pair));
        let open = of.chance.open(pair.a, pair.b, both);
        open.map(|open| test_of_association(&open))
    }

    /// Says whether a pair can be tested on all calls: each atom fires on some and not on all.
    pub(super) fn is_tested(&self, pair: &Pair) -> bool {
        let chance = &self.0[Group::All as usize].chance;
        let both = u64::from(pair.count());
        chance.open(pair.a, pair.b, both).is_some()
    }
}
