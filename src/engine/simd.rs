//! The vector instructions that this machine has, found once, and one algorithm compiled for each.
//!
//! Every function made by `for_each_simd!` has one body in plain Rust. The body is compiled
//! three times (AVX-512, AVX2, whatever the target guarantees) and the compiler vectorises it;
//! Rust's floating point is IEEE and never contracted or reassociated, so that all three give
//! the same bytes by construction. Screens are not: their products are another crate's, or written
//! for one kind of instruction, and what they compute is only relied on within its bound.

use std::fmt;

/// Vector instructions that this machine is known to have. A value can only be had from
/// [`Simd::detect`] or [`Simd::named`], so that holding one proves that its code may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simd(pub(crate) Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    /// The names that [`Simd::named`] knows, best first.
    pub const NAMES: [&'static str; 3] = ["avx512", "avx2", "portable"];

    /// The best instructions that this machine has.
    pub fn detect() -> Self {
        Self::NAMES
            .iter()
            .find_map(|name| Self::named(name))
            .unwrap_or(Self(Level::Portable))
    }

    /// The instructions of this name, if this machine has them.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self(Level::Portable)),
            #[cfg(target_arch = "x86_64")]
            "avx2" => has_avx2().then_some(Self(Level::Avx2)),
            #[cfg(target_arch = "x86_64")]
            "avx512" => has_avx512().then_some(Self(Level::Avx512)),
            _ => None,
        }
    }

    /// All that this machine has, best first: for tests that run every path.
    pub fn all() -> Vec<Self> {
        Self::NAMES
            .iter()
            .filter_map(|name| Self::named(name))
            .collect()
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

impl fmt::Display for Simd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        })
    }
}

/// Asks for numbers that are soon needed, where the CPU can be asked.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(crate) fn prefetch(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(64 / size_of::<f32>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing; every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// Compiles one function body for every instruction set, and picks by the [`Simd`] in front.
macro_rules! for_each_simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        // `unwrap`-free and panic-free bodies take many slices; a struct would hide the loop.
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(simd: crate::engine::simd::Simd, $($arg: $ty),*) $(-> $ret)? {
            #[allow(clippy::inline_always, clippy::too_many_arguments)]
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[allow(clippy::too_many_arguments)]
            #[target_feature(enable = "avx2")]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[allow(clippy::too_many_arguments)]
            #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            match simd.0 {
                crate::engine::simd::Level::Portable => body($($arg),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Simd` of this level exists only where detection found its features.
                crate::engine::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                crate::engine::simd::Level::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(crate) use for_each_simd;
