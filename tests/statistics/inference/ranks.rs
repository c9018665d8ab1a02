//! Mann and Whitney's test, Spearman's correlation.

use atomscope::cohort::Label;
use atomscope::stats::inference::rank_sum::{Silent, mann_whitney};
use atomscope::stats::inference::spearman::MidRanks;

use super::golden::{Distances, Line, golden};

fn firing(line: &Line) -> Vec<(f64, Label)> {
    let text = line.text("firing");
    let one = |text: &str| {
        let (value, label) = text.split_once(',').unwrap();
        let label = if label == "1" { Label::Tp } else { Label::Fp };
        (value.parse().unwrap(), label)
    };
    text.split(' ')
        .filter(|text| !text.is_empty())
        .map(one)
        .collect()
}

#[test]
fn the_rank_sum_is_scipy_s_and_its_area_scikit_learn_s() {
    let mut distances = Distances::default();
    for line in golden("rank_sum.tsv") {
        let silent = Silent {
            tp: line.must("silent_tp"),
            fp: line.must("silent_fp"),
        };
        let Some(found) = mann_whitney(&firing(&line), silent) else {
            assert_eq!(line.text("u"), "none");
            continue;
        };
        assert_eq!(found.u, line.must::<f64>("u"));
        distances.number(
            "AUROC of scikit-learn",
            found.auroc,
            line.must("auroc"),
            1e-12,
        );
        let ln_p = found.asymptotic.p.ln();
        distances.ln_p("asymptotic rank sum", ln_p, line.must("ln_p"), 1e-11);
        distances.library_p("asymptotic rank sum of scipy", ln_p, line.get("scipy"));
    }
    distances.finish(15);
}

#[test]
fn the_rank_correlation_is_scipy_s() {
    let mut distances = Distances::default();
    for line in golden("spearman.tsv") {
        let lengths = line.list("lengths");
        let fires = line.list("fires");
        let on = (0..fires.len()).filter(|&call| fires[call] > 0.0);
        let Some(found) = MidRanks::of(&lengths).correlate(on.clone()) else {
            assert_eq!(line.text("rho"), "none");
            continue;
        };
        distances.number("rho", found.rho, line.must("rho"), 1e-14);
        let ln_p = found.asymptotic.p.ln();
        distances.ln_p("Student's p of it", ln_p, line.must("ln_p"), 1e-11);
        if let Some(scipy) = line.get("scipy_rho") {
            distances.number("rho of scipy", found.rho, scipy, 1e-10);
        }
        distances.library_p("Student's p of scipy", ln_p, line.get("scipy_p"));
        // A call without a length is not there.
        let mut more = lengths.clone();
        more.push(f64::NAN);
        let with_missing = MidRanks::of(&more).correlate(on.chain([lengths.len()]));
        assert_eq!(with_missing, Some(found));
    }
    distances.finish(15);
}
