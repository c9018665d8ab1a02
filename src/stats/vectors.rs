//! The widest vector instructions of this machine, for plain Rust and for lanes alike.
//!
//! Floating point is IEEE in all of them, and never contracted or reassociated, so that results have
//! the same bits whichever are used.

use pulp::{Arch, Simd, WithSimd};

/// Runs an operation that is compiled for AVX-512, for AVX2 and for what the target guarantees, by the
/// best of these that this machine has. What it calls is compiled alike only where it is inlined.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(crate) fn dispatch<O: WithSimd>(operation: O) -> O::Output {
    let arch = Arch::new();
    // The best of those that other crates asked for may leave out AVX2.
    #[cfg(target_arch = "x86_64")]
    if let (Arch::Scalar, Some(simd)) = (arch, pulp::x86::V3::try_new()) {
        return Simd::vectorize(simd, operation);
    }
    arch.dispatch(operation)
}
