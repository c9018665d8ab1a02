//! `replication_summary`: how far the two parts of a cohort agree.

use super::{counts, numbers};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::Replicated;
use crate::stats::replication::{Agreement, Correlation, Part};

/// The table of both directions.
pub fn replication_summary(replicated: &Replicated) -> Table {
    let replication = &replicated.found;
    let [first, second] = &replication.split.parts;
    let rows = [
        (first, second, &replication.forward),
        (second, first, &replication.backward),
    ];
    let groups = |part: &Part| Some(part.groups.join(","));
    let mut columns = vec![
        Column::new(
            "discovery",
            "The datasets or chromosomes of the discovery part, the largest first, with commas.",
            Values::Text(rows.iter().map(|row| groups(row.0)).collect()),
        ),
        Column::new(
            "confirmation",
            "Those of the confirmation part.",
            Values::Text(rows.iter().map(|row| groups(row.1)).collect()),
        ),
        Column::new(
            "discovery_tp",
            "True calls of the discovery part.",
            counts(&rows, |row| row.0.tp),
        ),
        Column::new(
            "discovery_fp",
            "False calls of it.",
            counts(&rows, |row| row.0.fp),
        ),
        Column::new(
            "confirmation_tp",
            "True calls of the confirmation part.",
            counts(&rows, |row| row.1.tp),
        ),
        Column::new(
            "confirmation_fp",
            "False calls of it.",
            counts(&rows, |row| row.1.fp),
        ),
    ];
    columns.extend(shares(&rows.map(|row| row.2)));
    columns.extend(correlations(&rows.map(|row| row.2)));
    columns.extend(intervals(replicated));
    Table {
        name: "replication_summary",
        about: "How far the two parts of the cohort agree: one row a direction; the first discovers \
                in the part that the table replication calls discovery, the second the other way round.",
        columns,
    }
}

fn shares(rows: &[&Agreement]) -> Vec<Column> {
    let share = |name, about, of: fn(&Agreement) -> Option<f64>| {
        Column::new(name, about, numbers(rows, |row| of(row)))
    };
    let count = |name, about, of: fn(&Agreement) -> usize| {
        Column::new(name, about, counts(rows, |row| of(row) as u64))
    };
    vec![
        count(
            "discovered",
            "Atoms with a false discovery rate below 0.05 in the discovery part, by the exact test within \
             strata.",
            |row| row.discovered,
        ),
        count(
            "tested",
            "Of these, atoms that are tested in the confirmation part.",
            |row| row.tested,
        ),
        count(
            "concordant",
            "Of the tested ones, atoms whose log odds ratio within strata has the same sign in both parts.",
            |row| row.concordant,
        ),
        share(
            "concordance",
            "concordant / tested. Half of them would agree by chance.",
            |row| Some(row.concordance?.value),
        ),
        share(
            "concordance_lo",
            "Lower end of its 95 % interval (Wilson 1927), as if atoms were independent.",
            |row| Some(row.concordance?.low),
        ),
        share("concordance_hi", "Upper end of it.", |row| {
            Some(row.concordance?.high)
        }),
        count(
            "replicated",
            "Of the tested ones, atoms with the same sign and a false discovery rate below 0.05 in \
             the confirmation part.",
            |row| row.replicated,
        ),
        share("replication", "replicated / tested.", |row| {
            Some(row.replication?.value)
        }),
        share(
            "replication_lo",
            "Lower end of its 95 % interval (Wilson 1927), as if atoms were independent.",
            |row| Some(row.replication?.low),
        ),
        share("replication_hi", "Upper end of it.", |row| {
            Some(row.replication?.high)
        }),
    ]
}

fn correlations(rows: &[&Agreement]) -> Vec<Column> {
    let correlation = |name, about, of: fn(&Correlation) -> Option<f64>, all: bool| {
        let of_row = |row: &&Agreement| of(if all { &row.all } else { &row.among_discovered });
        Column::new(name, about, numbers(rows, of_row))
    };
    vec![
        Column::new(
            "atoms",
            "Atoms that are tested in both parts.",
            counts(rows, |row| row.all.atoms as u64),
        ),
        correlation(
            "pearson",
            "Pearson's correlation of these atoms' log odds ratios over all calls of the two parts, not \
             within strata: what goes with SV types alone correlates too. Nearer to \
             0 than that of the true ones, the more so the fewer calls there are; missing of fewer \
             than three atoms.",
            |of| of.pearson,
            true,
        ),
        correlation(
            "spearman",
            "Spearman's rank correlation of the same, ties at the mean of their ranks.",
            |of| of.spearman,
            true,
        ),
        correlation(
            "pearson_discovered",
            "As pearson, over the discovered atoms that are tested in both parts.",
            |of| of.pearson,
            false,
        ),
        correlation(
            "spearman_discovered",
            "As spearman, over the same.",
            |of| of.spearman,
            false,
        ),
    ]
}

/// An end of an interval.
type End = fn((f64, f64)) -> f64;

/// Intervals by bootstrap, of the first direction and the second.
fn intervals(replicated: &Replicated) -> Vec<Column> {
    let of =
        |name, about, ends: [Option<f64>; 2]| Column::new(name, about, numbers(&ends, |&end| end));
    let (low, high): (End, End) = (|ends| ends.0, |ends| ends.1);
    let correlation = |end: End| [replicated.correlation.map(end); 2];
    let concordance = |end: End| [replicated.concordance.map(end), None];
    vec![
        of(
            "pearson_boot_lo",
            "Lower end of the 95 % interval of pearson by bootstrap of blocks (loci, or what --block \
             keeps together; --bootstrap replicates): their percentile interval, moved so that their \
             median is pearson. A replicate has the noise of sampling twice, so that all lie lower.",
            correlation(low),
        ),
        of("pearson_boot_hi", "Upper end of it.", correlation(high)),
        of(
            "concordance_boot_lo",
            "Lower end of the 95 % interval of concordance, likewise, of the same discovered atoms in \
             every replicate; missing in the second row.",
            concordance(low),
        ),
        of("concordance_boot_hi", "Upper end of it.", concordance(high)),
    ]
}
