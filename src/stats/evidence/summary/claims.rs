//! The number of atoms that each procedure claims.

use serde::Serialize;

use super::atoms::View;
use super::called::{is_significant, max_t, smallest_p};
use crate::stats::evidence::{Adjusted, Exchange, ExtendedTables, LEVEL};
use crate::stats::inference::PValue;

/// The procedure that claims an atom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    /// Westfall and Young's step-down max-T: with 95 % confidence none is false, and the dependence of
    /// atoms is taken into account.
    MaxT,
    /// Holm: with 95 % confidence none is false, whatever the dependence.
    Holm,
    /// Benjamini and Yekutieli: at most 5 % of them are false, whatever the dependence.
    BenjaminiYekutieli,
    /// Benjamini and Hochberg: at most 5 % of them are false, where tests depend on each other little.
    BenjaminiHochberg,
    /// Storey's q below 5 %: the same with an estimate of how many atoms have no association.
    Storey {
        /// The estimated share of atoms without any association.
        null_share: f64,
    },
    /// Discovered in one part of the cohort by Benjamini and Hochberg, and confirmed in the other by the
    /// same with the same sign.
    Replicated,
}

impl Procedure {
    /// Returns its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxT => "max_t",
            Self::Holm => "holm",
            Self::BenjaminiYekutieli => "benjamini_yekutieli",
            Self::BenjaminiHochberg => "benjamini_hochberg",
            Self::Storey { .. } => "storey",
            Self::Replicated => "replicated",
        }
    }
}

/// The values that were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// True with false calls within strata (the exact conditional test).
    WithinStrata,
    /// True with false calls, all at once (Fisher's exact test).
    AllCalls,
    /// Scores of true with scores of false calls within strata, without competition for places.
    Scores,
}

/// The atoms that a procedure claims.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Claim {
    /// The procedure.
    pub procedure: Procedure,
    /// The values that it compared.
    pub scope: Scope,
    /// The number of atoms that it claims.
    pub atoms: usize,
    /// The same number if a group of near-duplicates counts once; `None` where pairs were not
    /// counted.
    pub distinct: Option<usize>,
}

/// The permutations of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PermutationSummary {
    /// The number of permutations.
    pub count: usize,
    /// The unit that changed places.
    pub exchange: Exchange,
    /// The smallest p-value that this number can give.
    pub smallest_p: f64,
    /// True if that is below the level, so that an atom can be called.
    pub can_call: bool,
}

impl PermutationSummary {
    pub(super) fn of(tables: &ExtendedTables) -> Option<Self> {
        let permutations = tables.permutations.as_ref()?;
        Some(Self {
            count: permutations.count,
            exchange: tables.options.block,
            smallest_p: smallest_p(permutations),
            can_call: smallest_p(permutations) < LEVEL,
        })
    }
}

/// The strictest procedure within strata that can call an atom.
pub(super) fn strictest(tables: &ExtendedTables) -> Procedure {
    match max_t(tables) {
        Some(_) => Procedure::MaxT,
        None => Procedure::Holm,
    }
}

/// Says whether an atom is claimed.
type IsClaimed<'a> = Box<dyn Fn(usize) -> bool + 'a>;

/// Every procedure within strata, the strictest first, with the atoms that it claims.
pub(super) fn within_strata(tables: &ExtendedTables) -> Vec<(Procedure, IsClaimed<'_>)> {
    let mut all: Vec<(Procedure, IsClaimed<'_>)> = Vec::new();
    if let Some(permutations) = max_t(tables) {
        let is_claimed = |atom: usize| permutations.atoms[atom].p < LEVEL;
        all.push((Procedure::MaxT, Box::new(is_claimed)));
    }
    for (procedure, adjusted) in by_p(&tables.cmh) {
        let is_claimed = |atom: usize| is_significant(adjusted[atom]);
        all.push((procedure, Box::new(is_claimed)));
    }
    if let Some(replication) = &tables.replication {
        let is_claimed = |atom: usize| replication.found.atoms[atom].replicated == Some(true);
        all.push((Procedure::Replicated, Box::new(is_claimed)));
    }
    all
}

/// A procedure, the values that it compared, and which atoms it claims, \[F\].
pub type ClaimedAtoms = (Procedure, Scope, Vec<bool>);

/// The atoms that every procedure claims by firing, in the order of [`Findings::claims`]: within strata
/// first, and the strictest first.
///
/// [`Findings::claims`]: super::Findings::claims
pub fn claimed_atoms(tables: &ExtendedTables) -> Vec<ClaimedAtoms> {
    let all = 0..tables.atoms.len();
    let mut claims = Vec::new();
    let mut claim = |procedure, scope, is_claimed: &dyn Fn(usize) -> bool| {
        claims.push((procedure, scope, all.clone().map(is_claimed).collect()));
    };
    for (procedure, is_claimed) in within_strata(tables) {
        claim(procedure, Scope::WithinStrata, &*is_claimed);
    }
    for (procedure, adjusted) in by_p(&tables.fisher) {
        let is_claimed = |atom: usize| is_significant(adjusted[atom]);
        claim(procedure, Scope::AllCalls, &is_claimed);
    }
    let storey = Procedure::Storey {
        null_share: tables.fisher.null_share,
    };
    claim(storey, Scope::AllCalls, &|atom| {
        is_significant(tables.fisher.storey[atom])
    });
    claims
}

/// All claims by firing, within strata first, and the strictest first.
pub(super) fn of(view: &View<'_>) -> Vec<Claim> {
    let claims = claimed_atoms(view.tables).into_iter();
    claims
        .map(|(procedure, scope, is_claimed)| {
            claim(view, procedure, scope, &|atom| is_claimed[atom])
        })
        .collect()
}

/// The claim of a procedure that claims these atoms.
pub(super) fn claim(
    view: &View<'_>,
    procedure: Procedure,
    scope: Scope,
    is_claimed: &dyn Fn(usize) -> bool,
) -> Claim {
    let atoms = (0..view.tables.atoms.len()).filter(|&atom| is_claimed(atom));
    let atoms: Vec<u32> = atoms.map(|atom| atom as u32).collect();
    Claim {
        procedure,
        scope,
        atoms: atoms.len(),
        distinct: view.near_duplicates.map(|found| found.distinct(&atoms)),
    }
}

/// The three procedures that take p-values alone, the strictest first.
pub(super) fn by_p(adjusted: &Adjusted) -> [(Procedure, &Vec<Option<PValue>>); 3] {
    [
        (Procedure::Holm, &adjusted.holm),
        (Procedure::BenjaminiYekutieli, &adjusted.by),
        (Procedure::BenjaminiHochberg, &adjusted.bh),
    ]
}
