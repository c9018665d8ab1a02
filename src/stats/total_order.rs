//! Numbers as bits that ascend as they do, in the order of [`f64::total_cmp`]: integers sort faster.

const SIGN: u64 = 1 << 63;

/// Returns bits that ascend as numbers do.
pub(crate) fn ascending_bits(number: f64) -> u64 {
    let bits = number.to_bits();
    bits ^ if bits & SIGN == 0 { SIGN } else { u64::MAX }
}

/// Returns the number that has these ascending bits.
pub(crate) fn of_ascending_bits(bits: u64) -> f64 {
    f64::from_bits(bits ^ if bits & SIGN == 0 { u64::MAX } else { SIGN })
}

#[cfg(test)]
mod tests {
    use super::{ascending_bits, of_ascending_bits};

    #[test]
    fn bits_ascend_as_numbers_do_and_give_them_back() {
        let ascending = [
            f64::NEG_INFINITY,
            -2.0,
            -1e-300,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::INFINITY,
        ];
        let bits = ascending.map(ascending_bits);
        assert!(bits.is_sorted_by(|a, b| a < b));
        let back = bits.map(|bits| of_ascending_bits(bits).to_bits());
        assert_eq!(back, ascending.map(f64::to_bits));
    }
}
