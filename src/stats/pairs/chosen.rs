//! The atoms that can be in a pair, and the pairs among their counts.

use super::kept::{Found, Pair};

/// The atoms that can be in a pair, numbered anew in their order.
pub(super) struct Chosen {
    /// The new number of each atom, [`Self::LEFT_OUT`] where it has none; `None` where all atoms are
    /// chosen, and keep their numbers.
    numbers: Option<Vec<u32>>,
    /// The atom of each new number, ascending.
    pub(super) atoms: Vec<u32>,
}

impl Chosen {
    const LEFT_OUT: u32 = u32::MAX;

    /// Chooses the atoms of `features` that `can` be in a pair; there are fewer than 2^32.
    pub(super) fn of(features: usize, can: impl Fn(usize) -> bool) -> Self {
        let atoms: Vec<u32> = (0..features)
            .filter(|&atom| can(atom))
            .map(|atom| atom as u32)
            .collect();
        let numbers = (atoms.len() < features).then(|| {
            let mut numbers = vec![Self::LEFT_OUT; features];
            for (number, &atom) in (0..).zip(&atoms) {
                numbers[atom as usize] = number;
            }
            numbers
        });
        Self { numbers, atoms }
    }

    /// Puts the chosen ones of these atoms into a buffer, under their new numbers. Returns false, and
    /// does nothing, where all atoms are chosen.
    pub(super) fn renumber(&self, atoms: &[u32], buffer: &mut Vec<u32>) -> bool {
        let Some(numbers) = &self.numbers else {
            return false;
        };
        let numbers = atoms.iter().map(|&atom| numbers[atom as usize]);
        buffer.clear();
        buffer.extend(numbers.filter(|&number| number != Self::LEFT_OUT));
        true
    }

    /// Finds an atom's pairs that fire together often enough.
    pub(super) fn find(&self, row: &[u32], a: u32, found: &mut Found) {
        /// Most pairs of many atoms hardly ever fire together: this number of them are passed over at
        /// a time.
        const STEP: usize = 32;
        let Ok(asked) = u32::try_from(found.asked) else {
            return;
        };
        let (tp, fp) = row.split_at(row.len() / 2);
        let steps = tp.chunks(STEP).zip(fp.chunks(STEP));
        for (first, (tp, fp)) in (a + 1..).step_by(STEP).zip(steps) {
            // Without a branch, so that it is done many at a time.
            let often = tp.iter().zip(fp).map(|(tp, fp)| tp + fp >= asked);
            if !often.fold(false, |any, often| any | often) {
                continue;
            }
            for (b, (&tp, &fp)) in (first..).zip(tp.iter().zip(fp)) {
                found.take(self.pair(a, b, [tp, fp]));
            }
        }
    }

    /// The same of an atom that fires together with few `others`, handed over once or oftener; its counts
    /// are 0 afterwards.
    pub(super) fn pick(
        &self,
        row: &mut [u32],
        a: u32,
        others: impl Iterator<Item = u32>,
        found: &mut Found,
    ) {
        let (tp, fp) = row.split_at_mut(row.len() / 2);
        let mut pairs = Vec::new();
        for b in others {
            let place = (b - a - 1) as usize;
            let counts = [&mut tp[place], &mut fp[place]].map(std::mem::take);
            if u64::from(counts[0] + counts[1]) >= found.asked {
                pairs.push(self.pair(a, b, counts));
            }
        }
        pairs.sort_unstable_by_key(|pair| pair.b);
        for pair in pairs {
            found.take(pair);
        }
    }

    /// Two chosen atoms under their own numbers.
    fn pair(&self, a: u32, b: u32, [tp, fp]: [u32; 2]) -> Pair {
        let [a, b] = [a, b].map(|number| self.atoms[number as usize]);
        Pair { a, b, tp, fp }
    }
}
