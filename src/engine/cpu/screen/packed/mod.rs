//! Products in bfloat16, on operands that are packed for them: the model's once a run. Half the
//! bytes, and where the CPU has instructions for it twice to sixteen times the rate of
//! binary32; what this leaves open is resolved by the layers behind the screen.

mod panels;
mod plain;
#[cfg(test)]
mod sums_tests;
#[cfg(target_arch = "x86_64")]
mod tiles;
#[cfg(target_arch = "x86_64")]
mod vectors;

use std::fmt;

#[cfg(target_arch = "x86_64")]
use self::panels::LINES;
pub(in crate::engine::cpu) use self::panels::Panels;
use self::panels::{CHUNK, Line, PANEL, STRETCH};
#[cfg(target_arch = "x86_64")]
pub use self::tiles::{Tiles, TilesInUse};
#[cfg(target_arch = "x86_64")]
use self::vectors::Vectors;
use super::ProductShape;
use crate::engine::bound;
use crate::engine::simd::Simd;
use crate::error::Result;

/// The instructions that compute the product. Each value is a proof that they can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::cpu) enum Kernel {
    /// AMX.
    #[cfg(target_arch = "x86_64")]
    Tiles(Tiles),
    /// AVX512-BF16.
    #[cfg(target_arch = "x86_64")]
    Vectors(Vectors),
    /// Plain loops, which every machine can run.
    Plain(Simd),
}

impl Kernel {
    /// AMX tiles.
    pub(in crate::engine::cpu) fn tiles() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Tiles::detect().map(Self::Tiles);
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// AVX512-BF16.
    pub(in crate::engine::cpu) fn vectors() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Vectors::detect().map(Self::Vectors);
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// Panels of rows of a block of the product, of which there are fewer at the end.
    fn row_panels(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vectors(_) => 3,
            _ => 2,
        }
    }

    /// The block of the product that fits this CPU's caches: scores, and a stretch of both
    /// operands.
    pub(super) fn shape(self) -> ProductShape {
        match self {
            // Tiles are so fast that memory decides: the larger a block is, the less of both
            // operands is read again. These fill an L2 cache of 2 MiB, which all that have tiles
            // have.
            #[cfg(target_arch = "x86_64")]
            Self::Tiles(_) => ProductShape {
                rows: 512,
                features: 512,
            },
            _ => ProductShape {
                rows: 256,
                features: 512,
            },
        }
    }

    /// The most additions on a product's way into its score, for D numbers.
    ///
    /// Tiles: 32 products an instruction, in whatever order, then the sum joins the score, once a
    /// chunk. Vectors and plain loops: a sum of at most a stretch, one product after the other,
    /// joins the score once a stretch.
    pub(super) fn longest_sum(self, dim: usize) -> usize {
        let chunks = dim.div_ceil(CHUNK);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Tiles(_) => CHUNK + chunks,
            _ => STRETCH.min(chunks) * CHUNK + chunks.div_ceil(STRETCH),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Tiles(_) => f.write_str("AMX tiles"),
            #[cfg(target_arch = "x86_64")]
            Self::Vectors(_) => f.write_str("AVX512-BF16"),
            Self::Plain(simd) => write!(f, "plain loops ({simd})"),
        }
    }
}

/// Packed weights.
pub(super) struct Weights {
    panels: Panels,
    kernel: Kernel,
    dim: usize,
    /// An upper bound, for each feature, of the norm of what rounding took away.
    pub(super) lost: Vec<f32>,
}

impl Weights {
    /// Packs the weights, row-major \[F, D\], scaled as the bound takes them.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn new(weights: &[f32], dim: usize, simd: Simd, kernel: Kernel) -> Result<Self> {
        let (panels, squares) = Panels::of_features(simd, weights, dim)?;
        Ok(Self {
            panels,
            kernel,
            dim,
            lost: squares.iter().map(|&s| bound::scaled_norm(s, 0)).collect(),
        })
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Packs scaled rows, row-major \[rows, D\].
    pub(super) fn take_rows(&self, simd: Simd, rows: &[f32], packing: &mut Packing) {
        let Packing {
            panels,
            pairs,
            lost,
        } = packing;
        panels.take_rows(simd, rows, self.dim, pairs, |squares| {
            lost.push(bound::scaled_norm(squares, 0));
        });
    }

    /// Writes the scores of the panels that begin with feature `first` for the rows of `rows`:
    /// `scores[(f − first) * stride + r]`, as many as there is room for. `first` is a multiple of
    /// 32, and so is the number of features and of rows that there is room for.
    pub(super) fn scores(&self, rows: &Panels, first: usize, scores: &mut [f32], stride: usize) {
        let features = scores.len() / stride;
        assert!(
            first.is_multiple_of(2 * PANEL) && features.is_multiple_of(2 * PANEL),
            "whole pairs of panels of features"
        );
        assert!(
            first + features <= self.panels.count() * PANEL
                && stride >= rows.count() * PANEL
                && rows.chunks() == self.panels.chunks(),
            "panels for all scores"
        );
        #[cfg(target_arch = "x86_64")]
        let in_use = match self.kernel {
            Kernel::Tiles(tiles) => Some(tiles.begin()),
            _ => None,
        };
        for stretch in 0..rows.stretches() {
            for f in (0..features / PANEL).step_by(2) {
                let panel = first / PANEL + f;
                let of_features = [
                    self.panels.lines(stretch, panel),
                    self.panels.lines(stretch, panel + 1),
                ];
                for r in (0..rows.count()).step_by(self.kernel.row_panels()) {
                    let mut to = Scores {
                        numbers: &mut scores[f * PANEL * stride + r * PANEL..],
                        stride,
                        first: stretch == 0,
                    };
                    let lines = |i| rows.lines(stretch, r + i);
                    match self.kernel {
                        #[cfg(target_arch = "x86_64")]
                        Kernel::Tiles(_) => {
                            let in_use = in_use.as_ref().expect("begun above");
                            tile_block(in_use, of_features, [lines(0), lines(1)], &mut to);
                        }
                        #[cfg(target_arch = "x86_64")]
                        Kernel::Vectors(vectors) => match rows.count() - r {
                            1 => vectors.block(of_features, [lines(0)], &mut to),
                            2 => vectors.block(of_features, [lines(0), lines(1)], &mut to),
                            _ => {
                                let rows = [lines(0), lines(1), lines(2)];
                                vectors.block(of_features, rows, &mut to);
                            }
                        },
                        Kernel::Plain(simd) => {
                            plain_block(simd, of_features, [lines(0), lines(1)], &mut to);
                        }
                    }
                }
            }
        }
    }
}

/// The destination of a block's sums: `numbers[f * stride + r]`.
struct Scores<'a> {
    numbers: &'a mut [f32],
    stride: usize,
    /// `true` if these sums are the first.
    first: bool,
}

/// Two panels of features and two of rows, by tiles.
#[cfg(target_arch = "x86_64")]
fn tile_block(
    tiles: &tiles::TilesInUse,
    features: [&[Line]; 2],
    rows: [&[Line]; 2],
    to: &mut Scores,
) {
    let Scores {
        numbers,
        stride,
        first,
    } = to;
    let (stride, first) = (*stride, *first);
    let lines = features[0].len();
    let all = [features[0], features[1], rows[0], rows[1]];
    assert!(
        lines >= LINES && lines.is_multiple_of(LINES) && all.iter().all(|a| a.len() == lines),
        "chunks in the same number"
    );
    assert!(
        stride >= 2 * PANEL && numbers.len() >= (2 * PANEL - 1) * stride + 2 * PANEL,
        "room for 32 x 32 scores"
    );
    // SAFETY: the assertions above say that the memory is there; the scores are borrowed mutably.
    unsafe {
        tiles.block(
            features.map(<[Line]>::as_ptr),
            rows.map(<[Line]>::as_ptr),
            lines / LINES,
            numbers.as_mut_ptr(),
            stride,
            first,
        );
    }
}

/// The same by plain loops.
fn plain_block(simd: Simd, features: [&[Line]; 2], rows: [&[Line]; 2], to: &mut Scores) {
    for (f, features) in features.into_iter().enumerate() {
        for (r, rows) in rows.into_iter().enumerate() {
            let scores = &mut to.numbers[f * PANEL * to.stride + r * PANEL..];
            plain::block(simd, features, rows, scores, to.stride, to.first);
        }
    }
}

/// Packed rows, and what packing them takes.
#[derive(Default)]
pub(super) struct Packing {
    pub(super) panels: Panels,
    pairs: Vec<u32>,
    /// An upper bound, for each row, of the norm of what rounding took away.
    pub(super) lost: Vec<f32>,
}
