//! Numbers as people read them: three significant digits, however small.

use crate::cohort::Label;
use crate::stats::evidence::summary::{Claim, Procedure, Ratio};

/// The number of atoms of a list that are named.
const FIRST: usize = 6;

/// A number to three significant digits; those of a large one stay.
pub(in crate::report) fn figure(x: f64) -> String {
    let scientific = format!("{x:.2e}");
    let exponent = scientific
        .split_once('e')
        .map_or("", |(_, exponent)| exponent);
    match exponent.parse::<i32>() {
        Ok(_) if x == 0.0 => "0".to_owned(),
        Ok(exponent) if exponent < -4 => scientific,
        Ok(exponent) => {
            let decimals = usize::try_from(2 - exponent).unwrap_or(0);
            format!("{x:.decimals$}")
        }
        // Infinite, or not a number.
        Err(_) => scientific.replace("inf", "infinite"),
    }
}

/// The same with its sign.
pub(super) fn signed(x: f64) -> String {
    let sign = if x > 0.0 { "+" } else { "" };
    format!("{sign}{}", figure(x))
}

/// A p-value by −log₁₀ p, however small it is.
pub(in crate::report) fn p_text(neg_log10: f64) -> String {
    if neg_log10 == f64::INFINITY {
        return "p < 1e-300".to_owned();
    }
    if neg_log10 < 3.0 {
        return format!("p = {}", figure(libm::pow(10.0, -neg_log10)));
    }
    // p = mantissa·10^-exponent with a mantissa of 1 to 10, which rounding may lift to 10.
    let exponent = neg_log10.ceil();
    let mantissa = libm::pow(10.0, exponent - neg_log10);
    let (mantissa, exponent) = if mantissa >= 9.995 {
        (1.0, exponent - 1.0)
    } else {
        (mantissa, exponent)
    };
    format!("p = {mantissa:.2}e-{exponent:.0}")
}

/// A ratio with its interval.
pub(super) fn ratio(ratio: &Ratio) -> String {
    format!(
        "{} ({})",
        figure(ratio.value),
        interval([ratio.low, ratio.high])
    )
}

/// A 95 % interval.
pub(super) fn interval([low, high]: [f64; 2]) -> String {
    format!("95 % {} to {}", figure(low), figure(high))
}

/// A share in percent.
pub(in crate::report) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 0.1 {
        format!("{} %", figure(percent))
    } else {
        format!("{percent:.1} %")
    }
}

/// "1 atom", "2 atoms".
pub(super) fn many(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Says how many atoms are claimed, and how many that is if near-duplicates count once.
pub(super) fn claimed(claim: &Claim) -> String {
    let atoms = many(claim.atoms, "atom");
    match claim.distinct {
        Some(distinct) if distinct < claim.atoms => {
            format!("{atoms} ({distinct} if near-duplicates count once)")
        }
        _ => atoms,
    }
}

/// A subject with its verb.
pub(super) fn verb(subject: &str, count: usize, one: &str, several: &str) -> String {
    format!("{subject} {}", if count == 1 { one } else { several })
}

/// A procedure within strata, in a word.
pub(in crate::report) fn claimed_by(procedure: Procedure) -> &'static str {
    match procedure {
        Procedure::MaxT => "max-T",
        Procedure::Holm => "Holm",
        Procedure::BenjaminiYekutieli => "Benjamini-Yekutieli",
        Procedure::BenjaminiHochberg => "Benjamini-Hochberg",
        Procedure::Storey { .. } => "Storey",
        Procedure::Replicated => "replication",
    }
}

/// "true" or "false".
pub(super) fn label(label: Label) -> &'static str {
    match label {
        Label::Tp => "true",
        Label::Fp => "false",
    }
}

/// The first few of some atoms, and how many more there are.
pub(super) fn first(atoms: &[u32]) -> String {
    match atoms.len().saturating_sub(FIRST) {
        0 | 1 => list(atoms),
        more => {
            let atoms = atoms[..FIRST].iter().map(u32::to_string);
            let mut texts: Vec<String> = atoms.collect();
            texts.push(format!("{more} more"));
            list(&texts)
        }
    }
}

/// "a", "a and b", "a, b and c".
pub(super) fn list<T: ToString>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    match texts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{figure, first, list, p_text, percent, signed};

    #[test]
    fn figure_has_three_significant_digits() {
        let cases = [
            (0.0, "0"),
            (0.045_67, "0.0457"),
            (0.099_96, "0.100"),
            (0.000_123_4, "0.000123"),
            (0.000_012_34, "1.23e-5"),
            (-0.045_67, "-0.0457"),
            (0.361_4, "0.361"),
            (0.999_6, "1.00"),
            (2.741, "2.74"),
            (19.599, "19.6"),
            (99.96, "100"),
            (1234.5, "1234"),
            (f64::INFINITY, "infinite"),
        ];
        for (x, text) in cases {
            assert_eq!(figure(x), text, "{x}");
        }
        assert_eq!(
            (signed(0.009_123), signed(-0.5)),
            ("+0.00912".into(), "-0.500".into())
        );
    }

    #[test]
    fn p_value_is_never_printed_as_zero() {
        let cases = [
            (0.0, "p = 1.00"),
            (1.301_03, "p = 0.0500"),
            (2.999, "p = 0.00100"),
            (3.0, "p = 1.00e-3"),
            (1_176.356_5, "p = 4.40e-1177"),
            (1_000_000.000_5, "p = 9.99e-1000001"),
            (400.000_1, "p = 1.00e-400"),
            (f64::INFINITY, "p < 1e-300"),
        ];
        for (neg_log10, text) in cases {
            assert_eq!(p_text(neg_log10), text, "{neg_log10}");
        }
    }

    #[test]
    fn shares_and_lists_read_as_sentences() {
        assert_eq!(percent(0.149_6), "15.0 %");
        assert_eq!(percent(0.000_123), "0.0123 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&[7]), "7");
        assert_eq!(first(&[9, 8, 7, 6, 5, 4, 3]), "9, 8, 7, 6, 5, 4 and 3");
        assert_eq!(
            first(&[9, 8, 7, 6, 5, 4, 3, 2]),
            "9, 8, 7, 6, 5, 4 and 2 more"
        );
    }
}
