//! What the calls are on which atoms fire: types, sizes, chromosomes, datasets; and how strongly
//! atoms fire.

use std::fmt::{Formatter, Result};

use super::{is_significant, many, odds_text, p_text, significant};
use crate::stats::evidence::{Enrichment, ExtendedTables, FiringTables};

/// Types of the calls.
pub(super) fn types(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    enriched(f, "SV type", &evidence.types, "type")
}

/// What needs firing sets.
pub(super) fn with_firings(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let Some(firings) = &evidence.firings else {
        return writeln!(
            f,
            "\nActivations, sizes, chromosomes, datasets, permutations and pairs: not told, as no \
             firing sets were given."
        );
    };
    activations(f, evidence, firings)?;
    sizes(f, firings)?;
    enriched(f, "Chromosomes", &firings.chromosomes, "chromosome")?;
    enriched(f, "Datasets", &firings.datasets, "dataset")
}

/// How many pairs of atom and category there are at the level, and the strongest of them.
fn enriched(f: &mut Formatter<'_>, title: &str, found: &Enrichment, category: &str) -> Result {
    if found.categories.len() < 2 {
        let only = found
            .categories
            .first()
            .map_or("none", |category| &category.name);
        return writeln!(f, "\n{title}: there is only one {category} ({only}).");
    }
    let called = || found.rows.iter().filter(|row| is_significant(row.fdr));
    let mut atoms: Vec<u32> = called().map(|row| row.atom).collect();
    atoms.dedup();
    write!(
        f,
        "\n{title}: {} on more or fewer calls of one {category} than of the others (FDR 5 %)",
        match atoms.len() {
            1 => "1 atom fires".to_owned(),
            atoms => format!("{atoms} atoms fire"),
        }
    )?;
    let known = called().filter_map(|row| Some((row, row.log_odds?, row.p?)));
    let strongest = known.min_by(|(.., a), (.., b)| a.ln().total_cmp(&b.ln()));
    let Some((row, log_odds, p)) = strongest else {
        return writeln!(f, ".");
    };
    writeln!(
        f,
        ";\n  the strongest: atom {} and {}, odds ratio {}, {}.",
        row.atom,
        found.categories[row.category as usize].name,
        odds_text(&log_odds),
        p_text(p)
    )
}

fn activations(f: &mut Formatter<'_>, evidence: &ExtendedTables, firings: &FiringTables) -> Result {
    if !firings.has_scores {
        return writeln!(
            f,
            "\nActivations: not told, as the firing sets have no scores."
        );
    }
    let area = |atom: usize| Some(firings.atoms[atom].activation?.rank_sum?.auroc);
    let tested = |atom: &usize| evidence.fisher.bh[*atom].is_some();
    let distance = |atom: &usize| area(*atom).map_or(0.0, |area| (area - 0.5).abs());
    let farthest = (0..evidence.atoms.len())
        .filter(tested)
        .max_by(|a, b| distance(a).total_cmp(&distance(b)).then(b.cmp(a)));
    write!(
        f,
        "\nActivations (Mann-Whitney, FDR 5 %): {} differ between true and false calls",
        many(significant(&firings.mann_whitney.bh), "atom")
    )?;
    match farthest.and_then(|atom| Some((atom, area(atom)?))) {
        Some((atom, area)) => writeln!(
            f,
            ";\n  the farthest from chance is atom {atom}, AUROC {area:.3}. One atom alone, silent on \
             most calls, tells few of them apart."
        ),
        None => writeln!(f, "."),
    }
}

fn sizes(f: &mut Formatter<'_>, firings: &FiringTables) -> Result {
    let rho = |atom: &usize| firings.atoms[*atom].sizes.spearman.map(|found| found.rho);
    let called = |atom: &usize| is_significant(firings.sizes.bh[*atom]);
    let largest = (0..firings.atoms.len()).filter(called).max_by(|a, b| {
        let size = |atom: &usize| rho(atom).unwrap_or(0.0).abs();
        size(a).total_cmp(&size(b)).then(b.cmp(a))
    });
    write!(
        f,
        "\nSizes (Spearman, FDR 5 %): {} fire on longer or on shorter calls",
        many(significant(&firings.sizes.bh), "atom")
    )?;
    let Some(atom) = largest else {
        return writeln!(f, ".");
    };
    let (rho, median) = (rho(&atom).unwrap_or(0.0), firings.atoms[atom].sizes.median);
    write!(f, ";\n  the strongest is atom {atom}, rho {rho:+.3}")?;
    if let Some(median) = median {
        write!(f, ", median {median:.0} bp when it fires")?;
    }
    writeln!(
        f,
        ". Sizes go with types: see the strata before reading more into it."
    )
}
