//! What the table of atoms alone tells: its numbers, what procedures claim, the strongest.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::report::table::{Table, Values};
use crate::report::text::words::figure;
use crate::stats::evidence::LEVEL;

/// Procedures: the column of adjusted p-values, the name, whether it compares within strata.
const PROCEDURES: [(&str, &str, bool); 8] = [
    ("maxt_p", "max_t", true),
    ("cmh_holm", "holm", true),
    ("cmh_fdr_by", "benjamini_yekutieli", true),
    ("cmh_fdr_bh", "benjamini_hochberg", true),
    ("holm", "holm", false),
    ("fdr_by", "benjamini_yekutieli", false),
    ("fdr_bh", "benjamini_hochberg", false),
    ("storey_q", "storey", false),
];

/// The claims of procedures, as the script has them.
pub(super) struct Claims {
    pub(super) names: Vec<Value>,
    pub(super) counts: Vec<Value>,
    pub(super) bits: Vec<u32>,
    pub(super) strictest: &'static str,
}

impl Claims {
    pub(super) fn of(atoms: &Table) -> Self {
        let mut claims = Self {
            names: Vec::new(),
            counts: Vec::new(),
            bits: vec![0; atoms.rows()],
            strictest: "holm",
        };
        for (column, procedure, is_within) in PROCEDURES {
            let adjusted = numbers(atoms, column);
            // Without permutations max-T has a column of which all is missing.
            if adjusted.iter().all(|p| p.is_nan()) {
                continue;
            }
            let place = claims.names.len();
            let mut count = 0;
            for (bits, p) in claims.bits.iter_mut().zip(&adjusted) {
                if *p < LEVEL {
                    *bits |= 1 << place;
                    count += 1;
                }
            }
            if procedure == "max_t" {
                claims.strictest = "max_t";
            }
            let scope = if is_within {
                "within_strata"
            } else {
                "all_calls"
            };
            claims
                .names
                .push(json!({"procedure": procedure, "scope": scope}));
            claims
                .counts
                .push(json!({"procedure": procedure, "scope": scope, "atoms": count}));
        }
        claims
    }
}

/// The median of the log odds ratios, where they are centred by it.
pub(super) fn median(atoms: &Table) -> Option<f64> {
    let [log, centred] = ["log_or", "log_or_centred"].map(|name| numbers(atoms, name));
    let mut differences = log.iter().zip(&centred).map(|(log, centred)| log - centred);
    differences.find(|difference| difference.is_finite())
}

/// A column's numbers, missing ones as NaN; empty where there is no such column.
pub(super) fn numbers(table: &Table, name: &str) -> Vec<f64> {
    let column = table.columns.iter().find(|column| column.name == name);
    match column.map(|column| &column.values) {
        Some(Values::F64(values)) => values.clone(),
        Some(Values::U32(values)) => values.iter().map(|&value| f64::from(value)).collect(),
        _ => Vec::new(),
    }
}

/// The first atoms by rank, as a table.
pub(super) fn strongest(atoms: &Table) -> String {
    const MOST: usize = 20;
    let mut by_rank = BTreeMap::new();
    for (atom, rank) in numbers(atoms, "rank").into_iter().enumerate() {
        if rank >= 1.0 {
            by_rank.insert(rank as u64, atom);
        }
    }
    let shown = [
        "fires",
        "tp_on",
        "fp_on",
        "log_or",
        "neg_log10_p",
        "cmh_or",
        "cmh_fdr_bh",
    ];
    let columns = shown.map(|name| numbers(atoms, name));
    let title = "Strongest on all calls at once";
    let mut html = format!(
        "<div class=\"scroll strongest\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table><caption>{title}\
         </caption><thead><tr><th scope=\"col\">atom</th>"
    );
    for name in shown {
        let _ = write!(html, "<th scope=\"col\">{name}</th>");
    }
    html += "</tr></thead><tbody>";
    for atom in by_rank.into_values().take(MOST) {
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><a href=\"#atom={atom}\">{atom}</a></th>"
        );
        for column in &columns {
            let value = column.get(atom).copied().unwrap_or(f64::NAN);
            let _ = write!(html, "<td>{}</td>", figure(value));
        }
        html += "</tr>";
    }
    html + "</tbody></table></div>\n"
}
