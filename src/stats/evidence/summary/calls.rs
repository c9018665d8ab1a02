//! The calls on which atoms fire, and how strongly atoms fire.

use serde::Serialize;

use super::Ratio;
use super::called::is_significant;
use crate::stats::evidence::{Enrichment, ExtendedTables, FiringTables};

/// The property by which calls are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryKind {
    /// SV types.
    SvType,
    /// Chromosomes.
    Chromosome,
    /// Datasets.
    Dataset,
}

/// Atoms against categories of calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnrichmentSummary {
    /// The kind of the categories.
    pub kind: CategoryKind,
    /// The number of categories.
    pub categories: usize,
    /// The only one, where there is one.
    pub only: Option<String>,
    /// The number of atoms that fire on more or on fewer calls of a category than of the others, at
    /// a false discovery rate of 5 %.
    pub atoms: usize,
    /// The pair with the smallest p-value among them.
    pub strongest: Option<EnrichedAtom>,
}

/// An atom and a category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnrichedAtom {
    /// The atom.
    pub atom: u32,
    /// The category's name.
    pub category: String,
    /// The odds ratio of firing, the category's calls against the others.
    pub odds_ratio: Ratio,
    /// −log₁₀ p of Fisher's exact test; null where p is 0.
    pub neg_log10_p: f64,
}

impl EnrichmentSummary {
    pub(super) fn of(kind: CategoryKind, found: &Enrichment) -> Self {
        let called = || found.rows.iter().filter(|row| is_significant(row.fdr));
        let mut atoms: Vec<u32> = called().map(|row| row.atom).collect();
        atoms.dedup();
        let known = called().filter_map(|row| Some((row, row.log_odds?, row.p?)));
        // Equal p-values by descending effect; of equal effects the first atom and category.
        let strongest = known.min_by(|(_, effect_a, p_a), (_, effect_b, p_b)| {
            let by_p = p_a.ln().total_cmp(&p_b.ln());
            by_p.then(effect_b.value.abs().total_cmp(&effect_a.value.abs()))
        });
        let name = |at: usize| found.categories[at].name.clone();
        Self {
            kind,
            categories: found.categories.len(),
            only: (found.categories.len() == 1).then(|| name(0)),
            atoms: atoms.len(),
            strongest: strongest.map(|(row, log_odds, p)| EnrichedAtom {
                atom: row.atom,
                category: name(row.category as usize),
                odds_ratio: Ratio::of_log(&log_odds),
                neg_log10_p: p.neg_log10(),
            }),
        }
    }
}

/// The strength with which atoms fire on true and on false calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ActivationSummary {
    /// The number of atoms that differ (Mann and Whitney, false discovery rate 5 %).
    pub atoms: usize,
    /// The tested atom with the area under the ROC curve that is farthest from one half, and that area.
    pub farthest: Option<(u32, f64)>,
}

impl ActivationSummary {
    /// `None` where firing sets have no scores.
    pub(super) fn of(tables: &ExtendedTables, firings: &FiringTables) -> Option<Self> {
        let area = |atom: usize| Some(firings.atoms[atom].activation?.rank_sum?.auroc);
        let tested = (0..tables.atoms.len()).filter(|&atom| tables.fisher.bh[atom].is_some());
        let areas = tested.filter_map(|atom| Some((atom as u32, area(atom)?)));
        let farthest = areas.max_by(|(a, area_a), (b, area_b)| {
            let distance = |area: &f64| (area - 0.5).abs();
            distance(area_a).total_cmp(&distance(area_b)).then(b.cmp(a))
        });
        let differ = firings.mann_whitney.bh.iter();
        firings.has_scores.then(|| Self {
            atoms: differ.filter(|p| is_significant(**p)).count(),
            farthest,
        })
    }
}

/// The sizes of the calls on which atoms fire.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizesSummary {
    /// The number of atoms that fire on longer or on shorter calls (Spearman, false discovery rate
    /// 5 %).
    pub atoms: usize,
    /// The one of these with the strongest correlation.
    pub strongest: Option<SizedAtom>,
}

/// An atom that fires on longer or on shorter calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizedAtom {
    /// The atom.
    pub atom: u32,
    /// The rank correlation of firing with size.
    pub rho: f64,
    /// The median size of the calls on which it fires, in base pairs.
    pub median: Option<f64>,
}

impl SizesSummary {
    pub(super) fn of(firings: &FiringTables) -> Self {
        let called = |atom: &usize| is_significant(firings.sizes.bh[*atom]);
        let called: Vec<usize> = (0..firings.atoms.len()).filter(called).collect();
        let sized = called.iter().filter_map(|&atom| {
            let sizes = &firings.atoms[atom].sizes;
            Some(SizedAtom {
                atom: atom as u32,
                rho: sizes.spearman?.rho,
                median: sizes.median,
            })
        });
        let strongest = sized.max_by(|a, b| {
            let by_size = a.rho.abs().total_cmp(&b.rho.abs());
            by_size.then(b.atom.cmp(&a.atom))
        });
        Self {
            atoms: called.len(),
            strongest,
        }
    }
}
