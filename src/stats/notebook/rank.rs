//! The largest and the smallest items of a table, with ties in its own order.

use std::cmp::Ordering;

/// Returns at most `n` items with the largest keys, largest first; equal keys in the order of the
/// items, as pandas' `nlargest`. NaN ranks last.
pub fn largest<T: Copy>(items: &[T], n: usize, key: impl Fn(&T) -> f64) -> Vec<T> {
    first(items, n, |a, b| descending(key(a), key(b)))
}

/// Returns at most `n` items with the smallest keys, smallest first; equal keys in the order of the
/// items, as pandas' `nsmallest`. NaN ranks last.
pub fn smallest<T: Copy>(items: &[T], n: usize, key: impl Fn(&T) -> f64) -> Vec<T> {
    first(items, n, |a, b| ascending(key(a), key(b)))
}

fn first<T: Copy>(items: &[T], n: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut order_of: Vec<usize> = (0..items.len()).collect();
    // The index makes the order total, so that an unstable selection is as good as a stable one.
    let compare = |&i: &usize, &j: &usize| order(&items[i], &items[j]).then(i.cmp(&j));
    if n < items.len() {
        order_of.select_nth_unstable_by(n, compare);
        order_of.truncate(n);
    }
    order_of.sort_unstable_by(compare);
    order_of.into_iter().map(|i| items[i]).collect()
}

fn ascending(a: f64, b: f64) -> Ordering {
    a.is_nan()
        .cmp(&b.is_nan())
        .then(a.partial_cmp(&b).unwrap_or(Ordering::Equal))
}

fn descending(a: f64, b: f64) -> Ordering {
    a.is_nan()
        .cmp(&b.is_nan())
        .then(b.partial_cmp(&a).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::{largest, smallest};
    use proptest::prelude::*;

    #[test]
    fn rank_puts_nan_last_either_way() {
        let values = [2.0, f64::NAN, 3.0, 1.0];
        let index = [0, 1, 2, 3];
        assert_eq!(largest(&index, 9, |&i| values[i]), [2, 0, 3, 1]);
        assert_eq!(smallest(&index, 9, |&i| values[i]), [3, 0, 2, 1]);
        assert_eq!(smallest(&index, 0, |&i| values[i]), [0; 0]);
    }

    proptest! {
        #[test]
        fn rank_matches_a_stable_sort(keys in prop::collection::vec(0_u8..6, 0..40), n in 0_usize..50) {
            let items: Vec<(usize, u8)> = keys.into_iter().enumerate().collect();
            let mut up = items.clone();
            up.sort_by_key(|item| item.1);
            up.truncate(n);
            prop_assert_eq!(smallest(&items, n, |item| item.1.into()), up);
            let mut down = items.clone();
            down.sort_by_key(|item| std::cmp::Reverse(item.1));
            down.truncate(n);
            prop_assert_eq!(largest(&items, n, |item| item.1.into()), down);
        }
    }
}
