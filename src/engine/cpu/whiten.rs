//! Whitening, with what the bound needs to know of a row.

use crate::engine::simd::{Simd, for_each_simd};
use crate::rows::ElementType;

/// The facts that whitening learns of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RowFacts {
    /// `true` if every whitened number is finite.
    pub(super) finite: bool,
    /// The largest magnitude.
    pub(super) largest: f32,
    /// The sum of squares, in binary64.
    pub(super) squares: f64,
}

const LANES: usize = 16;

/// Widens a row's stored numbers to binary32 and whitens them, `(e − mean) / divisor`, each step
/// rounded to binary32: one pass, so that a narrow number is widened in a register. `stored` holds
/// numbers of type `element` in the machine's byte order, wherever it begins.
pub(super) fn whiten_row(
    simd: Simd,
    stored: &[u8],
    element: ElementType,
    mean: &[f32],
    divisor: &[f32],
    out: &mut [f32],
) {
    match element {
        ElementType::F16 => whiten_f16(simd, stored.as_chunks().0, mean, divisor, out),
        ElementType::Bf16 => whiten_bf16(simd, stored.as_chunks().0, mean, divisor, out),
        ElementType::F32 => whiten_f32(simd, stored.as_chunks().0, mean, divisor, out),
        ElementType::F64 => whiten_f64(simd, stored.as_chunks().0, mean, divisor, out),
    }
}

/// One pass for each element type, with what widens its bytes.
macro_rules! whiten {
    ($($name:ident: [u8; $bytes:literal] => $widen:expr;)*) => {$(
        for_each_simd! {
            fn $name(
                stored: &[[u8; $bytes]],
                mean: &[f32],
                divisor: &[f32],
                out: &mut [f32],
            ) {
                let whitening = mean.iter().zip(divisor);
                for ((out, stored), (mean, divisor)) in out.iter_mut().zip(stored).zip(whitening) {
                    *out = ($widen(*stored) - mean) / divisor;
                }
            }
        }
    )*};
}

whiten! {
    whiten_f16: [u8; 2] => |bytes| widened_half(u16::from_ne_bytes(bytes));
    whiten_bf16: [u8; 2] => |bytes| f32::from_bits(u32::from(u16::from_ne_bytes(bytes)) << 16);
    whiten_f32: [u8; 4] => f32::from_ne_bytes;
    whiten_f64: [u8; 8] => |bytes| f64::from_ne_bytes(bytes) as f32;
}

/// A binary16 number as binary32, exactly, by operations that vectorise: exponent and mantissa
/// move into place as those of a number 2¹¹² times smaller, subnormal ones too. Infinities and
/// NaN, which this makes 65536 or more, are recognised by that.
#[allow(clippy::inline_always)]
#[inline(always)]
fn widened_half(bits: u16) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits((127 + 112) << 23);
    let magnitude = f32::from_bits(u32::from(bits & 0x7fff) << 13) * TWO_TO_112;
    let no_number = u32::from(magnitude >= 65536.0) * 0x7f80_0000;
    f32::from_bits(magnitude.to_bits() | no_number | (u32::from(bits & 0x8000) << 16))
}

for_each_simd! {
    /// Magnitude and squares of a vector, NaN and infinities noticed.
    pub(super) fn row_facts(row: &[f32]) -> RowFacts {
        let mut largest = [0.0f32; LANES];
        let mut squares = [0.0f64; LANES];
        let mut finite = [true; LANES];
        let (chunks, tail) = row.as_chunks::<LANES>();
        for chunk in chunks {
            for l in 0..LANES {
                let size = chunk[l].abs();
                finite[l] &= size <= f32::MAX;
                largest[l] = if size > largest[l] { size } else { largest[l] };
                squares[l] += f64::from(size) * f64::from(size);
            }
        }
        let mut facts = RowFacts { finite: true, largest: 0.0, squares: 0.0 };
        for l in 0..LANES {
            facts.finite &= finite[l];
            facts.largest = facts.largest.max(largest[l]);
            facts.squares += squares[l];
        }
        for x in tail {
            facts.finite &= x.is_finite();
            facts.largest = facts.largest.max(x.abs());
            facts.squares += f64::from(*x) * f64::from(*x);
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::{bf16, f16};

    /// Whitens `stored`, which begins at an odd address, 1 and 0 being mean and divisor where
    /// `plain`.
    fn whitened(simd: Simd, element: ElementType, stored: &[u8], plain: bool) -> Vec<f32> {
        let n = stored.len() / element.bytes();
        let (mean, divisor) = if plain {
            (vec![0.0; n], vec![1.0; n])
        } else {
            (vec![0.1; n], vec![0.3f32 + 1e-6; n])
        };
        let mut bytes = vec![0xa5u8];
        bytes.extend(stored);
        let mut out = vec![7.0; n];
        whiten_row(simd, &bytes[1..], element, &mean, &divisor, &mut out);
        out
    }

    #[test]
    fn whitening_rounds_as_torch_does() {
        // (1 − 0.1) / (0.3 + 1e-6), each step in binary32.
        let expected = ((1.0f32 - 0.1) / (0.3f32 + 1e-6)).to_bits();
        for simd in Simd::all() {
            for (element, one) in [
                (ElementType::F16, f16::ONE.to_ne_bytes().to_vec()),
                (ElementType::Bf16, bf16::ONE.to_ne_bytes().to_vec()),
                (ElementType::F32, 1.0f32.to_ne_bytes().to_vec()),
                (ElementType::F64, 1.0f64.to_ne_bytes().to_vec()),
            ] {
                let out = whitened(simd, element, &one.repeat(37), false);
                assert!(out.iter().all(|x| x.to_bits() == expected), "{element:?}");
            }
        }
    }

    #[test]
    fn every_number_of_16_bits_is_widened_exactly() {
        let all: Vec<u16> = (0..=u16::MAX).collect();
        let stored: &[u8] = bytemuck::cast_slice(&all);
        let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        for simd in Simd::all() {
            let halves = whitened(simd, ElementType::F16, stored, true);
            let brains = whitened(simd, ElementType::Bf16, stored, true);
            for (&bits, (half, brain)) in all.iter().zip(halves.into_iter().zip(brains)) {
                // Subtracting +0 leaves every number as it is.
                assert!(same(half, f16::from_bits(bits).to_f32()), "{simd} {bits:x}");
                assert!(
                    same(brain, bf16::from_bits(bits).to_f32()),
                    "{simd} {bits:x}"
                );
            }
        }
    }

    #[test]
    fn facts_see_every_position() {
        for simd in Simd::all() {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in 0..35 {
                    let mut row = vec![1.0f32; 35];
                    row[at] = bad;
                    assert!(!row_facts(simd, &row).finite, "{simd} {bad} at {at}");
                    row[at] = -3.0;
                    let facts = row_facts(simd, &row);
                    assert_eq!(
                        facts,
                        RowFacts {
                            finite: true,
                            largest: 3.0,
                            squares: 43.0
                        }
                    );
                }
            }
        }
    }
}
