//! Lanes as large as the work wants and the memory allows.

use super::Worker;
use crate::engine::cuda::CudaOptions;
use crate::engine::cuda::fault::{Fault, FaultKind};
use crate::engine::cuda::lane::{Lane, Shared};
use crate::engine::cuda::run::Run;
use crate::engine::cuda::shape::LaneShape;
use crate::rows::Place;

/// Lanes of a device: one is filled, one copied, one computed.
const LANES: usize = 3;

/// The lanes of a device.
pub(super) struct Lanes {
    pub(super) all: Vec<Lane>,
    /// Rows that each takes at once.
    batch_rows: usize,
    asked: Asked,
}

/// The lanes that a run wants, were there memory for all that it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    shape: LaneShape,
    /// The most lanes, and as many of them as the run has work for.
    most: usize,
    lanes: usize,
    /// Whether rows come by way of lanes' own page-locked memory.
    staged: bool,
    /// The caller's limit on the device's memory, in bytes.
    memory: Option<u64>,
}

impl Asked {
    /// Says whether lanes that were made for this serve `other` as well: no fewer of them, no fewer rows
    /// at once, and else the same.
    fn serves(&self, other: &Self) -> bool {
        let (ours, wanted) = (self.shape, other.shape);
        let like_ours = Self {
            shape: LaneShape {
                batch_rows: ours.batch_rows,
                tile_rows: ours.tile_rows,
                pair_capacity: ours.pair_capacity,
                ..wanted
            },
            lanes: self.lanes,
            ..*other
        };
        *self == like_ours
            && self.lanes >= other.lanes
            && ours.batch_rows >= wanted.batch_rows
            && ours.tile_rows >= wanted.tile_rows
            && ours.pair_capacity >= wanted.pair_capacity
    }
}

impl Worker {
    /// Lanes as large as wanted, or as the memory allows: where it runs out, half as large. `kept` are
    /// those of an earlier run. Returns the rows that each is to take at once as well.
    pub(super) fn lanes(
        &self,
        shared: Shared,
        run: &Run,
        options: &CudaOptions,
        kept: Option<Lanes>,
    ) -> Result<(Lanes, usize), Fault> {
        let asked = self.asked(run, options);
        if let Some(kept) = kept.filter(|kept| kept.asked.serves(&asked)) {
            let rows = kept.batch_rows.min(asked.shape.batch_rows);
            return Ok((kept, rows));
        }
        let mut shape = asked.shape;
        let share = share(run);
        let free = self.device.memory()?.0;
        // What is there already takes its part of what the caller allows.
        let resident = self.encoder.bytes() + self.screen.bytes() + shared.counts.cells.bytes();
        let budget = asked.memory.map_or(free / 10 * 9, |memory| {
            memory.saturating_sub(resident).min(free)
        });
        loop {
            let count = asked.most.min(share.div_ceil(shape.batch_rows)).max(1);
            let bytes = shape.bytes(&self.encoder, &self.screen) * count as u64;
            let lanes = if bytes <= budget {
                (0..count)
                    .map(|_| Lane::new(shared, shape, asked.staged))
                    .collect()
            } else {
                Err(Fault {
                    kind: FaultKind::NoMemory,
                    what: format!(
                        "the model takes {resident} bytes of device memory and a batch (rows: {}) {bytes} more, \
                         but only {budget} may be used beside the model",
                        shape.batch_rows
                    ),
                    action: "allow more with --gpu-memory, free some, or use --device cpu",
                })
            };
            match lanes {
                Err(fault) if fault.kind == FaultKind::NoMemory && shape.batch_rows > 1 => {
                    shape = of_rows(shape, shape.batch_rows / 2, options);
                }
                lanes => {
                    let lanes = Lanes {
                        all: lanes?,
                        batch_rows: shape.batch_rows,
                        asked,
                    };
                    return Ok((lanes, shape.batch_rows));
                }
            }
        }
    }

    /// The lanes that a run wants.
    fn asked(&self, run: &Run, options: &CudaOptions) -> Asked {
        let place = run.rows.place();
        let shape = LaneShape {
            screened: self.screens(),
            ..LaneShape::new(
                self.device.info(),
                &self.encoder,
                &self.screen,
                (
                    run.rows.element_type(),
                    matches!(place, Place::Device { .. }),
                ),
                (run.batch_rows, options.tile_rows),
            )
        };
        let shape = if run.scored() {
            shape.with_scores(&self.encoder)
        } else {
            shape
        };
        // What is left to do is shared among devices and, in whole tiles, among lanes.
        let most = options.lanes.unwrap_or(LANES).max(1);
        let of_lane = share(run).div_ceil(most).max(shape.tile_rows);
        let shape = of_rows(shape, shape.batch_rows.min(of_lane), options);
        Asked {
            shape,
            most,
            lanes: most.min(share(run).div_ceil(shape.batch_rows)),
            staged: matches!(place, Place::Read | Place::Memory(_)),
            memory: options.memory,
        }
    }
}

/// Rows that a device may have to do.
fn share(run: &Run) -> usize {
    run.left().div_ceil(run.devices).max(1)
}

/// A shape of batches of at most `rows` rows, with room for as many open pairs as the caller wishes.
fn of_rows(shape: LaneShape, rows: usize, options: &CudaOptions) -> LaneShape {
    let shape = shape.of_rows(rows);
    LaneShape {
        pair_capacity: options.pair_capacity.unwrap_or(shape.pair_capacity),
        ..shape
    }
}
