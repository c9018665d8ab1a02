//! Adjusted p-values. The script that made the golden file holds them against statsmodels.

use atomscope::stats::inference::PValue;
use atomscope::stats::inference::multiplicity::Family;

use super::golden::{Distances, golden};

#[test]
fn adjusted_p_values_are_the_exact_ones() {
    let mut distances = Distances::default();
    for line in golden("multiplicity.tsv") {
        let p: Vec<_> = line
            .list("ln_p")
            .into_iter()
            .map(|ln| Some(PValue::from_ln(ln)))
            .collect();
        let family = Family::of(&p);
        distances.number(
            "null share",
            family.null_share(),
            line.must("null_share"),
            1e-15,
        );
        for (column, adjusted) in [
            ("bh", family.benjamini_hochberg()),
            ("by", family.benjamini_yekutieli()),
            ("holm", family.holm()),
            ("storey", family.storey()),
        ] {
            for (found, expected) in adjusted.into_iter().zip(line.list(column)) {
                distances.ln_p(column, found.unwrap().ln(), expected, 1e-12);
            }
        }
    }
    distances.finish(10);
}
