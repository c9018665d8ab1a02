//! The log odds ratio without what all atoms share.

use super::column;
use crate::report::table::Column;
use crate::report::tables::numbers;
use crate::stats::evidence::ExtendedTables;

pub(super) fn displacement(evidence: &ExtendedTables) -> Vec<Column> {
    let median = evidence.displacement.map(|found| found.median.value);
    vec![column(
        "log_or_centred",
        "log_or less the median log_or of the tested atoms whose number of true calls has a variance of \
         at least 4 within strata (hypergeometric). As exactly k atoms fire on each call, what some \
         gain on true calls others lose there: the median is where an atom without an association is \
         expected. Missing where fewer than 20 atoms are such.",
        numbers(&evidence.atoms, |row| Some(row.log_odds?.value - median?)),
    )]
}
