//! Regions: the labels of the calls in each, and atoms inside against outside.

use super::effects::{adjusted, effects, interval};
use super::{atom_column, counts, numbers};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::regions::{AtomRegion, RegionLabels, RegionTables};

/// The table of regions: one row a region.
pub fn regions(tables: &RegionTables) -> Table {
    let rows = &tables.regions;
    let column = Column::new;
    let text = |of: &dyn Fn(&RegionLabels) -> String| {
        Values::Text(rows.iter().map(|row| Some(of(row))).collect())
    };
    let mut columns = vec![
        column("region", "Its name.", text(&|row| row.name.clone())),
        column("rule", RULE, text(&|_| tables.rule.to_string())),
        column(
            "intervals",
            "Rows of its file that cover a base; they may overlap.",
            counts(rows, |row| row.intervals as u64),
        ),
        column(
            "bases",
            "Bases that any of them covers.",
            counts(rows, |row| row.bases),
        ),
        column(
            "tp_in",
            "True calls in the region.",
            counts(rows, |row| row.counts.table.fp_on),
        ),
        column(
            "fp_in",
            "False calls in the region.",
            counts(rows, |row| row.counts.table.tp_on),
        ),
        column(
            "tp_out",
            "True calls outside.",
            counts(rows, |row| row.counts.table.fp_off),
        ),
        column(
            "fp_out",
            "False calls outside.",
            counts(rows, |row| row.counts.table.tp_off),
        ),
    ];
    columns.extend(interval(
        rows,
        ["precision_in", "precision_in_lo", "precision_in_hi"],
        "The share of true calls among those in the region; missing where there are none.",
        "Lower end of its 95 % interval (Wilson 1927).",
        |row| row.precision,
    ));
    columns.extend(interval(
        rows,
        ["precision_out", "precision_out_lo", "precision_out_hi"],
        "The share of true calls outside.",
        "Lower end of its 95 % interval (Wilson 1927).",
        |row| row.precision_outside,
    ));
    let of = |row: &RegionLabels| row.counts;
    columns.extend(effects(rows, of));
    Table {
        name: "regions",
        about: "The labels of the calls in each region against those of all other calls: one row a \
                region. Odds ratios are of being false. Strata are SV type by size (Truvari's bins).",
        columns,
    }
}

/// The table of atoms and regions.
pub fn atom_regions(tables: &RegionTables) -> Table {
    let rows = &tables.atoms;
    let column = Column::new;
    let names = tables.regions.iter().map(|region| region.name.clone());
    let mut columns = vec![
        column(
            "region",
            "The region's name.",
            Values::Category {
                codes: rows.iter().map(|row| row.region).collect(),
                names: names.collect(),
            },
        ),
        atom_column(rows.iter().map(|row| row.atom)),
        column(
            "fires_in",
            "Calls in the region on which it fires.",
            counts(rows, |row| row.counts.table.tp_on),
        ),
        column(
            "fires_out",
            "Calls outside on which it fires.",
            counts(rows, |row| row.counts.table.fp_on),
        ),
        column(
            "calls_in",
            "Calls in the region.",
            counts(rows, |row| row.counts.table.tp()),
        ),
        column(
            "calls_out",
            "Calls outside.",
            counts(rows, |row| row.counts.table.fp()),
        ),
    ];
    let of = |row: &AtomRegion| row.counts;
    columns.extend(effects(rows, of));
    columns.extend(adjusted(&tables.fisher, &tables.cmh));
    columns.push(column(
        "maxt_p",
        "Step-down max-T (Westfall and Young 1993) over all atoms in all regions: firing sets change places \
         among loci with the same calls (type, size, label), with all regions together. The chance of any \
         false discovery in this table. Missing without --permutations, and where there is no test.",
        numbers(rows, |row| Some(row.max_t?.p)),
    ));
    Table {
        name: "atom_regions",
        about: "Atoms against regions: one row for every region and every atom that fires on at least \
                --min-support calls. Odds ratios are of firing, inside against outside. Strata are SV \
                type by size (Truvari's bins) by label. The table regions names the rule by which a call \
                lies in a region.",
        columns,
    }
}

const RULE: &str = "When a call lies in the region. any: a base of it does, or an end of a breakend. half: at \
                    least half of its bases. both-ends: its first base and its last. same-region: all bases \
                    between them, in one row of the file. Both bases beside an insertion must be in.";
