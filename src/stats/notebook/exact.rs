//! Quotients of integers, rounded once.

/// Returns the binary64 number nearest to `numerator / denominator`, ties to even: the result of
/// Python's `/` for two `int`s, also if neither fits in binary64. Zero over anything is 0, even
/// over zero; anything else over zero is infinite.
pub fn ratio(numerator: u128, denominator: u128) -> f64 {
    if numerator == 0 {
        return 0.0;
    }
    if denominator == 0 {
        return f64::INFINITY;
    }
    // Align the leading bits: then 1/2 < n/d < 2, and the quotient is n/d · 2^exponent.
    let (n_zeros, d_zeros) = (numerator.leading_zeros(), denominator.leading_zeros());
    let mut exponent = d_zeros.cast_signed() - n_zeros.cast_signed();
    let (n, d) = (numerator << n_zeros, denominator << d_zeros);
    let mut remainder = if n >= d {
        n - d
    } else {
        exponent -= 1;
        n - (d - n)
    };
    // Long division: the leading 1, 52 bits behind it, and one that decides the rounding.
    // `remainder < d` throughout, so that doubling it is compared without overflow.
    let mut quotient = 1_u64;
    for _ in 0..53 {
        quotient <<= 1;
        if remainder >= d - remainder {
            remainder -= d - remainder;
            quotient |= 1;
        } else {
            remainder <<= 1;
        }
    }
    let half = quotient & 1 == 1;
    let mut significand = quotient >> 1;
    if half && (remainder != 0 || significand & 1 == 1) {
        significand += 1;
    }
    // Both factors and the product are exact: |exponent| < 128.
    significand as f64 * power_of_two(exponent - 52)
}

/// Returns 2^exponent, a normal number.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::ratio;
    use proptest::prelude::*;

    #[test]
    fn ratio_of_small_numbers_is_the_hardware_s() {
        for n in 0..200_u32 {
            for d in 1..200_u32 {
                assert_eq!(
                    ratio(n.into(), d.into()),
                    f64::from(n) / f64::from(d),
                    "{n}/{d}"
                );
            }
        }
    }

    #[test]
    fn ratio_rounds_ties_to_even_and_handles_extremes() {
        let odd = (1_u128 << 53) + 1;
        assert_eq!(ratio(odd, 1), 9_007_199_254_740_992.0);
        assert_eq!(ratio(odd + 2, 1), 9_007_199_254_740_996.0);
        // One more bit far below the tie decides it.
        assert_eq!(ratio((odd << 70) + 1, 1 << 70), 9_007_199_254_740_994.0);
        assert_eq!(ratio(u128::MAX, 1), 2_f64.powi(128));
        assert_eq!(ratio(1, u128::MAX), 2_f64.powi(-128));
        assert_eq!(ratio(u128::MAX, u128::MAX), 1.0);
        assert_eq!(ratio(0, 0), 0.0);
        assert_eq!(ratio(1, 0), f64::INFINITY);
    }

    /// Computes the nearest number in another way: from the remainders of the two neighbours'
    /// errors, with `n` and `d` scaled so that the quotient is a whole number of 54 bits or more.
    fn slow(n: u64, d: u64) -> f64 {
        let scaled = u128::from(n) << 64;
        let (whole, rest) = (scaled / u128::from(d), scaled % u128::from(d));
        // `as` rounds to nearest even. A rest can only break a tie upwards; the lowest bit stands
        // for it, since it is far below the half of a number of 70 bits or more.
        (whole | u128::from(rest != 0)) as f64 * 2_f64.powi(-64)
    }

    proptest! {
        #[test]
        fn ratio_of_binary64_numbers_is_the_hardware_s(n in 0_u64..1 << 53, d in 1_u64..1 << 53) {
            prop_assert_eq!(ratio(n.into(), d.into()), n as f64 / d as f64);
        }

        #[test]
        fn ratio_of_wider_numbers_rounds_once(n in 1_u64.., d in 1_u64..1 << 58, shift in 0_u32..64) {
            let n = n | 1 << 63;
            prop_assert_eq!(ratio(n.into(), d.into()), slow(n, d));
            // Scaling both sides by a power of two changes nothing.
            prop_assert_eq!(ratio(u128::from(n) << shift, u128::from(d) << shift), slow(n, d));
        }
    }
}
