//! `replication`: what one part of the cohort shows of each atom, and what the other says to it.

use super::{atom_column, counts, numbers};
use crate::report::table::{Column, Table, Values};
use crate::stats::inference::{Estimate, PValue};
use crate::stats::replication::{AtomReplication, InPart, Replication, Tested};

/// The columns of one part: name and meaning.
type PartColumns = [(&'static str, &'static str); 9];

const DISCOVERY: PartColumns = [
    (
        "discovery_fires",
        "Calls of the discovery part on which the atom fires.",
    ),
    (
        "discovery_log_or",
        "Natural logarithm of the odds ratio of firing and label over all calls of the discovery part, \
         with 0.5 added to each of the four cells (Haldane 1956, Anscombe 1956): positive where the atom \
         leans to true calls. Not within strata. Missing where the atom is not tested.",
    ),
    (
        "discovery_log_or_lo",
        "Lower end of its 95 % interval (Woolf 1955).",
    ),
    ("discovery_log_or_hi", "Upper end of it."),
    (
        "discovery_cmh_log_or",
        "Natural logarithm of Mantel and Haenszel's (1959) common odds ratio within the strata of the \
         discovery part: -inf or inf where one of its sums is 0. Its sign is that of same_sign.",
    ),
    (
        "discovery_cmh_log_or_lo",
        "Lower end of its 95 % interval (Robins, Breslow and Greenland 1986); missing where it is \
         infinite.",
    ),
    ("discovery_cmh_log_or_hi", "Upper end of it."),
    (
        "discovery_neg_log10_p",
        "-log10 of the exact conditional p within the strata of the discovery part, two-sided as \
         Fisher's; with one stratum it is Fisher's.",
    ),
    (
        "discovery_fdr",
        "That p adjusted by Benjamini and Hochberg (1995) over all atoms that are tested in the \
         discovery part.",
    ),
];

const CONFIRMATION: PartColumns = [
    (
        "confirmation_fires",
        "Calls of the confirmation part on which the atom fires.",
    ),
    (
        "confirmation_log_or",
        "As discovery_log_or, in the confirmation part.",
    ),
    (
        "confirmation_log_or_lo",
        "Lower end of its 95 % interval (Woolf 1955).",
    ),
    ("confirmation_log_or_hi", "Upper end of it."),
    (
        "confirmation_cmh_log_or",
        "As discovery_cmh_log_or, in the confirmation part.",
    ),
    (
        "confirmation_cmh_log_or_lo",
        "Lower end of its 95 % interval (Robins, Breslow and Greenland 1986); missing where it is \
         infinite.",
    ),
    ("confirmation_cmh_log_or_hi", "Upper end of it."),
    (
        "confirmation_neg_log10_p",
        "As discovery_neg_log10_p, in the confirmation part.",
    ),
    (
        "confirmation_fdr",
        "That p adjusted by Benjamini and Hochberg over the discovered atoms alone, those that are \
         tested in the confirmation part; missing for all others.",
    ),
];

/// The table of atoms.
pub fn replication(replication: &Replication) -> Table {
    let atoms = &replication.atoms;
    let yes_no = |name, about, of: fn(&AtomReplication) -> Option<bool>| {
        Column::new(name, about, Values::Bool(atoms.iter().map(of).collect()))
    };
    let mut columns = vec![atom_column(0..atoms.len() as u32)];
    columns.extend(part(atoms, &DISCOVERY, |atom| &atom.discovery));
    columns.push(yes_no(
        "discovered",
        "Whether discovery_fdr is below 0.05; missing, not false, for an atom that is not tested in the \
         discovery part.",
        |atom| atom.discovered,
    ));
    columns.extend(part(atoms, &CONFIRMATION, |atom| &atom.confirmation));
    columns.push(yes_no(
        "same_sign",
        "Whether discovery_cmh_log_or and confirmation_cmh_log_or have one sign; missing unless the atom \
         is tested in both parts.",
        |atom| atom.same_sign,
    ));
    columns.push(yes_no(
        "replicated",
        "Whether confirmation_fdr is below 0.05 and same_sign holds; missing unless the atom is \
         discovered, and tested in the confirmation part.",
        |atom| atom.replicated,
    ));
    Table {
        name: "replication",
        about: "Discovery in one part of the cohort, confirmation in the other, both by the exact test \
                within strata (--strata): one row an atom. The parts are whole datasets (--replicate \
                dataset) or chromosomes (--replicate chrom); the largest first, each goes to the part \
                that has fewer calls so far, to discovery where both have as many; those of one size in \
                the natural order of their names. Beyond the 64 largest, datasets or chromosomes are one \
                group. An atom is tested in a part where it fires on at least --min-support calls of it \
                and at least one stratum has no zero margin.",
        columns,
    }
}

fn part(
    atoms: &[AtomReplication],
    names: &PartColumns,
    of: fn(&AtomReplication) -> &InPart,
) -> impl Iterator<Item = Column> {
    let log_odds = |pick: fn(Estimate) -> f64| {
        numbers(atoms, |atom| {
            of(atom).tested.map(|tested| pick(tested.log_odds))
        })
    };
    let within =
        |pick: fn(&Tested) -> Option<f64>| numbers(atoms, |atom| pick(of(atom).tested.as_ref()?));
    let values = [
        counts(atoms, |atom| of(atom).table.fires()),
        log_odds(|estimate| estimate.value),
        log_odds(|estimate| estimate.low),
        log_odds(|estimate| estimate.high),
        within(|tested| Some(tested.log_odds_within)),
        within(|tested| Some(tested.interval_within?.0)),
        within(|tested| Some(tested.interval_within?.1)),
        numbers(atoms, |atom| Some(of(atom).tested?.p.neg_log10())),
        numbers(atoms, |atom| of(atom).fdr.map(PValue::p)),
    ];
    let pairs = names.iter().zip(values);
    pairs.map(|(&(name, about), values)| Column::new(name, about, values))
}
