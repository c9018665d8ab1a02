//! The tails of the distributions.

use atomscope::stats::inference::{student, tails};

use super::golden::{Distances, golden};

#[test]
fn tails_are_mpmath_s_and_scipy_s() {
    let mut distances = Distances::default();
    for line in golden("tails.tsv") {
        let x: f64 = line.must("x");
        let (what, library, found) = match line.text("tail") {
            "chi2" => {
                let found = tails::ln_chi2_upper(x, line.must("degrees"));
                ("chi2", "chi2 of scipy", found)
            }
            "two_sided" => (
                "normal, both tails",
                "normal, both of scipy",
                tails::ln_normal_two_sided(x),
            ),
            _ => (
                "normal, upper tail",
                "normal, upper of scipy",
                tails::ln_normal_upper(x),
            ),
        };
        let expected: f64 = line.must("ln_p");
        distances.ln_p(what, found, expected, 1e-12);
        distances.scaled(
            "any, relative to max(1, |ln p|)",
            (found, expected),
            1.0,
            2e-14,
        );
        if let Some(scipy) = line.get("scipy") {
            distances.scaled(library, (found, scipy), 1.0, 1e-10);
        }
    }
    distances.finish(10);
}

#[test]
fn student_s_tail_is_mpmath_s_and_scipy_s() {
    let mut distances = Distances::default();
    for line in golden("student.tsv") {
        let rho: f64 = line.must("rho");
        let (square, rest) = (rho * rho, (1.0 - rho) * (1.0 + rho));
        let found = student::ln_two_sided(square, rest, line.must("degrees"));
        distances.ln_p("student", found, line.must("ln_p"), 2e-12);
        distances.library_p("student of scipy", found, line.get("scipy"));
    }
    distances.finish(50);
}
