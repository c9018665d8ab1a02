//! Panels of effects by region, and of how well the label is predicted.

use super::words::{PREDICTION, REGIONS};
use crate::report::html::svg::{Line, ranges};
use crate::report::table::{Table, Values};

/// Regions that are drawn.
const MOST: usize = 40;

/// Regions by the odds ratio of being false.
pub(super) fn regions(table: &Table) -> Option<String> {
    let [log, low, high] = ["log_or", "log_or_lo", "log_or_hi"].map(|name| table.numbers(name));
    let [within, within_low, within_high] =
        ["cmh_or", "cmh_or_lo", "cmh_or_hi"].map(|name| table.numbers(name));
    let [tp, fp] = ["tp_in", "fp_in"].map(|name| table.numbers(name));
    let at = |of: &[f64], row: usize| of.get(row).copied().unwrap_or(f64::NAN);
    let names = texts(table, "region");
    let lines = (0..names.len()).map(|row| {
        let within = [&within, &within_low, &within_high].map(|of| libm::log(at(of, row)));
        let crude = [&log, &low, &high].map(|of| at(of, row));
        let [value, ends @ ..] = if within[0].is_finite() { within } else { crude };
        Line {
            name: names.get(row).cloned().unwrap_or_default(),
            note: format!("{} · {}", at(&tp, row), at(&fp, row)),
            value,
            ends,
        }
    });
    drawn(lines).map(|lines| ranges(&REGIONS, &lines, 0.0))
}

/// Models by their AUROC.
pub(super) fn prediction(table: &Table) -> Option<String> {
    let [value, low, high] = ["value", "lo", "hi"].map(|name| table.numbers(name));
    let [features, penalty, metric] =
        ["features", "penalty", "metric"].map(|name| texts(table, name));
    let figures = value.into_iter().zip(low).zip(high);
    let words = features.into_iter().zip(penalty).zip(metric);
    let models = words.zip(figures).filter(|(((features, _), metric), _)| {
        // A difference of two models is no AUROC.
        metric == "auroc" && !features.contains(" - ")
    });
    let lines = models.map(|(((features, penalty), _), ((value, low), high))| Line {
        name: format!("{features}, {penalty}"),
        note: format!("{value:.3}"),
        value,
        ends: [low, high],
    });
    drawn(lines).map(|lines| ranges(&PREDICTION, &lines, 0.5))
}

/// The lines that have a value, where any have.
fn drawn(lines: impl Iterator<Item = Line>) -> Option<Vec<Line>> {
    let lines: Vec<Line> = lines
        .filter(|line| !line.value.is_nan())
        .take(MOST)
        .collect();
    (!lines.is_empty()).then_some(lines)
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match table.column(name).map(|column| &column.values) {
        Some(Values::Text(values)) => values.iter().map(text).collect(),
        _ => Vec::new(),
    }
}
