//! The hypergeometric distribution of a 2×2 table with fixed margins, in log space.

use std::f64::consts::TAU;

use super::stirling;
use super::table::Table2x2;

/// The share of a sum below which terms are not added. At the steepness that a tail has there, all
/// later terms together do not reach the sum's last bit.
const NEGLIGIBLE: f64 = 1e-20;

/// The distribution of `tp_on` over all tables with the margins of one.
#[derive(Debug, Clone, Copy)]
pub struct Hypergeometric {
    fires: u64,
    tp: u64,
    n: u64,
    expected: [f64; 4],
    /// The margins' part of the probability's logarithm.
    ln_margins: f64,
}

/// The direction of a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Towards smaller `tp_on`.
    Lower,
    /// Towards larger `tp_on`.
    Upper,
}

impl Side {
    /// Returns the other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Lower => Self::Upper,
            Self::Upper => Self::Lower,
        }
    }
}

impl Hypergeometric {
    /// Makes the distribution with this table's margins; `None` if a margin is zero.
    pub fn of_margins(table: &Table2x2) -> Option<Self> {
        if table.is_degenerate() {
            return None;
        }
        let [fires, silent] = [table.fires() as f64, table.silent() as f64];
        let [tp, fp] = [table.tp() as f64, table.fp() as f64];
        let n = table.n() as f64;
        // ½·ln of the product of the margins' 2πm by 2πn.
        let ln_roots = 0.5 * libm::log(TAU * TAU * TAU * fires * silent * tp * (fp / n));
        let errors = [fires, silent, tp, fp].map(stirling::error);
        let error = errors[0] + errors[1] + errors[2] + errors[3] - stirling::error(n);
        Some(Self {
            fires: table.fires(),
            tp: table.tp(),
            n: table.n(),
            expected: table.expected(),
            ln_margins: ln_roots + error,
        })
    }

    /// Returns the smallest `tp_on`.
    pub fn least(&self) -> u64 {
        (self.fires + self.tp).saturating_sub(self.n)
    }

    /// Returns the largest `tp_on`.
    pub fn most(&self) -> u64 {
        self.fires.min(self.tp)
    }

    /// Returns the most probable `tp_on`, the larger of two equally probable ones.
    pub fn mode(&self) -> u64 {
        let product = (u128::from(self.fires) + 1) * (u128::from(self.tp) + 1);
        (product / (u128::from(self.n) + 2)) as u64
    }

    /// Returns the mean of `tp_on`.
    pub fn mean(&self) -> f64 {
        self.expected[0]
    }

    /// Returns the table with that `tp_on`, which is between `least` and `most`.
    fn table(&self, tp_on: u64) -> Table2x2 {
        Table2x2 {
            tp_on,
            fp_on: self.fires - tp_on,
            tp_off: self.tp - tp_on,
            fp_off: self.n + tp_on - self.fires - self.tp,
        }
    }

    /// Computes `ln P(tp_on)`; −∞ outside of the support. It is scipy's `hypergeom.logpmf`, but
    /// within 10⁻¹⁴ relative to the larger of 1 and the logarithm. A difference of log-gammas keeps
    /// nine digits of the probability at a million calls.
    ///
    /// With e the expected cells, `ln P = −Σ [x·ln(x/e) − (x−e)] + ½·ln(Π 2π·margins / (2πn ·
    /// Π 2πx)) + Σ δ(margins) − δ(n) − Σ δ(x)`: all the large terms of the nine logarithmic
    /// factorials together are half the likelihood-ratio statistic G. All four x − e are
    /// ±(ad − bc)/n, exact before its one division.
    pub fn ln_probability(&self, tp_on: u64) -> f64 {
        if tp_on < self.least() || tp_on > self.most() {
            return f64::NEG_INFINITY;
        }
        let table = self.table(tp_on);
        let difference = table.cross_difference() as f64 / self.n as f64;
        let differences = [difference, -difference, -difference, difference];
        let cells = table.cells().map(|x| x as f64);
        let (mut deviance, mut error, mut roots) = (0.0, 0.0, 1.0);
        for ((x, e), difference) in cells.into_iter().zip(self.expected).zip(differences) {
            deviance += stirling::deviance(x, e, difference);
            error += stirling::error(x);
            roots *= if x > 0.0 { TAU * x } else { 1.0 };
        }
        self.ln_margins - error - 0.5 * libm::log(roots) - deviance
    }

    /// Computes the sum of the probabilities from `tp_on` outwards divided by that of `tp_on`, at
    /// least 1: `1 + ρ₁ + ρ₁ρ₂ + …`, with the ratios of neighbours, which are ratios of cells. It
    /// takes O(σ) terms if the tail begins at the mode or beyond it.
    pub fn tail_ratio(&self, tp_on: u64, side: Side) -> f64 {
        let Table2x2 {
            tp_on: a,
            fp_on: b,
            tp_off: c,
            fp_off: d,
        } = self.table(tp_on);
        let [mut down, mut up] = match side {
            Side::Upper => [[b, c], [a, d]],
            Side::Lower => [[a, d], [b, c]],
        }
        .map(|cells| cells.map(|x| x as f64));
        let (mut sum, mut term) = (1.0, 1.0);
        // The ratios do not wait for each other, only the products do.
        while term > sum * NEGLIGIBLE {
            up = up.map(|x| x + 1.0);
            term *= down[0] * down[1] / (up[0] * up[1]);
            sum += term;
            down = down.map(|x| x - 1.0);
        }
        sum
    }

    /// Computes `ln P(X ≤ tp_on)` or `ln P(X ≥ tp_on)`: scipy's `hypergeom.logcdf(tp_on)` and
    /// `logsf(tp_on − 1)`, the p-values of Fisher's one-sided tests.
    pub fn ln_tail(&self, tp_on: u64, side: Side) -> f64 {
        let (mode, least, most) = (self.mode(), self.least(), self.most());
        let (beyond, is_all, is_none) = match side {
            Side::Lower => (tp_on <= mode, tp_on >= most, tp_on < least),
            Side::Upper => (tp_on >= mode, tp_on <= least, tp_on > most),
        };
        if is_all || is_none {
            return if is_all { 0.0 } else { f64::NEG_INFINITY };
        }
        if beyond {
            let ln = self.ln_probability(tp_on) + libm::log(self.tail_ratio(tp_on, side));
            return ln.min(0.0);
        }
        // A tail that holds the mode is the complement of the other one.
        let other = match side {
            Side::Lower => self.ln_tail(tp_on + 1, Side::Upper),
            Side::Upper => self.ln_tail(tp_on - 1, Side::Lower),
        };
        libm::log1p(-libm::exp(other))
    }
}
