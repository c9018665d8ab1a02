//! Rows on their way to a lane.

use rayon::prelude::*;

use super::Worker;
use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::lane::{Lane, Source};
use crate::engine::cuda::run::{Run, Stop};
use crate::rows::{Place, Rows};

/// Pieces in which a batch is read, by as many threads as there are.
const PIECE_BYTES: usize = 1 << 20;

impl Worker {
    /// Puts a batch's rows where the lane takes them from.
    pub(super) fn source<'a>(
        &self,
        run: &Run<'a>,
        lane: &mut Lane,
        rows: &std::ops::Range<usize>,
        spent: &mut super::Spent,
    ) -> Result<Source<'a>, Stop> {
        let row_bytes = self.encoder.dim * lane.element().bytes();
        match run.rows.place() {
            Place::PageLocked(memory) => Ok(Source::PageLocked(&memory[rows.start * row_bytes..])),
            Place::Device { ordinal, address } if ordinal == self.device.info().ordinal => {
                Ok(Source::Device(address + (rows.start * row_bytes) as u64))
            }
            Place::Device { ordinal, .. } => Err(Fault::missing(
                format!("the rows are in the memory of CUDA device {ordinal}"),
                "run on that device",
            )
            .into()),
            Place::Read | Place::Memory(_) => {
                let began = std::time::Instant::now();
                let input = &mut lane.input()[..rows.len() * row_bytes];
                run.readers
                    .install(|| fill(run.rows, rows.start, input, row_bytes))?;
                spent.read += began.elapsed().as_secs_f64();
                Ok(Source::Filled)
            }
        }
    }
}

/// Reads rows from `first` on into page-locked memory, by several threads.
fn fill(rows: &dyn Rows, first: usize, input: &mut [u8], row_bytes: usize) -> Result<(), Stop> {
    let piece = (PIECE_BYTES / row_bytes).max(1);
    input
        .par_chunks_mut(piece * row_bytes)
        .enumerate()
        .try_for_each(|(i, out)| {
            let from = first + i * piece;
            rows.read_stored(from..from + out.len() / row_bytes, out)
        })
        .map_err(Stop::from)
}
