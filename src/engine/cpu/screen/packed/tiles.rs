//! The product by AMX tiles: `tdpbf16ps`, 16 × 16 scores and 32 numbers an instruction.
//!
//! The intrinsics are not stable in Rust, so that these few instructions are written as assembly.
//! Their arithmetic (Intel's Software Developer's Manual, TDPBF16PS): within an instruction even
//! and odd numbers are summed apart by fused multiply-adds, both sums are added, and the result is
//! added to the accumulator; every step rounds to nearest even; subnormals count as zero, read or
//! written; the control register is not looked at.

use std::marker::PhantomData;
use std::sync::OnceLock;

use super::panels::{LINES, Line};

/// A proof that this process may use tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles(());

impl Tiles {
    /// Tiles, where the CPU has them and the system lends their registers.
    pub fn detect() -> Option<Self> {
        static FOUND: OnceLock<bool> = OnceLock::new();
        FOUND
            .get_or_init(|| has_tiles() && may_use_tiles())
            .then_some(Self(()))
    }

    /// Makes the tile registers this thread's, until the value is dropped.
    pub fn begin(self) -> TilesInUse {
        let Self(()) = self;
        let mut shape = Shape([0; 64]);
        shape.0[0] = 1;
        for tile in 0..8 {
            // Bytes a row, of which there are 16.
            shape.0[16 + 2 * tile] = 64;
            shape.0[48 + tile] = LINES as u8;
        }
        // SAFETY: the CPU has tiles and the system lends them (`self` is the proof); `shape`
        // is 64 bytes in palette 1's layout, with eight tiles of 16 rows of 64 bytes, its most.
        unsafe {
            std::arch::asm!("ldtilecfg [{}]", in(reg) &raw const shape, options(nostack, readonly));
        }
        TilesInUse(PhantomData)
    }
}

#[repr(C, align(64))]
struct Shape([u8; 64]);

/// This thread's tile registers, given back when this is dropped: it stays on its thread.
pub struct TilesInUse(PhantomData<*const ()>);

impl Drop for TilesInUse {
    fn drop(&mut self) {
        // SAFETY: tiles can be used, or there would be no such value.
        unsafe { std::arch::asm!("tilerelease", options(nostack, nomem)) };
    }
}

impl TilesInUse {
    /// Adds `chunks` chunks to the scores of two panels of features and two of rows:
    /// `scores[f * stride + r]`, or sets them where `first`.
    ///
    /// # Safety
    /// Each of the four pointers has `chunks ≥ 1` chunks behind it. `scores` has room for 32
    /// features, `stride` numbers apart, of 32 numbers each, that nothing else uses.
    #[allow(clippy::unused_self)] // It is the proof that there are tiles, set up.
    pub(super) unsafe fn block(
        &self,
        features: [*const Line; 2],
        rows: [*const Line; 2],
        chunks: usize,
        scores: *mut f32,
        stride: usize,
        first: bool,
    ) {
        let stride_bytes = stride * size_of::<f32>();
        // SAFETY: the tiles have the shape that `Tiles::begin` set, 16 rows of 64 bytes: a chunk
        // of a panel is 16 lines of 64 bytes, one after another; a tile of scores is 16 features
        // of 16 numbers, `stride` apart. The caller vouches for the memory behind the pointers.
        unsafe {
            std::arch::asm!(
                "test {first:e}, {first:e}",
                "jnz 3f",
                "tileloadd tmm0, [{c0} + {cs}]",
                "tileloadd tmm1, [{c0} + {cs} + 64]",
                "tileloadd tmm2, [{c1} + {cs}]",
                "tileloadd tmm3, [{c1} + {cs} + 64]",
                "jmp 2f",
                "3:",
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{f0} + {line}]",
                "tileloadd tmm6, [{r0} + {line}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{r1} + {line}]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{f1} + {line}]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {f0}, 1024",
                "add {f1}, 1024",
                "add {r0}, 1024",
                "add {r1}, 1024",
                "dec {n}",
                "jnz 2b",
                "tilestored [{c0} + {cs}], tmm0",
                "tilestored [{c0} + {cs} + 64], tmm1",
                "tilestored [{c1} + {cs}], tmm2",
                "tilestored [{c1} + {cs} + 64], tmm3",
                first = in(reg) u32::from(first),
                c0 = in(reg) scores,
                c1 = in(reg) scores.wrapping_add(LINES * stride),
                cs = in(reg) stride_bytes,
                line = in(reg) size_of::<Line>(),
                f0 = inout(reg) features[0] => _,
                f1 = inout(reg) features[1] => _,
                r0 = inout(reg) rows[0] => _,
                r1 = inout(reg) rows[1] => _,
                n = inout(reg) chunks => _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

/// Says whether the CPU has tiles of bfloat16.
fn has_tiles() -> bool {
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    let leaf = std::arch::x86_64::__cpuid_count(7, 0).edx;
    let highest = std::arch::x86_64::__cpuid(0).eax;
    highest >= 0x1d && leaf & (BF16 | TILE) == BF16 | TILE
}

/// Asks the system for the tile registers, which it lends to those who ask: to the whole process,
/// whose signal stacks must have room for them from then on.
#[cfg(target_os = "linux")]
fn may_use_tiles() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_ulong = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_ulong = 18;
    // SAFETY: this request touches no memory; a system that does not know it says so.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_arch_prctl,
            ARCH_REQ_XCOMP_PERM,
            XFEATURE_XTILEDATA,
        )
    };
    answer == 0
}

#[cfg(not(target_os = "linux"))]
fn may_use_tiles() -> bool {
    false
}
