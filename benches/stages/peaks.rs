//! The most that one thread of this CPU multiplies and adds: on registers alone, without
//! memory. A product's rate is set against it.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

#[cfg(target_arch = "x86_64")]
use atomscope::engine::Tiles;

/// Instructions that multiply and add, as products use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MultiplyAdd {
    /// bfloat16 by AMX tiles, added up in binary32.
    Tiles,
    /// bfloat16 by AVX512-BF16, added up in binary32.
    Bfloat16Vectors,
    /// Binary32 by AVX-512, fused.
    Avx512,
    /// Binary32 by AVX2, fused.
    Avx2,
    /// Binary32 by what every machine of this target has: fused where that has it.
    Portable,
}

/// A measurement is long enough for the clock, and shorter than a turn that a busy system gives.
const SECONDS: f64 = 0.001;
/// The best of so many counts: what else the machine does can only slow one down.
const MEASUREMENTS: usize = 100;

impl MultiplyAdd {
    /// All of them: bfloat16 first, then binary32, the faster ones before the slower.
    pub(crate) const ALL: [Self; 5] = [
        Self::Tiles,
        Self::Bfloat16Vectors,
        Self::Avx512,
        Self::Avx2,
        Self::Portable,
    ];

    /// Operations a second of one thread, two to a multiply-add; `None` where this CPU does
    /// not have the instructions. Takes some tenths of a second.
    pub(crate) fn operations_per_second(self) -> Option<f64> {
        let mut best = 0.0f64;
        let mut turns = 1 << 10;
        for _ in 0..MEASUREMENTS {
            best = best.max(loop {
                let began = Instant::now();
                let operations = self.run(turns)?;
                let seconds = began.elapsed().as_secs_f64();
                if seconds >= SECONDS {
                    break operations as f64 / seconds;
                }
                turns *= 2;
            });
        }
        Some(best)
    }

    /// Multiplies and adds so many times over; says how many operations that was.
    fn run(self, turns: u64) -> Option<u64> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Tiles => Tiles::detect().map(|tiles| x86::tiles(&tiles.begin(), turns)),
            #[cfg(target_arch = "x86_64")]
            Self::Bfloat16Vectors => (is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bf16"))
            .then(|| {
                // SAFETY: the features are those that were just found.
                unsafe { x86::bfloat16_vectors(turns) }
            }),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f").then(|| {
                // SAFETY: the feature is the one that was just found.
                unsafe { x86::avx512(turns) }
            }),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"))
                .then(|| {
                    // SAFETY: the features are those that were just found.
                    unsafe { x86::avx2(turns) }
                }),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Tiles | Self::Bfloat16Vectors | Self::Avx512 | Self::Avx2 => None,
            Self::Portable => Some(portable(turns)),
        }
    }
}

impl fmt::Display for MultiplyAdd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tiles => "bfloat16 by AMX tiles",
            Self::Bfloat16Vectors => "bfloat16 by AVX512-BF16",
            Self::Avx512 => "binary32 by AVX-512",
            Self::Avx2 => "binary32 by AVX2",
            Self::Portable => "binary32, portable",
        })
    }
}

/// Twelve vectors of four numbers, or twice as many where the target has twice the registers.
fn portable(turns: u64) -> u64 {
    const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    const SUMS: usize = if cfg!(target_arch = "aarch64") {
        24
    } else {
        12
    };
    const LANES: usize = 4;
    let factor = black_box([1.0f32; LANES]);
    let mut sums = black_box([[0.0f32; LANES]; SUMS]);
    for _ in 0..turns {
        for sum in &mut sums {
            for (sum, factor) in sum.iter_mut().zip(factor) {
                // The sum is multiplied: a product of what does not change would be computed once.
                *sum = if FUSED {
                    sum.mul_add(factor, factor)
                } else {
                    *sum * factor + factor
                };
            }
        }
    }
    black_box(sums);
    turns * (2 * SUMS * LANES) as u64
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_fmadd_ps, _mm256_set1_ps, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_fmadd_ps,
        _mm512_set1_ps,
    };
    use std::hint::black_box;

    use atomscope::engine::TilesInUse;

    /// Sums that are under way at once: latency times rate of any of these instructions is less,
    /// and with what they add there are registers for all.
    const SUMS: usize = 12;
    /// The same of tiles, of which there are eight.
    const TILE_SUMS: usize = 6;
    /// Multiply-adds of an instruction on tiles: 16 × 16 sums of 32 products.
    const IN_A_TILE: usize = 16 * 16 * 32;

    #[repr(C, align(64))]
    struct Line([u16; 32]);

    /// One loop of independent sums, which start as values that the compiler does not know: it
    /// would find that they are all the same.
    macro_rules! multiply_add {
        ($name:ident, $features:literal, $multiply_adds:literal, $zero:expr, $factor:expr, $step:ident) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name(turns: u64) -> u64 {
                let factor = black_box($factor);
                let mut sums = black_box([$zero; SUMS]);
                for _ in 0..turns {
                    for sum in &mut sums {
                        *sum = $step!(*sum, factor);
                    }
                }
                black_box(sums);
                turns * (2 * SUMS * $multiply_adds) as u64
            }
        };
    }

    macro_rules! avx2 {
        ($sum:expr, $factor:expr) => {
            _mm256_fmadd_ps($factor, $factor, $sum)
        };
    }

    macro_rules! avx512 {
        ($sum:expr, $factor:expr) => {
            _mm512_fmadd_ps($factor, $factor, $sum)
        };
    }

    macro_rules! bfloat16 {
        ($sum:expr, $factor:expr) => {
            _mm512_dpbf16_ps($sum, $factor, $factor)
        };
    }

    multiply_add! {
        avx2, "avx2,fma", 8, _mm256_set1_ps(0.0), _mm256_set1_ps(1.0), avx2
    }
    multiply_add! {
        avx512, "avx512f", 16, _mm512_set1_ps(0.0), _mm512_set1_ps(1.0), avx512
    }
    multiply_add! {
        bfloat16_vectors, "avx512f,avx512bf16", 32, _mm512_set1_ps(0.0),
        _mm512_cvtne2ps_pbh(_mm512_set1_ps(1.0), _mm512_set1_ps(1.0)), bfloat16
    }

    /// Six tiles of sums and two of ones.
    pub(super) fn tiles(_: &TilesInUse, turns: u64) -> u64 {
        let ones = Line([0x3f80u16; 32]);
        // SAFETY: there are tiles, 16 rows of 64 bytes each, and they are this thread's: the argument
        // is the proof. All rows of a tile of ones are the one line, 64 bytes, since their stride is
        // zero; the loop touches no memory and runs `turns.max(1)` times.
        unsafe {
            std::arch::asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "tilezero tmm4",
                "tilezero tmm5",
                "tileloadd tmm6, [{ones} + {stride}]",
                "tileloadd tmm7, [{ones} + {stride}]",
                "2:",
                "tdpbf16ps tmm0, tmm6, tmm7",
                "tdpbf16ps tmm1, tmm6, tmm7",
                "tdpbf16ps tmm2, tmm6, tmm7",
                "tdpbf16ps tmm3, tmm6, tmm7",
                "tdpbf16ps tmm4, tmm6, tmm7",
                "tdpbf16ps tmm5, tmm6, tmm7",
                "dec {turns}",
                "jnz 2b",
                ones = in(reg) &raw const ones,
                stride = in(reg) 0usize,
                turns = inout(reg) turns.max(1) => _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly),
            );
        }
        turns.max(1) * (2 * TILE_SUMS * IN_A_TILE) as u64
    }
}

// The benchmark has no test harness: tests/engine runs these.
#[cfg(test)]
#[allow(unused_imports)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_here_runs() {
        // Instructions that are not here would end the process.
        for instructions in MultiplyAdd::ALL {
            if let Some(operations) = instructions.run(3) {
                assert!(operations > 0 && operations % 3 == 0, "{instructions}");
            }
        }
    }

    #[test]
    fn what_this_machine_has_is_measured() {
        for instructions in MultiplyAdd::ALL {
            // From a slow processor that others use too to more than any thread does.
            if let Some(rate) = instructions.operations_per_second() {
                assert!(rate > 1e8 && rate < 1e14, "{instructions}: {rate}");
            }
        }
        assert!(MultiplyAdd::Portable.operations_per_second().is_some());
    }
}
