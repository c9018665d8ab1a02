//! Which calls are true and which stratum each is in, with what follows from that for every atom.

/// Labels and strata of calls, in the cohort's order.
#[derive(Debug, Clone)]
pub struct LabelledCalls {
    pub(super) is_tp: Vec<bool>,
    pub(super) stratum: Vec<u16>,
    /// True and false calls of each stratum.
    pub(super) counts: Vec<[u64; 2]>,
    /// True and false calls in all.
    pub(super) total: [u64; 2],
}

impl LabelledCalls {
    /// Whether each call is true, and the number of its stratum.
    ///
    /// # Panics
    /// If there is not one of each a call.
    pub fn new(is_tp: Vec<bool>, stratum: Vec<u16>) -> Self {
        assert_eq!(is_tp.len(), stratum.len());
        let strata = stratum
            .iter()
            .max()
            .map_or(0, |&most| usize::from(most) + 1);
        let mut counts = vec![[0, 0]; strata];
        for (&is_tp, &stratum) in is_tp.iter().zip(&stratum) {
            counts[usize::from(stratum)][usize::from(!is_tp)] += 1;
        }
        let sum = |label: usize| counts.iter().map(|both| both[label]).sum();
        Self {
            total: [sum(0), sum(1)],
            is_tp,
            stratum,
            counts,
        }
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.is_tp.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.is_tp.is_empty()
    }

    /// True and false calls.
    pub fn total(&self) -> [u64; 2] {
        self.total
    }

    /// The strata that have calls of both labels, with their true and false calls: no others tell
    /// anything within strata.
    pub(super) fn telling(&self) -> impl Iterator<Item = (usize, [f64; 2])> {
        let both = self.counts.iter().enumerate();
        both.filter(|(_, [tp, fp])| *tp > 0 && *fp > 0)
            .map(|(stratum, counts)| (stratum, counts.map(|n| n as f64)))
    }
}
