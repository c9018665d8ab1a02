//! The number of rows that go together: batches and tiles, within a memory budget.

use super::driver::DeviceInfo;
use super::encoder::Encoder;
use super::rule::Rule;
use super::screen::Screen;
use super::select::{RowAtom, RowState};
use super::select_threshold::RowCut;
use super::whiten::RowFacts;
use crate::rows::ElementType;

/// Bytes of embeddings in a batch: enough that copies and kernels run long past their launch.
const BATCH_BYTES: usize = 64 << 20;
/// Rows that need no copy to the device: fewer, larger batches, for the sake of the host alone.
const RESIDENT_BATCH_BYTES: usize = 256 << 20;
/// A batch is no larger than this, however narrow rows are.
const MOST_BATCH_ROWS: usize = 1 << 16;
/// Rows a tile: fewer leave a matrix product without work for all multiprocessors.
const FEWEST_TILE_ROWS: usize = 512;
const MOST_TILE_ROWS: usize = 1 << 13;
/// Open pairs a row that a batch has room for; rows beyond it are scored in full, and counted.
const PAIRS_A_ROW: usize = 64;
/// Pairs of a batch that are scored since they fire, and multiply-adds in binary64 that this takes:
/// well under a second where they are slowest, so that no watchdog of a display ends the launch.
const MOST_FIRED: usize = 1 << 30;
const MOST_WORK: usize = 1 << 35;
/// Atoms that a batch has room for where rows have any number of them: few rows fill their room, and
/// the host has as much page-locked memory for each lane.
const MOST_ROOM: usize = 1 << 23;

/// The sizes that a lane has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneShape {
    /// Rows that are copied and resolved together.
    pub(super) batch_rows: usize,
    /// Rows whose scores are in memory together.
    pub(super) tile_rows: usize,
    /// Open pairs of a batch.
    pub(super) pair_capacity: usize,
    /// The number type of rows.
    pub(super) element: ElementType,
    /// `true` if rows are screened; else all are scored in full.
    pub(super) screened: bool,
    /// `true` if rows are in the device's memory already.
    pub(super) resident: bool,
    /// `true` if the atoms that fire are scored.
    pub(super) scored: bool,
}

impl LaneShape {
    /// The shape that suits a device, a model, and rows of this type, which may be on the device
    /// already. `batch` and `tile` are the caller's wishes.
    pub(super) fn new(
        device: &DeviceInfo,
        encoder: &Encoder,
        screen: &Screen,
        (element, resident): (ElementType, bool),
        (batch, tile): (Option<usize>, Option<usize>),
    ) -> Self {
        // Scores of a tile are written by the product and read by selection: half the cache.
        let in_cache = device.l2_bytes as usize / 2 / (screen.stride * 4);
        let tile_rows = (in_cache / 128 * 128).clamp(FEWEST_TILE_ROWS, MOST_TILE_ROWS);
        let tile_rows = tile.unwrap_or(tile_rows).max(1);
        let bytes = if resident {
            RESIDENT_BATCH_BYTES
        } else {
            BATCH_BYTES
        };
        let by_bytes = bytes / (encoder.dim * element.bytes());
        let whole_tiles = by_bytes.next_multiple_of(tile_rows);
        let most = if encoder.rule.is_ragged() {
            (MOST_ROOM / encoder.width).clamp(1, MOST_BATCH_ROWS)
        } else {
            MOST_BATCH_ROWS
        };
        let batch_rows = batch.unwrap_or(whole_tiles.min(most)).clamp(1, most);
        Self {
            batch_rows,
            tile_rows,
            pair_capacity: 0,
            element,
            screened: true,
            resident,
            scored: false,
        }
        .of_rows(batch_rows)
    }

    /// Makes it the shape of batches whose atoms that fire are scored.
    pub(super) fn with_scores(self, encoder: &Encoder) -> Self {
        let most = MOST_FIRED.min(MOST_WORK / encoder.dim) / encoder.width;
        Self {
            scored: true,
            ..self.of_rows(self.batch_rows.min(most))
        }
    }

    /// Pairs that a batch has memory for: those left open, and after them those that fire.
    pub(super) fn pair_room(&self, encoder: &Encoder) -> usize {
        let fired = if self.scored {
            self.batch_rows * encoder.width
        } else {
            0
        };
        self.pair_capacity.max(fired)
    }

    /// Makes it the shape of batches of at most `rows` rows.
    pub(super) fn of_rows(self, rows: usize) -> Self {
        let rows = rows.max(1);
        Self {
            batch_rows: rows,
            tile_rows: self.tile_rows.min(rows),
            pair_capacity: rows * PAIRS_A_ROW,
            ..self
        }
    }

    /// Bytes of device memory that a lane takes.
    pub(super) fn bytes(&self, encoder: &Encoder, screen: &Screen) -> u64 {
        let input = if self.resident {
            0
        } else {
            encoder.dim * self.element.bytes()
        };
        let row = input
            + encoder.dim * 4
            + screen.row_bytes()
            + size_of::<RowFacts>()
            + encoder.width * 4
            + size_of::<RowState>()
            + if encoder.rule.is_ragged() { 4 } else { 0 }
            + if encoder.rule == Rule::Cut {
                size_of::<RowCut>()
            } else {
                0
            }
            + 4
            + 2;
        let pair = size_of::<RowAtom>() + 4 + 8;
        (self.batch_rows * row
            + self.tile_rows * screen.stride * 4
            + self.pair_room(encoder) * pair
            + encoder.features * 4) as u64
    }
}
