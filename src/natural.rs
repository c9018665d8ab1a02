//! Natural order of names: `shard_2` before `shard_10`.

use std::cmp::Ordering;

/// Compares names run by run: digits by their number, all else by bytes. Names that differ only in
/// leading zeros are compared as text, so only equal names are equal.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (x, y) = match (left.first(), right.first()) {
            (Some(x), Some(y)) => (x, y),
            (x, y) => return x.is_some().cmp(&y.is_some()).then_with(|| a.cmp(b)),
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (take_number(&mut left), take_number(&mut right));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes a run of digits off the front. Returns its digits without leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|c| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

/// Sorts paths by their names.
pub(crate) fn sort_paths(paths: &mut [std::path::PathBuf]) {
    let name = |path: &std::path::Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    paths.sort_by(|a, b| compare(&name(a), &name(b)));
}

#[cfg(test)]
mod tests {
    use super::compare;
    use proptest::prelude::*;

    #[test]
    fn compare_orders_digits_by_number() {
        let mut names = [
            "s10.pt",
            "s9.pt",
            "s1.pt",
            "s010.pt",
            "s.pt",
            "t",
            "s1b",
            "s1a2",
            "s1a10",
            "",
            "s99999999999999999999999",
            "s99999999999999999999998",
        ];
        names.sort_by(|a, b| compare(a, b));
        let expected = [
            "",
            "s.pt",
            "s1.pt",
            "s1a2",
            "s1a10",
            "s1b",
            "s9.pt",
            "s010.pt",
            "s10.pt",
            "s99999999999999999999998",
            "s99999999999999999999999",
            "t",
        ];
        assert_eq!(names, expected);
    }

    proptest! {
        #[test]
        fn compare_is_a_total_order(a in "[ab01é]{0,6}", b in "[ab01é]{0,6}", c in "[ab01é]{0,6}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
