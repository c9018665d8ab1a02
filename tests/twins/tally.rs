//! Firing sets and counts by sorting.

/// The best `k` of scores: the greater first, of equal ones the lower atom first.
fn best(mut scored: Vec<(f64, u32)>, k: usize) -> Vec<u32> {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored[..k].iter().map(|&(_, atom)| atom).collect()
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
