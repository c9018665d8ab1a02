//! `atom_sizes`: of what size the calls are on which an atom fires.

use super::{atom_column, counts, numbers, p_values};
use crate::report::table::{Column, Table};
use crate::stats::evidence::FiringTables;
use crate::stats::inference::PValue;

/// The table of sizes: one row an atom.
pub fn sizes(firings: &FiringTables) -> Table {
    let rows = &firings.atoms;
    let column = Column::new;
    let spearman = |of: fn(PValue) -> f64| numbers(rows, |row| Some(of(row.sizes.spearman?.p)));
    Table {
        name: "atom_sizes",
        about: "Of what size the calls are on which an atom fires: one row an atom. Size is |SVLEN| \
                in base pairs; calls whose SVLEN is 0, missing or not finite have none, and count \
                nowhere in this table.",
        columns: vec![
            atom_column(0..rows.len() as u32),
            column(
                "fires_with_size",
                "Calls with a size on which it fires.",
                counts(rows, |row| row.sizes.calls),
            ),
            column(
                "median_size",
                "Their median size in base pairs; of an even number the mean of the two in the \
                 middle.",
                numbers(rows, |row| row.sizes.median),
            ),
            column(
                "spearman_rho",
                "Spearman's rank correlation of firing (1 or 0) with log10 |SVLEN|, which has the \
                 ranks of |SVLEN|: positive where it fires on the longer calls; \
                 scipy.stats.spearmanr.",
                numbers(rows, |row| Some(row.sizes.spearman?.rho)),
            ),
            column(
                "spearman_p",
                "Its two-sided p-value: twice the smaller tail of the rank sum of the calls on which it \
                 fires, of which every choice is equally likely, ties and all. Counted for few calls \
                 or few firings (1e-10), else by a saddlepoint (some percent). Missing, as is rho, where \
                 the atom fires on none or all of the calls with a size, these have one size, or are \
                 fewer than three.",
                spearman(PValue::p),
            ),
            column(
                "spearman_neg_log10_p",
                "-log10 of it, from the tail in log space.",
                spearman(PValue::neg_log10),
            ),
            column(
                "spearman_asymptotic_p",
                "The same by Student's law with n - 2 degrees of freedom: scipy.stats.spearmanr. Rough \
                 for an atom that fires on few calls: for comparison; no list rests on it.",
                numbers(rows, |row| Some(row.sizes.spearman?.asymptotic.p.p())),
            ),
            column(
                "spearman_fdr_bh",
                "spearman_p adjusted by Benjamini and Hochberg over the tested atoms (see atoms) that have \
                 one; missing for the others, which are in no family.",
                p_values(&firings.sizes.bh),
            ),
        ],
    }
}
