//! One stratum: the weights of its counts, tilted or not.

use crate::stats::inference::homogeneity::fit;
use crate::stats::inference::hypergeometric::Hypergeometric;
use crate::stats::inference::table::Table2x2;

/// The share of the largest weight below which weights are left out.
const NEGLIGIBLE: f64 = 1e-20;

/// The margins of an informative stratum, and its count.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Stratum {
    /// `tp_on`.
    pub(in super::super) observed: u64,
    pub(in super::super) least: u64,
    pub(in super::super) most: u64,
    fires: u64,
    tp: u64,
    fp: u64,
}

/// The weights of a stratum's counts tilted by θ, `P(x)·exp(θx)`, in units of that of one count.
#[derive(Debug, Default)]
pub(in super::super) struct Weights {
    /// The count whose weight is 1, near the largest weight.
    pub(in super::super) unit: u64,
    /// The first count that has a weight.
    pub(in super::super) first: u64,
    /// The weights, by ascending count.
    pub(in super::super) values: Vec<f64>,
    down: Vec<f64>,
}

impl Stratum {
    pub(in super::super) fn of(table: &Table2x2) -> Self {
        let (fires, tp, fp) = (table.fires(), table.tp(), table.fp());
        Self {
            observed: table.tp_on,
            least: fires.saturating_sub(fp),
            most: fires.min(tp),
            fires,
            tp,
            fp,
        }
    }

    /// Returns the table of a count.
    fn at(&self, tp_on: u64) -> Table2x2 {
        Table2x2 {
            tp_on,
            fp_on: self.fires - tp_on,
            tp_off: self.tp - tp_on,
            fp_off: self.fp + tp_on - self.fires,
        }
    }

    pub(in super::super) fn table(&self) -> Table2x2 {
        self.at(self.observed)
    }

    /// Returns the cells of a count.
    fn cells(&self, tp_on: u64) -> [f64; 4] {
        self.at(tp_on).cells().map(|cell| cell as f64)
    }

    /// Computes `ln P(x)`.
    pub(in super::super) fn ln_probability(&self, x: u64) -> f64 {
        // An informative stratum has a distribution.
        Hypergeometric::of_margins(&self.table())
            .map_or(f64::NEG_INFINITY, |all| all.ln_probability(x))
    }

    /// Computes `P(x + 1)/P(x)`, for counts between least and most.
    fn ratio(&self, x: u64) -> f64 {
        let Table2x2 {
            tp_on,
            fp_on,
            tp_off,
            fp_off,
        } = self.at(x);
        (tp_off as f64 * fp_on as f64) / ((tp_on + 1) as f64 * (fp_off + 1) as f64)
    }

    /// Writes the probabilities of all counts, ascending.
    pub(in super::super) fn probabilities(&self, all: &mut Vec<f64>) {
        all.clear();
        let n = (self.tp + self.fp) as f64;
        if self.fires == 1 {
            all.extend([self.fp as f64 / n, self.tp as f64 / n]);
            return;
        }
        // The recursion starts near the most probable count, so that nothing overflows.
        let mode = (self.fires + 1) as f64 * ((self.tp + 1) as f64 / (n + 2.0));
        let unit = (mode as u64).clamp(self.least, self.most);
        let place = (unit - self.least) as usize;
        all.resize((self.most - self.least + 1) as usize, 1.0);
        for x in unit..self.most {
            let at = (x - self.least) as usize;
            all[at + 1] = all[at] * self.ratio(x);
        }
        for at in (0..place).rev() {
            all[at] = all[at + 1] / self.ratio(self.least + at as u64);
        }
        let sum: f64 = all.iter().sum();
        for p in all.iter_mut() {
            *p /= sum;
        }
    }

    /// Computes the weights, tilted by θ, that are not negligible.
    pub(in super::super) fn weigh(&self, theta: f64, weights: &mut Weights) {
        let tilt = libm::exp(theta);
        // Cornfield's fit: the count at which the table's odds ratio is the tilt, near the mode.
        let [near, ..] = fit(&self.table(), tilt);
        self.weigh_near(tilt, near, weights);
    }

    /// Computes the weights, tilted by `ln tilt`, from a count near the largest one.
    pub(in super::super) fn weigh_near(&self, tilt: f64, near: f64, weights: &mut Weights) {
        let unit = (near.round() as u64).clamp(self.least, self.most);
        let Weights { values, down, .. } = weights;
        down.clear();
        values.clear();
        let (mut weight, mut largest, mut cells) = (1.0, 1.0, self.cells(unit));
        let mut first = unit;
        while first > self.least && weight > NEGLIGIBLE * largest {
            let [a, b, c, d] = cells;
            weight *= (a * d) / ((b + 1.0) * (c + 1.0) * tilt);
            cells = [a - 1.0, b + 1.0, c + 1.0, d - 1.0];
            first -= 1;
            largest = f64::max(largest, weight);
            down.push(weight);
        }
        weights.first = first;
        values.extend(down.iter().rev());
        values.push(1.0);
        let mut last = unit;
        (weight, cells) = (1.0, self.cells(unit));
        while last < self.most && weight > NEGLIGIBLE * largest {
            let [a, b, c, d] = cells;
            weight *= (b * c * tilt) / ((a + 1.0) * (d + 1.0));
            cells = [a + 1.0, b - 1.0, c - 1.0, d + 1.0];
            last += 1;
            largest = f64::max(largest, weight);
            values.push(weight);
        }
        weights.unit = unit;
    }
}
