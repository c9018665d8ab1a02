//! The text about what atoms know of the label.

use std::fmt::{Formatter, Result};

use crate::report::text::numbers::{figure, many, signed};
use crate::stats::evidence::summary::{Findings, PredictedBy, PredictionSummary};
use crate::stats::prediction::{FeatureSet, Penalty};

/// Writes how well the label is predicted, if that was asked for.
pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let Some(found) = &findings.prediction else {
        return Ok(());
    };
    if let Some(refusal) = &found.refusal {
        return writeln!(
            f,
            "\nPrediction of the label (--predict): none, as {refusal}."
        );
    }
    writeln!(
        f,
        "\nPrediction of the label (--predict), never of calls that a model was fitted to: {} of {} {}, which \
         lie in\none fold as a whole. AUROC of chance 0.5, AUPRC of chance {} (the share of false calls).",
        many(found.folds, "fold"),
        found.unit_count,
        found.units,
        figure(found.prevalence)
    )?;
    for model in &found.models {
        one(f, model, &found.baseline)?;
    }
    added(f, found)?;
    curve(f, found)?;
    let drawn = match found.drawn {
        Some((count, blocks)) => format!("Intervals are 95 %, by bootstrap of {count} {blocks}."),
        None => "No intervals: too few chromosomes and loci, or --bootstrap 0.".to_owned(),
    };
    writeln!(f, "  {drawn}")?;
    writeln!(
        f,
        "  This holds for calls like these: of this caller, these samples and this benchmark. Of others it says \
         nothing."
    )
}

fn one(f: &mut Formatter<'_>, model: &PredictedBy, baseline: &[&str]) -> Result {
    let learns = match model.features {
        FeatureSet::Baseline => listed(baseline),
        FeatureSet::Quantities => "described quantities".to_owned(),
        FeatureSet::Atoms => "atoms that fire".to_owned(),
        FeatureSet::Scores => "scores of atoms that fire".to_owned(),
        FeatureSet::Both => listed(&[baseline, &["atoms"]].concat()),
    };
    write!(f, "  {learns} ({}", model.penalty.as_str())?;
    if model.penalty == Penalty::L1 {
        write!(f, "; {} of {} used", model.used, model.all)?;
    }
    writeln!(
        f,
        "): AUROC {}; AUPRC {}; calibration slope {}",
        with_interval(model.auroc),
        with_interval(model.auprc),
        with_interval(model.slope)
    )?;
    if model.capped > 0 {
        writeln!(
            f,
            "    Caution: {} ended before the minimum, at the most Newton steps: figures may be lower than they \
             could be.",
            many(model.capped, "fit")
        )?;
    }
    Ok(())
}

fn added(f: &mut Formatter<'_>, found: &PredictionSummary) -> Result {
    let Some([value, low, high]) = found.added else {
        return Ok(());
    };
    let says = if low > 0.0 {
        "Atoms know more of the label than"
    } else if high < 0.0 {
        "With atoms the label is predicted worse than from"
    } else {
        "It is not shown that atoms know more of the label than"
    };
    let baseline = listed(&found.baseline);
    write!(f, "  {says} {baseline}: AUROC {}", signed(value))?;
    if low.is_finite() {
        write!(f, " ({} to {})", signed(low), signed(high))?;
    }
    writeln!(f, ".")
}

/// Words one after another: `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn curve(f: &mut Formatter<'_>, found: &PredictionSummary) -> Result {
    if found.curve.is_empty() {
        return Ok(());
    }
    let points: Vec<String> = found
        .curve
        .iter()
        .map(|(atoms, auroc)| format!("{atoms}: {}", figure(*auroc)))
        .collect();
    writeln!(f, "  AUROC by the number of atoms: {}.", points.join(", "))
}

fn with_interval([value, low, high]: [f64; 3]) -> String {
    if low.is_nan() || high.is_nan() {
        return figure(value);
    }
    format!("{} ({} to {})", figure(value), figure(low), figure(high))
}
