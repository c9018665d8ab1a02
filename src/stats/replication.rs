//! Replication: what one part of the cohort shows, does the other part show it as well?
//!
//! Calls are split by dataset or by chromosome, whole groups to either part, so that the parts have
//! no locus (or no sample) in common. Atoms that are significant in the *discovery* part are tested
//! anew in the *confirmation* part, and adjusted for those alone.
//!
//! | file | what it does |
//! |---|---|
//! | `split` | which group is in which part; the parts' tables |
//! | `agreement` | how far the parts agree: signs, replicated atoms, correlations of effects |
//!
//! Resampled tables go through the same functions of `agreement` as the observed ones, with the set
//! of atoms held fixed.

pub mod agreement;
mod split;

use rayon::prelude::*;

use super::evidence::LEVEL;
use super::inference::multiplicity::Family;
use super::inference::{Estimate, PValue, Table2x2, effect, fisher};
use crate::error::{Error, Result};

pub use agreement::{Agreement, Correlation, Effects};
pub use split::{Part, Split};

/// What two parts of a cohort say of each atom.
#[derive(Debug, Clone, PartialEq)]
pub struct Replication {
    /// Which calls are in which part.
    pub split: Split,
    /// Atoms that fire on fewer calls of a part are not tested in it.
    pub min_support: u64,
    /// Every atom, \[F\].
    pub atoms: Vec<AtomReplication>,
    /// Discovered in the first part, confirmed in the second.
    pub forward: Agreement,
    /// Discovered in the second part, confirmed in the first.
    pub backward: Agreement,
}

/// One atom in both parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtomReplication {
    /// In the discovery part; adjusted over all atoms that are tested there.
    pub discovery: InPart,
    /// In the confirmation part; adjusted over the discovered atoms that are tested there.
    pub confirmation: InPart,
    /// Whether the discovery part's false discovery rate is below [`LEVEL`].
    pub discovered: bool,
    /// Whether the log odds ratios have one sign; `None` unless the atom is tested in both parts.
    pub same_sign: Option<bool>,
    /// Whether the confirmation's false discovery rate is below [`LEVEL`], with the same sign;
    /// `None` unless the atom is discovered, and tested in the confirmation part.
    pub replicated: Option<bool>,
}

/// One atom in one part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InPart {
    /// Firing and label.
    pub table: Table2x2,
    /// The rest; `None` for an atom that is not tested: it fires on too few calls of the part, or a
    /// margin of its table is zero.
    pub tested: Option<Tested>,
    /// Fisher's p adjusted by Benjamini and Hochberg; `None` for an atom that is not in the family.
    pub fdr: Option<PValue>,
}

/// Effect and test of an atom in one part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The [log odds ratio](effect::log_odds_ratio).
    pub log_odds: Estimate,
    /// [Fisher's exact test](fisher::exact_test), two-sided.
    pub p: PValue,
}

/// Discovery in one part and confirmation in the other.
struct Direction {
    discovery_fdr: Vec<Option<PValue>>,
    confirmation_fdr: Vec<Option<PValue>>,
    discovered: Vec<bool>,
}

impl Tested {
    fn of(table: &Table2x2, min_support: u64) -> Option<Self> {
        is_tested(table, min_support).then(|| Self {
            log_odds: effect::log_odds_ratio(table),
            p: fisher::exact_test(table).p,
        })
    }
}

/// Whether an atom is tested in a part: it fires on at least that many calls of it, and no margin is
/// zero.
pub fn is_tested(table: &Table2x2, min_support: u64) -> bool {
    table.fires() >= min_support.max(1) && !table.is_degenerate()
}

impl Direction {
    fn of(discovery: &[Option<Tested>], confirmation: &[Option<Tested>]) -> Self {
        let p = |tested: &Option<Tested>| tested.map(|tested| tested.p);
        let family: Vec<_> = discovery.iter().map(p).collect();
        let discovery_fdr = Family::of(&family).benjamini_hochberg();
        let discovered: Vec<_> = discovery_fdr.iter().copied().map(is_significant).collect();
        let among = confirmation.iter().zip(&discovered);
        let family: Vec<_> = among.map(|(c, &d)| p(c).filter(|_| d)).collect();
        Self {
            discovery_fdr,
            confirmation_fdr: Family::of(&family).benjamini_hochberg(),
            discovered,
        }
    }

    fn agreement(&self, tables: [&[Table2x2]; 2], tested: [&[Option<Tested>]; 2]) -> Agreement {
        let in_both = tested[0].iter().zip(tested[1]);
        let in_both: Vec<_> = in_both.map(|(a, b)| a.is_some() && b.is_some()).collect();
        let fdr = self.confirmation_fdr.iter().copied();
        let confirmed: Vec<_> = fdr.map(is_significant).collect();
        Agreement::of(tables, &self.discovered, &in_both, &confirmed)
    }
}

fn is_significant(fdr: Option<PValue>) -> bool {
    fdr.is_some_and(|fdr| fdr.p() < LEVEL)
}

impl Replication {
    /// From the tables of all atoms in either part, \[F\] each, as [`Split::tables`] makes them.
    ///
    /// # Errors
    /// If the parts' tables are not of the same number of atoms.
    pub fn of(split: Split, tables: &[Vec<Table2x2>; 2], min_support: u64) -> Result<Self> {
        let [first, second] = tables;
        if first.len() != second.len() {
            return Err(Error::Argument {
                name: "tables of two parts",
                found: format!("{} and {} atoms", first.len(), second.len()),
                expected: "the same atoms in both".to_owned(),
            });
        }
        let test = |part: &[Table2x2]| -> Vec<_> {
            let atoms = part.par_iter().with_min_len(64);
            atoms.map(|table| Tested::of(table, min_support)).collect()
        };
        let tested = [test(first), test(second)];
        let forward = Direction::of(&tested[0], &tested[1]);
        let backward = Direction::of(&tested[1], &tested[0]);
        let atoms = (0..first.len()).map(|atom| {
            let discovery = InPart {
                table: first[atom],
                tested: tested[0][atom],
                fdr: forward.discovery_fdr[atom],
            };
            let confirmation = InPart {
                table: second[atom],
                tested: tested[1][atom],
                fdr: forward.confirmation_fdr[atom],
            };
            AtomReplication::of(discovery, confirmation)
        });
        Ok(Self {
            split,
            min_support,
            atoms: atoms.collect(),
            forward: forward.agreement([first, second], [&tested[0], &tested[1]]),
            backward: backward.agreement([second, first], [&tested[1], &tested[0]]),
        })
    }
}

impl AtomReplication {
    fn of(discovery: InPart, confirmation: InPart) -> Self {
        let both = discovery.tested.zip(confirmation.tested);
        let same_sign = both.map(|(a, b)| agreement::same_sign(a.log_odds.value, b.log_odds.value));
        let confirmed = confirmation.fdr.map(|_| is_significant(confirmation.fdr));
        Self {
            discovered: is_significant(discovery.fdr),
            replicated: confirmed.zip(same_sign).map(|(fdr, sign)| fdr && sign),
            discovery,
            confirmation,
            same_sign,
        }
    }
}
