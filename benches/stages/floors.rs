//! What one thread of this machine can do at most.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use atomscope::engine::CpuScreen;

use crate::peaks::MultiplyAdd;

/// Of each of two arrays that both fit an L2 cache.
const SMALL: usize = 256 << 10;
/// Of each of two arrays that together are larger than the caches that a thread sees.
const LARGE: usize = 512 << 20;
/// Bytes of a measurement: about a millisecond, which a busy system seldom interrupts.
const PIECE: usize = 16 << 20;
/// An array is copied so many times.
const COPIES: usize = 3;

/// Measured when the benchmark starts.
pub(crate) struct Floors {
    peaks: Vec<(MultiplyAdd, f64)>,
    pub(crate) copy_in_cache: Rate,
    pub(crate) copy_in_memory: Rate,
}

/// What a stage is set against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Operations or bytes.
    pub(crate) per_second: f64,
    pub(crate) unit: &'static str,
    /// The measurement, in words.
    pub(crate) of: &'static str,
}

impl Floors {
    pub(crate) fn measure() -> Self {
        let peaks = MultiplyAdd::ALL
            .into_iter()
            .filter_map(|m| Some((m, m.operations_per_second()?)))
            .collect();
        let copy = |bytes, of| Rate {
            per_second: copied_per_second(bytes),
            unit: "GB/s",
            of,
        };
        Self {
            peaks,
            copy_in_cache: copy(SMALL, "copy in L2"),
            copy_in_memory: copy(LARGE, "copy in memory"),
        }
    }

    /// The peak of the instructions by which a screen's product is computed. Plain loops, which
    /// multiply and add apart, reach half of it at most.
    pub(crate) fn product(&self, screen: CpuScreen) -> Rate {
        match screen {
            CpuScreen::Bfloat16Tiles => self.peak(MultiplyAdd::Tiles, "peak of tiles"),
            CpuScreen::Bfloat16Vectors => self.peak(MultiplyAdd::Bfloat16Vectors, "peak, bfloat16"),
            _ => self.binary32(),
        }
    }

    /// The peak of the best instructions for binary32.
    pub(crate) fn binary32(&self) -> Rate {
        let best = [MultiplyAdd::Avx512, MultiplyAdd::Avx2]
            .into_iter()
            .find(|best| self.peaks.iter().any(|(m, _)| m == best));
        self.peak(best.unwrap_or(MultiplyAdd::Portable), "peak, binary32")
    }

    /// Half of binary32's: as many instructions, with half of the numbers each.
    pub(crate) fn binary64(&self) -> Rate {
        let binary32 = self.binary32();
        Rate {
            per_second: binary32.per_second / 2.0,
            of: "half of binary32's peak",
            ..binary32
        }
    }

    fn peak(&self, instructions: MultiplyAdd, of: &'static str) -> Rate {
        let found = self.peaks.iter().find(|(m, _)| *m == instructions);
        Rate {
            per_second: found.map_or(f64::NAN, |(_, rate)| *rate),
            unit: "GFLOP/s",
            of,
        }
    }
}

impl fmt::Display for Floors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "One thread of this machine, at most:")?;
        for instructions in MultiplyAdd::ALL {
            let name = instructions.to_string();
            match self.peaks.iter().find(|(m, _)| *m == instructions) {
                Some((_, rate)) => writeln!(f, "  {name:<36}{:>8.1} GFLOP/s", 1e-9 * rate)?,
                None => writeln!(f, "  {name:<36}not on this machine")?,
            }
        }
        for (copy, bytes) in [(self.copy_in_cache, SMALL), (self.copy_in_memory, LARGE)] {
            let size = format!("{}, 2 x {} KiB", copy.of, bytes >> 10);
            let rate = 1e-9 * copy.per_second;
            writeln!(f, "  {size:<36}{rate:>8.1} GB/s, read and written")?;
        }
        Ok(())
    }
}

/// Bytes a second, read and written, of the fastest piece of copies of an array of so many.
fn copied_per_second(bytes: usize) -> f64 {
    let from = vec![1u8; bytes];
    let mut to = vec![0u8; bytes];
    let piece = PIECE.min(bytes);
    let times = PIECE / piece;
    let mut best = 0.0f64;
    for _ in 0..COPIES {
        for (to, from) in to.chunks_exact_mut(piece).zip(from.chunks_exact(piece)) {
            let began = Instant::now();
            for _ in 0..times {
                to.copy_from_slice(black_box(from));
                black_box(&mut *to);
            }
            best = best.max((2 * piece * times) as f64 / began.elapsed().as_secs_f64());
        }
    }
    assert!(from == to);
    best
}
