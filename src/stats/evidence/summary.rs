//! The tables' results as data: the number of atoms each procedure claims, the strongest of them,
//! and the cautions they deserve. The printed report renders this and judges nothing itself.
//!
//! | file | what it holds |
//! |---|---|
//! | `called` | which atoms a procedure calls |
//! | `claims` | how many atoms each procedure claims, within strata and on all calls at once |
//! | `atoms` | one atom's figures and cautions; what becomes of the atoms called on all calls |
//! | `duplicates` | groups of atoms that fire on nearly the same calls |
//! | `cautions` | what weakens the whole, the heaviest first; where to look next |
//! | `notebook` | where a line of the notebook's text says more than what holds |
//! | `competition` | displacement, and scores without competition |
//! | `calls` | types, chromosomes, datasets, sizes and activation |
//! | `prediction` | what atoms know of the label |
//! | `pairs`, `replication` | what they say of pairs, and of the cohort's two parts |

mod atoms;
mod called;
mod calls;
mod cautions;
mod claims;
mod competition;
mod confirmed;
mod duplicates;
mod notebook;
mod pairs;
mod prediction;
mod replication;

use serde::Serialize;

use super::{Exchange, ExtendedTables};
use crate::stats::inference::Estimate;
use crate::stats::notebook::NotebookTables;
use crate::tally::{Batches, CallProperty};

pub use atoms::{AtomCaution, AtomSummary, CalledOnAllCalls, OddsWithin};
pub use calls::{
    ActivationSummary, CategoryKind, EnrichedAtom, EnrichmentSummary, SizedAtom, SizesSummary,
};
pub use cautions::{Caution, FEW_CALLS, Next};
pub use claims::{Claim, ClaimedAtoms, PermutationSummary, Procedure, Scope, claimed_atoms};
pub use competition::{Displaced, ScoredAtom, ScoresSummary};
pub use confirmed::Confirmed;
pub use duplicates::{ALIKE, NearDuplicates};
pub use notebook::{EmptyCell, NotebookNote, Specialized};
pub use pairs::{PairSummary, PairsSummary};
pub use prediction::{PredictedBy, PredictionSummary};
pub use replication::{Correlation, Direction, OneSide, PartSummary, ReplicationSummary};

/// The number of the strongest atoms that are described in full.
pub const DESCRIBED: usize = 10;

/// The number of the strongest atoms that are named on either side.
pub const NAMED: usize = 3;

/// The summary of the tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The calls.
    pub calls: CallsSummary,
    /// The batches that decided what fires, if the model is one of batch top-k.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<Batches>,
    /// True if it was given which atoms fire, in files of activations, so that nothing was encoded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub activations_given: bool,
    /// The findings of the extended tables; `None` where they were not made.
    pub extended: Option<Findings>,
}

/// The calls of a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CallsSummary {
    /// True calls.
    pub tp: u64,
    /// False calls.
    pub fp: u64,
    /// Calls that were dropped for a NaN or an infinity in their embedding; in no other count.
    pub dropped: u64,
}

/// The findings of the extended tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// The atoms.
    pub atoms: AtomsSummary,
    /// The strata.
    pub strata: StrataSummary,
    /// The number of atoms that each procedure claims: within strata first, and the strictest
    /// first.
    pub claims: Vec<Claim>,
    /// The strictest procedure within strata that can claim anything here.
    pub strictest: Procedure,
    /// The permutations; `None` where there were none.
    pub permutations: Option<PermutationSummary>,
    /// The unit that a bootstrap draws together: datasets for [`Exchange::Sample`], otherwise loci.
    pub drawn: Exchange,
    /// The strongest atoms that [`strictest`](Self::strictest) claims and that lean to true calls
    /// within strata. A group of near-duplicates is there once.
    pub strongest_tp: Vec<AtomSummary>,
    /// The strongest that lean to false calls.
    pub strongest_fp: Vec<AtomSummary>,
    /// The strongest atoms that are called on all calls at once, a group of near-duplicates once.
    pub strongest: Vec<AtomSummary>,
    /// The fate of the atoms called on all calls at once; `None` where there is no such atom.
    pub called: Option<CalledOnAllCalls>,
    /// Groups of atoms that fire on nearly the same calls; `None` where pairs were not counted.
    pub near_duplicates: Option<NearDuplicates>,
    /// The cautions that weaken all of this, the heaviest first.
    pub cautions: Vec<Caution>,
    /// The places to look next, the most useful first.
    pub next: Vec<Next>,
    /// The lines of the notebook's text that say more than what holds.
    pub notebook: Vec<NotebookNote>,
    /// The distance by which atoms lean because others take their places; `None` where that is not
    /// told apart from chance.
    pub displaced: Option<Displaced>,
    /// Scores without competition, where they were compared.
    pub scores: Option<ScoresSummary>,
    /// Atoms against SV types.
    pub types: EnrichmentSummary,
    /// True if firing sets were given, on which the next four fields rest.
    pub has_firings: bool,
    /// The strength with which atoms fire; `None` without the firing sets' scores.
    pub activation: Option<ActivationSummary>,
    /// Atoms against sizes.
    pub sizes: Option<SizesSummary>,
    /// Atoms against chromosomes.
    pub chromosomes: Option<EnrichmentSummary>,
    /// Atoms against datasets.
    pub datasets: Option<EnrichmentSummary>,
    /// What atoms know of the label, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<PredictionSummary>,
    /// Atoms that fire together.
    pub pairs: Option<PairsSummary>,
    /// The results that hold in both parts of the cohort, if that was asked for.
    pub replication: Option<ReplicationSummary>,
}

/// The atoms of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AtomsSummary {
    /// The number of atoms.
    pub all: usize,
    /// The number of atoms that can be tested. These are in the families over which p-values are
    /// adjusted.
    pub tested: usize,
    /// The fewest calls on which a tested atom fires.
    pub min_support: u64,
}

/// The strata within which atoms are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StrataSummary {
    /// The properties that tell strata apart, in words; empty where all calls are one stratum.
    pub by: Vec<String>,
    /// The number of strata.
    pub count: usize,
}

/// A ratio with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// The estimate.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Ratio {
    /// Computes the ratio from logarithms.
    pub(super) fn of_log(log: &Estimate) -> Self {
        let [value, low, high] = [log.value, log.low, log.high].map(libm::exp);
        Self { value, low, high }
    }
}

impl Summary {
    /// The summary of a cohort's tables. `batches` are those of a model of batch top-k.
    pub fn of(
        notebook: &NotebookTables,
        extended: Option<&ExtendedTables>,
        batches: Option<Batches>,
    ) -> Self {
        let calls = CallsSummary {
            tp: notebook.bias.tp_total,
            fp: notebook.bias.fp_total,
            dropped: notebook.dropped_calls as u64,
        };
        let findings = |tables| Findings::of(&calls, batches, notebook, tables);
        Self {
            calls,
            batches,
            activations_given: false,
            extended: extended.map(findings),
        }
    }
}

impl Summary {
    /// The same summary, where activations were given: there are no scores to compare by.
    #[must_use]
    pub fn of_activations(mut self) -> Self {
        self.activations_given = true;
        if let Some(findings) = &mut self.extended {
            findings.next.retain(|next| *next != Next::CompareScores);
        }
        self
    }
}

impl Findings {
    fn of(
        calls: &CallsSummary,
        batches: Option<Batches>,
        notebook: &NotebookTables,
        tables: &ExtendedTables,
    ) -> Self {
        let order = tables.by_strength();
        let near_duplicates = NearDuplicates::of(tables, &order);
        let view = atoms::View {
            tables,
            order: &order,
            near_duplicates: near_duplicates.as_ref(),
        };
        let firings = tables.firings.as_ref();
        let mut findings = Self {
            atoms: AtomsSummary {
                all: tables.atoms.len(),
                tested: tables.fisher.tests,
                min_support: tables.options.min_support,
            },
            strata: StrataSummary::of(tables),
            claims: claims::of(&view),
            strictest: claims::strictest(tables),
            permutations: PermutationSummary::of(tables),
            drawn: tables.options.block,
            strongest_tp: view.strongest_within(crate::cohort::Label::Tp),
            strongest_fp: view.strongest_within(crate::cohort::Label::Fp),
            strongest: view.strongest(),
            called: view.called_on_all_calls(),
            cautions: Vec::new(),
            next: Vec::new(),
            notebook: notebook::notes(notebook, tables),
            displaced: Displaced::of(tables),
            scores: ScoresSummary::of(&view),
            types: EnrichmentSummary::of(CategoryKind::SvType, &tables.types),
            has_firings: firings.is_some(),
            activation: firings.and_then(|firings| ActivationSummary::of(tables, firings)),
            sizes: firings.map(SizesSummary::of),
            chromosomes: firings.map(|firings| {
                EnrichmentSummary::of(CategoryKind::Chromosome, &firings.chromosomes)
            }),
            datasets: firings
                .map(|firings| EnrichmentSummary::of(CategoryKind::Dataset, &firings.datasets)),
            prediction: tables.prediction.as_ref().map(PredictionSummary::of),
            pairs: PairsSummary::of(tables),
            replication: tables.replication.as_ref().map(ReplicationSummary::of),
            near_duplicates: near_duplicates.clone(),
        };
        findings.cautions = cautions::of(calls, batches, &findings, tables);
        findings.next = cautions::next(&findings, tables);
        findings
    }

    /// The claim of a procedure, where it was made.
    pub fn claim(&self, procedure: Procedure, scope: Scope) -> Option<&Claim> {
        let mut claims = self.claims.iter();
        claims.find(|claim| claim.procedure == procedure && claim.scope == scope)
    }
}

impl StrataSummary {
    fn of(tables: &ExtendedTables) -> Self {
        let scheme = &tables.scheme;
        let named = [
            (scheme.svtype, "SV type"),
            (scheme.size, "size"),
            (scheme.dataset, "dataset"),
        ];
        let by = named
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name.to_owned()));
        let properties = scheme.properties.iter().map(CallProperty::key);
        Self {
            by: by.chain(properties).collect(),
            count: tables.strata,
        }
    }
}
