//! Firing sets and counts by sorting.

use std::collections::BTreeMap;

/// The best `k` of scores: the greater first, of equal ones the lower atom first.
fn best(mut scored: Vec<(f64, u32)>, k: usize) -> Vec<u32> {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored[..k].iter().map(|&(_, atom)| atom).collect()
}

/// What decides which of a row's scored atoms fire.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule<'a> {
    /// The largest, or of the largest magnitudes, so many.
    Largest {
        count: usize,
        above_zero: bool,
        magnitude: bool,
        /// And all that equal the last of them.
        ties: bool,
    },
    /// The largest of each so many consecutive atoms, if it is above 0.
    Groups(usize),
    /// Those above their own threshold.
    Thresholds(&'a [f64]),
    /// Those above 0 and a score, or equal to it and of a lower atom than that.
    Cut(f64, u32),
}

/// The scored atoms that fire, ascending.
pub(crate) fn fires(scored: &[(f64, u32)], rule: Rule) -> Vec<u32> {
    let chosen = |fires: &dyn Fn(f64, u32) -> bool| -> Vec<u32> {
        let atoms = scored.iter().filter(|&&(score, atom)| fires(score, atom));
        atoms.map(|&(_, atom)| atom).collect()
    };
    let mut set = match rule {
        Rule::Thresholds(of) => chosen(&|score, atom| score > of[atom as usize]),
        Rule::Groups(size) => {
            let mut groups: BTreeMap<usize, Vec<(f64, u32)>> = BTreeMap::new();
            for &(score, atom) in scored.iter().filter(|(score, _)| *score > 0.0) {
                let group = groups.entry(atom as usize / size);
                group.or_default().push((score, atom));
            }
            groups
                .into_values()
                .flat_map(|of_group| best(of_group, 1))
                .collect()
        }
        Rule::Cut(least, atoms) => chosen(&|score, atom| {
            score > 0.0 && (score > least || (score == least && atom < atoms))
        }),
        Rule::Largest {
            count,
            above_zero,
            magnitude,
            ties,
        } => {
            let key = |score: f64| if magnitude { score.abs() } else { score };
            let keyed = scored.iter().map(|&(score, atom)| (key(score), atom));
            let first = best(keyed.collect(), count.min(scored.len()));
            let least = chosen_score(scored, first.last()).map(key);
            chosen(&|score, atom| {
                let equals = ties && least == Some(key(score));
                (first.contains(&atom) || equals) && (!above_zero || key(score) > 0.0)
            })
        }
    };
    set.sort_unstable();
    set
}

/// The score of an atom among those that are scored.
fn chosen_score(scored: &[(f64, u32)], atom: Option<&u32>) -> Option<f64> {
    let found = scored.iter().find(|(_, other)| Some(other) == atom);
    found.map(|&(score, _)| score)
}

/// A row's firing set, ascending: its certain atoms, and the best of the open ones.
pub(crate) fn resolved(certain: &[u32], open: &[(f64, u32)], k: usize) -> Vec<u32> {
    let mut set = certain.to_vec();
    set.extend(best(open.to_vec(), k - certain.len()));
    set.sort_unstable();
    set
}

/// The firing set of a row that is scored in full, ascending.
pub(crate) fn chosen(scores: &[f64], k: usize) -> Vec<u32> {
    let mut set = best(scores.iter().copied().zip(0..).collect(), k);
    set.sort_unstable();
    set
}

/// Counts, \[strata, features\], of rows' strata and firing sets.
pub(crate) fn counts<'a>(
    rows: impl Iterator<Item = (u16, &'a [u32])>,
    strata: usize,
    features: usize,
) -> Vec<u32> {
    let mut counts = vec![0; strata * features];
    for (stratum, set) in rows {
        for &atom in set {
            counts[usize::from(stratum) * features + atom as usize] += 1;
        }
    }
    counts
}
