//! The sums of Breslow and Day's test of one odds ratio in all strata.

use super::table::Table2x2;

/// Sums over strata of the distance of a from its fit â, the value at which the stratum's odds
/// ratio is the common one.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::stats) struct Homogeneity {
    /// `Σ (a − â)²/v̂`.
    pub(in crate::stats) statistic: f64,
    /// `Σ (a − â)`.
    residual: f64,
    /// `Σ v̂`, with 1/v̂ = 1/â + 1/b̂ + 1/ĉ + 1/d̂.
    variance: f64,
}

impl Homogeneity {
    /// Adds a stratum. The common odds ratio is neither 0 nor infinite.
    pub(in crate::stats) fn add(&mut self, table: &Table2x2, odds_ratio: f64) {
        if table.is_degenerate() {
            return;
        }
        let fitted = fit(table, odds_ratio);
        let variance = variance(fitted);
        // All cells are equally far from their fits; the smallest fit has the most digits of it.
        let mut least = f64::INFINITY;
        let mut residual = 0.0;
        let signs = [1.0, -1.0, -1.0, 1.0];
        for ((observed, fitted), sign) in table.cells().into_iter().zip(fitted).zip(signs) {
            if fitted < least {
                (least, residual) = (fitted, sign * (observed as f64 - fitted));
            }
        }
        self.statistic += residual * residual / variance;
        self.residual += residual;
        self.variance += variance;
    }

    /// Returns Tarone's correction, to be subtracted from the statistic.
    pub(in crate::stats) fn correction(&self) -> f64 {
        self.residual * self.residual / self.variance
    }
}

/// Computes the cells with this table's margins and the odds ratio ψ, ad = ψ·bc.
///
/// Each is the root of a quadratic, and all four quadratics have one discriminant, which is a
/// sum of positive terms: with g = n − fires − tp = d − a and h = tp − fires = c − b,
/// `Δ = ψ²h² + 2ψ(fires·silent + tp·fp) + g²`. The smaller cell of either diagonal is
/// `2·product/(positive terms + √Δ)`, and the larger one exceeds it by |g| or |h|: so nothing
/// cancels, for ψ = 1 neither, where the usual formula divides 0 by 0.
pub(in crate::stats) fn fit(table: &Table2x2, odds_ratio: f64) -> [f64; 4] {
    let [fires, silent] = [table.fires() as f64, table.silent() as f64];
    let [tp, fp] = [table.tp() as f64, table.fp() as f64];
    let (g, h) = (silent - tp, tp - fires);
    let psi = odds_ratio;
    let linear = 2.0 * psi * (fires * silent + tp * fp);
    let root = (psi * psi * h * h + linear + g * g).sqrt();
    // a and its margins where g ≥ 0, d and its margins otherwise.
    let (row, column) = if g >= 0.0 { (fires, tp) } else { (silent, fp) };
    let agree = 2.0 * psi * row * column / (g.abs() + psi * (row + column) + root);
    // b where h ≥ 0, c otherwise.
    let (row, column) = if h >= 0.0 { (fires, fp) } else { (silent, tp) };
    let disagree = 2.0 * row * column / (psi * h.abs() + row + column + root);
    let (a, d) = if g >= 0.0 {
        (agree, agree + g)
    } else {
        (agree - g, agree)
    };
    let (b, c) = if h >= 0.0 {
        (disagree, disagree + h)
    } else {
        (disagree - h, disagree)
    };
    [a, b, c, d]
}

/// Computes 1/(1/a + 1/b + 1/c + 1/d).
pub(super) fn variance([a, b, c, d]: [f64; 4]) -> f64 {
    let (agree, disagree) = (a * d, b * c);
    agree * disagree / ((a + d) * disagree + (b + c) * agree)
}

#[cfg(test)]
mod tests {
    use super::{Table2x2, fit};

    #[test]
    fn fit_has_the_margins_and_the_odds_ratio() {
        for (tp_on, fp_on, tp, fp) in [
            (3, 40, 90, 50),
            (30, 2, 31, 400),
            (5, 5, 10, 10),
            (1, 0, 1, 9),
        ] {
            let table = Table2x2::of_totals(tp_on, fp_on, tp, fp).unwrap();
            for odds_ratio in [1e-9, 0.2, 1.0, 1.0 + 1e-12, 7.0, 1e9] {
                let [a, b, c, d] = fit(&table, odds_ratio);
                let near = |x: f64, y: f64| assert!((x / y - 1.0).abs() < 1e-14, "{x} {y}");
                near(a + b, table.fires() as f64);
                near(c + d, table.silent() as f64);
                near(a + c, table.tp() as f64);
                near(a * d / (b * c), odds_ratio);
            }
        }
    }
}
