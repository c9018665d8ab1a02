//! The text about the calls on which atoms fire: types, sizes, chromosomes, datasets. It also says
//! how strongly atoms fire.

use std::fmt::{Formatter, Result};

use crate::python::printable;
use crate::report::text::numbers::{figure, many, p_text, ratio, signed, verb};
use crate::stats::evidence::summary::{
    ActivationSummary, CategoryKind, EnrichmentSummary, Findings, SizesSummary,
};

pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    enriched(f, &findings.types)?;
    if !findings.has_firings {
        return writeln!(
            f,
            "\nActivations, sizes, chromosomes, datasets, permutations and pairs are not known, as no \
             firing sets were given."
        );
    }
    match &findings.activation {
        None => writeln!(
            f,
            "\nActivations are not known, as the firing sets have no scores."
        )?,
        Some(found) => activation(f, found)?,
    }
    findings
        .sizes
        .iter()
        .try_for_each(|found| sizes(f, found))?;
    let others = [&findings.chromosomes, &findings.datasets];
    let mut others = others.into_iter().flatten();
    others.try_for_each(|found| enriched(f, found))
}

/// Writes how many atoms go with a category, and names the strongest of them.
fn enriched(f: &mut Formatter<'_>, found: &EnrichmentSummary) -> Result {
    let (title, category) = match found.kind {
        CategoryKind::SvType => ("SV types", "type"),
        CategoryKind::Chromosome => ("Chromosomes", "chromosome"),
        CategoryKind::Dataset => ("Datasets", "dataset"),
    };
    match (found.categories, &found.only) {
        (0, _) => return writeln!(f, "\n{title}: there is none."),
        (_, Some(only)) => {
            let only = printable(only);
            return writeln!(f, "\n{title}: there is only one {category} ({only}).");
        }
        _ => {}
    }
    write!(
        f,
        "\n{title}: {} on more or fewer calls of one {category} than of the others (FDR 5 %)",
        verb(&many(found.atoms, "atom"), found.atoms, "fires", "fire")
    )?;
    let Some(strongest) = &found.strongest else {
        return writeln!(f, ".");
    };
    writeln!(
        f,
        ";\n  the strongest: atom {} and {}, odds ratio {}, {}.",
        strongest.atom,
        printable(&strongest.category),
        ratio(&strongest.odds_ratio),
        p_text(strongest.neg_log10_p)
    )
}

fn activation(f: &mut Formatter<'_>, found: &ActivationSummary) -> Result {
    write!(
        f,
        "\nActivations (Mann-Whitney, FDR 5 %): {} between true and false calls",
        verb(&many(found.atoms, "atom"), found.atoms, "differs", "differ")
    )?;
    match found.farthest {
        Some((atom, area)) => writeln!(
            f,
            ";\n  the farthest from chance is atom {atom}, AUROC {}. One atom alone is silent on most calls, \
             and so separates few of them.",
            figure(area)
        ),
        None => writeln!(f, "."),
    }
}

fn sizes(f: &mut Formatter<'_>, found: &SizesSummary) -> Result {
    write!(
        f,
        "\nSizes (Spearman, FDR 5 %): {} on longer or on shorter calls",
        verb(&many(found.atoms, "atom"), found.atoms, "fires", "fire")
    )?;
    let Some(strongest) = &found.strongest else {
        return writeln!(f, ".");
    };
    let (atom, rho) = (strongest.atom, signed(strongest.rho));
    write!(f, ";\n  the strongest is atom {atom}, rho {rho}")?;
    if let Some(median) = strongest.median {
        write!(f, ", median {median:.0} bp when it fires")?;
    }
    writeln!(
        f,
        ". Sizes go with types: see the strata before you read more into it."
    )
}
