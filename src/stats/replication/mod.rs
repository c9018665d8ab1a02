//! Replication of one part's findings in the other part of the cohort.
//!
//! Calls are split by dataset or by chromosome, whole groups to either part, so that the parts have
//! no locus (or no sample) in common. Atoms that are significant in the *discovery* part are tested
//! anew in the *confirmation* part, and adjusted for those alone.
//!
//! Both tests are within strata: [`exact_strata`], with the side to which an atom leans by Mantel
//! and Haenszel's odds ratio. An association with an SV type alone is present in every part of the
//! cohort, and would be replicated by any test of all calls at once.
//!
//! | file | contents |
//! |---|---|
//! | `split` | the split of groups into parts |
//! | `cells` | the parts' tables, stratum by stratum |
//! | `agreement` | the agreement of the parts: signs, replicated atoms, correlations of effects |
//!
//! Resampled figures go through the same functions of `agreement` as the observed ones, with the
//! set of atoms held fixed.

pub mod agreement;
mod cells;
mod split;

use super::inference::LEVEL;
use super::inference::multiplicity::Family;
use super::inference::{Estimate, PValue, Table2x2, effect, exact_strata, stratified};

pub use agreement::{Agreement, Correlation, Effects};
pub use cells::Cells;
pub use split::{Part, Split};

/// Every atom in two parts of a cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct Replication {
    /// The calls of either part.
    pub split: Split,
    /// The least support in a part: atoms that fire on fewer of its calls are not tested in it.
    pub min_support: u64,
    /// Every atom, \[F\].
    pub atoms: Vec<AtomReplication>,
    /// The agreement of atoms discovered in the first part and confirmed in the second.
    pub forward: Agreement,
    /// The agreement of atoms discovered in the second part and confirmed in the first.
    pub backward: Agreement,
}

/// One atom in both parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtomReplication {
    /// The atom in the discovery part, adjusted over all atoms that are tested there.
    pub discovery: InPart,
    /// The atom in the confirmation part, adjusted over the discovered atoms that are tested there.
    pub confirmation: InPart,
    /// True if the discovery part's false discovery rate is below [`LEVEL`]; `None` for an atom
    /// that is not tested there.
    pub discovered: Option<bool>,
    /// True if the log odds ratios within strata have one sign; `None` unless the atom is tested in
    /// both parts.
    pub same_sign: Option<bool>,
    /// True if the confirmation's false discovery rate is below [`LEVEL`], with the same sign;
    /// `None` unless the atom is discovered, and tested in the confirmation part.
    pub replicated: Option<bool>,
}

/// One atom in one part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InPart {
    /// The table of firing and label, over all strata.
    pub table: Table2x2,
    /// The effects and the test; `None` for an untested atom, which fires on too few calls of the
    /// part, or has a zero margin in every stratum.
    pub tested: Option<Tested>,
    /// The p-value adjusted by Benjamini and Hochberg; `None` for an atom outside of the family.
    pub fdr: Option<PValue>,
}

/// Effects and test of an atom in one part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The [log odds ratio](effect::log_odds_ratio) over all strata.
    pub log_odds: Estimate,
    /// The logarithm of Mantel and Haenszel's odds ratio within strata; infinite if one of its sums
    /// is 0.
    pub log_odds_within: f64,
    /// The ends of its 95 % interval (Robins, Breslow and Greenland); `None` if it is infinite.
    pub interval_within: Option<(f64, f64)>,
    /// [The exact test within strata](exact_strata::of_tables), two-sided.
    pub p: PValue,
}

/// Discovery in one part and confirmation in the other.
struct Direction {
    discovery_fdr: Vec<Option<PValue>>,
    confirmation_fdr: Vec<Option<PValue>>,
    discovered: Vec<bool>,
}

impl Tested {
    fn of(all: &Table2x2, strata: &[Table2x2], min_support: u64) -> Option<Self> {
        if all.fires() < min_support.max(1) {
            return None;
        }
        let p = exact_strata::of_tables(strata)?.p;
        let within = stratified::of_tables(strata);
        Some(Self {
            log_odds: effect::log_odds_ratio(all),
            log_odds_within: within.ln_odds_ratio?,
            interval_within: within.adjusted.map(|within| (within.low, within.high)),
            p,
        })
    }
}

impl InPart {
    /// Computes effects and test from the atom's tables in the strata of a part, without `fdr`.
    pub fn of(strata: &[Table2x2], min_support: u64) -> Self {
        let sum = |sum, table: &Table2x2| sum + *table;
        let table = strata.iter().fold(Table2x2::default(), sum);
        Self {
            table,
            tested: Tested::of(&table, strata, min_support),
            fdr: None,
        }
    }
}

impl Direction {
    fn of(atoms: &[[InPart; 2]], discovery: usize) -> Self {
        let p = |atom: &[InPart; 2], part: usize| atom[part].tested.map(|tested| tested.p);
        let family: Vec<_> = atoms.iter().map(|atom| p(atom, discovery)).collect();
        let discovery_fdr = Family::of(&family).benjamini_hochberg();
        let is_discovered: Vec<_> = discovery_fdr.iter().copied().map(is_significant).collect();
        let among = atoms.iter().zip(&is_discovered);
        let family: Vec<_> = among
            .map(|(atom, &discovered)| p(atom, 1 - discovery).filter(|_| discovered))
            .collect();
        Self {
            discovery_fdr,
            confirmation_fdr: Family::of(&family).benjamini_hochberg(),
            discovered: is_discovered,
        }
    }

    fn agreement(&self, atoms: &[[InPart; 2]]) -> Agreement {
        let fdr = self.confirmation_fdr.iter().copied();
        let confirmed: Vec<_> = fdr.map(is_significant).collect();
        Agreement::of(atoms, &self.discovered, &confirmed)
    }
}

fn is_significant(fdr: Option<PValue>) -> bool {
    fdr.is_some_and(|fdr| fdr.p() < LEVEL)
}

impl Replication {
    /// Computes the replication from every atom in either part, \[F\], as [`InPart::of`] makes them
    /// of [`Cells::tables`].
    pub fn of(split: Split, atoms: &[[InPart; 2]], min_support: u64) -> Self {
        let forward = Direction::of(atoms, 0);
        let backward = Direction::of(atoms, 1);
        let of_atom = |(atom, &[first, second]): (usize, &[InPart; 2])| {
            let discovery = InPart {
                fdr: forward.discovery_fdr[atom],
                ..first
            };
            let confirmation = InPart {
                fdr: forward.confirmation_fdr[atom],
                ..second
            };
            AtomReplication::of(discovery, confirmation)
        };
        Self {
            split,
            min_support,
            atoms: atoms.iter().enumerate().map(of_atom).collect(),
            forward: forward.agreement(atoms),
            backward: backward.agreement(atoms),
        }
    }
}

impl AtomReplication {
    fn of(discovery: InPart, confirmation: InPart) -> Self {
        let same_sign = agreement::same_side(&discovery, &confirmation);
        let confirmed = confirmation.fdr.map(|_| is_significant(confirmation.fdr));
        Self {
            discovered: discovery.fdr.map(|_| is_significant(discovery.fdr)),
            replicated: confirmed.zip(same_sign).map(|(fdr, sign)| fdr && sign),
            discovery,
            confirmation,
            same_sign,
        }
    }
}
