//! Control of the false discovery rate.

/// Computes Benjamini and Hochberg's adjusted p-values (J. R. Statist. Soc. B 57, 1995), in the
/// order of the input: `min over j ≥ i of p₍ⱼ₎ / (j/n)`, at most 1.
///
/// The arithmetic is that of statsmodels' `multipletests(method="fdr_bh")`, which divides by the
/// rounded quotient `j/n` rather than multiply by `n/j`. Equal p-values get equal results in any
/// order.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let n = p.len() as f64;
    let mut adjusted = vec![0.0; p.len()];
    let mut least = f64::INFINITY;
    for (rank, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] / ((rank + 1) as f64 / n));
        adjusted[i] = least.min(1.0);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::benjamini_hochberg;

    #[test]
    fn benjamini_hochberg_handles_none_and_one() {
        assert!(benjamini_hochberg(&[]).is_empty());
        assert_eq!(benjamini_hochberg(&[0.25]), [0.25]);
    }

    #[test]
    fn benjamini_hochberg_takes_the_minimum_from_the_right() {
        assert_eq!(
            benjamini_hochberg(&[0.5, 0.02, 0.5, 0.03]),
            [0.5, 0.06, 0.5, 0.06]
        );
    }
}
