//! How often something holds, over atoms of many cohorts.

use super::errors::share;

/// Counts of cohorts' atoms. Atoms of one cohort depend on each other, so that the standard error is
/// from cohorts' shares.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage {
    /// Times that it held, and times in all, of each cohort.
    of_cohort: Vec<[u64; 2]>,
}

impl Coverage {
    /// Takes a cohort's atoms.
    pub(crate) fn take(&mut self, atoms: impl Iterator<Item = bool>) {
        let mut counts = [0; 2];
        for holds in atoms {
            counts[0] += u64::from(holds);
            counts[1] += 1;
        }
        if counts[1] > 0 {
            self.of_cohort.push(counts);
        }
    }

    /// Adds other cohorts.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.of_cohort.extend_from_slice(&other.of_cohort);
    }

    /// Times in all.
    pub(crate) fn trials(&self) -> u64 {
        self.of_cohort.iter().map(|counts| counts[1]).sum()
    }

    /// The share of times that it held, and its standard error: that of a ratio of two sums over
    /// independent cohorts, and no less than a binomial one, be it of 0.95.
    pub(crate) fn share(&self) -> (f64, f64) {
        let held: u64 = self.of_cohort.iter().map(|counts| counts[0]).sum();
        let all = self.trials();
        let (p, binomial) = share(held, all);
        let residual = |[held, all]: [u64; 2]| (held as f64 - p * all as f64).powi(2);
        let squares: f64 = self.of_cohort.iter().copied().map(residual).sum();
        let nominal = (0.05 * 0.95 / all as f64).sqrt();
        (p, (squares.sqrt() / all as f64).max(binomial).max(nominal))
    }
}
