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
    pub(super) lanes: Vec<Lane>,
    /// Rows that each takes at once.
    pub(super) batch_rows: usize,
}

impl Worker {
    /// Lanes as large as wanted, or as the memory allows: where it runs out, half as large.
    pub(super) fn lanes(
        &self,
        shared: Shared,
        run: &Run,
        options: &CudaOptions,
    ) -> Result<Lanes, Fault> {
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
        let wanted = options.lanes.unwrap_or(LANES);
        let share = run.left().div_ceil(run.devices).max(1);
        let of_lane = share.div_ceil(wanted.max(1)).max(shape.tile_rows);
        let of_rows = |shape: LaneShape, rows| {
            let shape = shape.of_rows(rows);
            LaneShape {
                pair_capacity: options.pair_capacity.unwrap_or(shape.pair_capacity),
                ..shape
            }
        };
        let mut shape = of_rows(shape, shape.batch_rows.min(of_lane));
        let free = self.device.memory()?.0;
        // What is there already takes its part of what the caller allows.
        let resident = self.encoder.bytes() + self.screen.bytes() + shared.counts.cells.bytes();
        let budget = options.memory.map_or(free / 10 * 9, |memory| {
            memory.saturating_sub(resident).min(free)
        });
        loop {
            let count = wanted.min(share.div_ceil(shape.batch_rows)).max(1);
            let bytes = shape.bytes(&self.encoder, &self.screen) * count as u64;
            let lanes = if bytes <= budget {
                let staged = matches!(place, Place::Read | Place::Memory(_));
                (0..count)
                    .map(|_| Lane::new(shared, shape, staged))
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
                    shape = of_rows(shape, shape.batch_rows / 2);
                }
                lanes => {
                    return Ok(Lanes {
                        lanes: lanes?,
                        batch_rows: shape.batch_rows,
                    });
                }
            }
        }
    }
}
