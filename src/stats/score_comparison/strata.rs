//! The label and the stratum of each call, with counts that all atoms share.

/// Labels and strata of calls, in the cohort's order.
#[derive(Debug, Clone)]
pub struct LabelledCalls {
    pub(super) is_tp: Vec<bool>,
    pub(super) stratum: Vec<u32>,
    /// The numbers of true and false calls of each stratum.
    pub(super) counts: Vec<[u64; 2]>,
    /// The numbers of true and false calls in all.
    pub(super) total: [u64; 2],
}

impl LabelledCalls {
    /// Makes the labels from each call's label and the number of its stratum.
    ///
    /// # Panics
    /// Panics if the two lengths differ.
    pub fn new(is_tp: Vec<bool>, stratum: Vec<u32>) -> Self {
        assert_eq!(is_tp.len(), stratum.len());
        let strata = stratum.iter().max().map_or(0, |&most| most as usize + 1);
        let mut counts = vec![[0, 0]; strata];
        for (&is_tp, &stratum) in is_tp.iter().zip(&stratum) {
            counts[stratum as usize][usize::from(!is_tp)] += 1;
        }
        let sum = |label: usize| counts.iter().map(|both| both[label]).sum();
        Self {
            total: [sum(0), sum(1)],
            is_tp,
            stratum,
            counts,
        }
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.is_tp.len()
    }

    /// Says whether there are no calls.
    pub fn is_empty(&self) -> bool {
        self.is_tp.is_empty()
    }

    /// Returns the numbers of true and false calls.
    pub fn total(&self) -> [u64; 2] {
        self.total
    }

    /// Returns the strata that have calls of both labels, with their true and false calls. No
    /// others contribute within strata.
    pub(super) fn telling(&self) -> impl Iterator<Item = (usize, [f64; 2])> {
        let both = self.counts.iter().enumerate();
        both.filter(|(_, [tp, fp])| *tp > 0 && *fp > 0)
            .map(|(stratum, counts)| (stratum, counts.map(|n| n as f64)))
    }
}
