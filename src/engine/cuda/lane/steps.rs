//! The steps of a batch besides scoring its pairs: rows are brought to the device, whitened,
//! multiplied and selected from, and the results are brought back.

use super::{HEADS, Lane, Shared, Source};
use crate::engine::cuda::blas::Product;
use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::input::InputArgs;
use crate::engine::cuda::rule::Rule;
use crate::engine::cuda::select::{RULE_GROUPS, SelectArgs};
use crate::engine::cuda::stages::Stage;
use crate::engine::cuda::whiten::WhitenArgs;
use crate::rows::ElementType;

impl Lane {
    /// Brings the batch's rows to the device, unless they are there already. Returns their address,
    /// which holds them once the stream has done the copy.
    pub(super) unsafe fn bring(
        &self,
        shared: Shared,
        source: Source,
        count: usize,
    ) -> Result<u64, Fault> {
        let bytes = count * shared.encoder.dim * self.shape.element.bytes();
        match source {
            Source::Device(address) => return Ok(address),
            // SAFETY: nobody writes the input while the lane is busy.
            Source::Filled => unsafe {
                self.stream.copy_in(&self.rows, 0, &self.host_rows, bytes)?;
            },
            // SAFETY: as `start`'s caller promises.
            Source::PageLocked(memory) => unsafe {
                self.stream.copy_slice_in(&self.rows, 0, &memory[..bytes])?;
            },
        }
        Ok(self.rows.address())
    }

    /// Takes all steps of the model's input, and makes operands and facts of what comes of them.
    pub(super) unsafe fn whiten(
        &self,
        shared: Shared,
        rows: u64,
        count: usize,
    ) -> Result<(), Fault> {
        let (encoder, screen) = (shared.encoder, shared.screen);
        let args = WhitenArgs {
            rows,
            mean: encoder.input.mean.address(),
            divisor: encoder.input.divisor.address(),
            x: self.x.address(),
            operand: self.operand.address(),
            facts: self.facts.address(),
            units: screen.units,
            count: count as u32,
            dim: encoder.dim as u32,
            padded: if self.shape.screened {
                screen.padded as u32
            } else {
                0
            },
            format: screen.format.code(),
            weights: 0,
            unused: 0,
        };
        let steps = &encoder.input.rest;
        let whiten = &shared.kernels.whiten;
        if steps.is_empty() {
            // SAFETY: as `start` says.
            return unsafe { whiten.launch(&self.stream, self.shape.element, &args) };
        }
        let widened = WhitenArgs { padded: 0, ..args };
        let input = InputArgs {
            x: self.x.address(),
            steps: steps.address(),
            step_count: steps.len() as u32,
            count: count as u32,
            dim: encoder.dim as u32,
            unused: 0,
        };
        // Operands and facts are those of the rows after the last step, as they are.
        let taken = WhitenArgs {
            rows: self.x.address(),
            mean: 0,
            divisor: 0,
            x: 0,
            ..args
        };
        // SAFETY: as `start` says.
        unsafe {
            whiten.launch(&self.stream, self.shape.element, &widened)?;
            shared.kernels.input.launch(&self.stream, &input)?;
            whiten.launch(&self.stream, ElementType::F32, &taken)
        }
    }

    /// Product and selection, tile by tile, so that scores are selected while they are in cache.
    pub(super) unsafe fn screen(&mut self, shared: Shared, count: usize) -> Result<(), Fault> {
        let screen = shared.screen;
        for first in (0..count).step_by(self.shape.tile_rows) {
            let rows = self.shape.tile_rows.min(count - first);
            let args = self.select_args(shared, first, rows);
            if !self.shape.screened {
                // SAFETY: as `start` says.
                unsafe { shared.kernels.select.launch_overflow(&self.stream, &args) }?;
                continue;
            }
            let product = Product {
                rows: self.operand.at(first * screen.row_bytes()),
                weights: screen.operand.address(),
                scores: self.scores.address(),
                row_count: rows,
                features: shared.encoder.features,
                depth: screen.padded * screen.format.parts(),
                block_depth: screen.block_depth,
                stride: screen.stride,
                single: screen.format.bytes() == 4,
            };
            // SAFETY: as `start` says.
            unsafe { self.blas.multiply(&product) }?;
            self.stages.mark(Stage::Product, &self.stream)?;
            // SAFETY: as `start` says.
            unsafe { self.select(shared, &args) }?;
            self.stages.mark(Stage::Select, &self.stream)?;
        }
        Ok(())
    }

    /// Selects a tile's rows by the model's rule.
    unsafe fn select(&self, shared: Shared, args: &SelectArgs) -> Result<(), Fault> {
        let kernels = shared.kernels;
        // SAFETY: as `start` says.
        unsafe {
            match shared.encoder.rule {
                Rule::Largest { flags, .. } if flags & RULE_GROUPS != 0 => {
                    kernels.select_groups.launch(&self.stream, args)
                }
                Rule::Largest { .. } => kernels.select.launch(&self.stream, args),
                Rule::Thresholds | Rule::Cut => {
                    let args = self.threshold_args(shared, *args);
                    kernels.select_threshold.launch(&self.stream, &args)
                }
            }
        }
    }

    pub(super) unsafe fn copy_out(&mut self, shared: Shared, count: usize) -> Result<(), Fault> {
        // SAFETY: nobody reads these before the batch is done, and the lane holds them.
        unsafe {
            self.stream.copy_out(&self.host_heads, &self.heads, HEADS)?;
            self.stream
                .copy_out(&self.host_states, &self.states, count)?;
            self.stream
                .copy_out(&self.host_fires, &self.fires, count * shared.encoder.width)?;
            if !self.lengths.is_empty() {
                self.stream
                    .copy_out(&self.host_lengths, &self.lengths, count)?;
            }
        }
        self.stages.mark(Stage::Drain, &self.stream)
    }
}
