//! The kernels' arguments, from a lane's buffers.

use super::{FIRED, FIRED_ORDERED, Lane, ORDERED, OVERFLOWED, Shared};
use crate::engine::cuda::driver::{Buffer, Pod};
use crate::engine::cuda::rescore::{FiredArgs, RescoreArgs};
use crate::engine::cuda::select::{RULE_GROUPS, SelectArgs};
use crate::engine::cuda::select_threshold::ThresholdArgs;
use crate::engine::cuda::tally::TallyArgs;

impl Lane {
    pub(super) fn select_args(&self, shared: Shared, first: usize, rows: usize) -> SelectArgs {
        let (encoder, screen) = (shared.encoder, shared.screen);
        let (k, rule) = encoder.rule.largest().unwrap_or_default();
        SelectArgs {
            scores: self.scores.address(),
            biases: screen.biases.address(),
            margins: screen.margins.address(),
            facts: self.facts.address(),
            fires: self.fires.address(),
            states: self.states.address(),
            pairs: self.pairs.address(),
            pair_count: self.heads.at(0),
            atom_pairs: self.atom_pairs.address(),
            overflowed: self.overflowed.address(),
            overflow_count: self.heads.at(OVERFLOWED),
            counters: shared.counts.counters.address(),
            rows: rows as u32,
            first_row: first as u32,
            features: encoder.features as u32,
            stride: screen.stride as u32,
            k: k as u32,
            capacity: if rule & RULE_GROUPS == 0 {
                shared.kernels.select.capacity(k as u32)
            } else {
                shared.kernels.select_groups.capacity(k as u32)
            },
            pair_capacity: self.shape.pair_capacity as u32,
            width: encoder.width as u32,
            rule,
            unused: 0,
        }
    }

    pub(super) fn threshold_args(&self, shared: Shared, select: SelectArgs) -> ThresholdArgs {
        let (units, shifts) = (shared.screen.units, shared.screen.shifts.as_ref());
        ThresholdArgs {
            select,
            shift_margins: shifts.map_or(0, |shifts| shifts.margins.address()),
            cuts: address_of_some(&self.cuts),
            largest_shift_margin: shifts.map_or(0.0, |shifts| shifts.largest),
            largest_whole: units.largest_whole,
            weight_exponent: units.weight_exponent,
            any_infinite: shifts.map_or(0, |shifts| u32::from(shifts.any_infinite)),
        }
    }

    pub(super) fn rescore_args(&self, shared: Shared) -> RescoreArgs {
        let encoder = shared.encoder;
        RescoreArgs {
            x: self.x.address(),
            weight: encoder.weight.address(),
            bias: encoder.bias.address(),
            pairs: self.pairs.address(),
            pair_count: self.heads.at(0),
            atom_pairs: self.atom_pairs.address(),
            order: self.order.address(),
            ordered: self.heads.at(ORDERED),
            score: self.pair_scores.address(),
            listed: self.overflowed.address(),
            listed_count: 0,
            dim: encoder.dim as u32,
            features: encoder.features as u32,
            pair_capacity: self.shape.pair_capacity as u32,
        }
    }

    /// Returns the arguments for the pairs that fire, which take the place of those that were open.
    pub(super) fn fired_args(&self, shared: Shared, count: usize) -> (FiredArgs, RescoreArgs) {
        let fired = FiredArgs {
            fires: self.fires.address(),
            states: self.states.address(),
            lengths: address_of_some(&self.lengths),
            pairs: self.pairs.address(),
            pair_count: self.heads.at(FIRED),
            atom_pairs: self.atom_pairs.address(),
            rows: count as u32,
            width: shared.encoder.width as u32,
            with_overflowed: 0,
            unused: 0,
        };
        let rescore = RescoreArgs {
            pair_count: self.heads.at(FIRED),
            ordered: self.heads.at(FIRED_ORDERED),
            pair_capacity: (count * shared.encoder.width) as u32,
            ..self.rescore_args(shared)
        };
        (fired, rescore)
    }

    pub(super) fn tally_args(&self, shared: Shared, count: usize) -> TallyArgs {
        let encoder = shared.encoder;
        let (k, rule) = encoder.rule.largest().unwrap_or((encoder.width, 0));
        TallyArgs {
            fires: self.fires.address(),
            states: self.states.address(),
            pairs: self.pairs.address(),
            score: self.pair_scores.address(),
            strata: self.strata.address(),
            counts: shared.counts.cells.address(),
            listed: self.overflowed.address(),
            thresholds: address_of_some(&encoder.thresholds),
            cuts: address_of_some(&self.cuts),
            lengths: address_of_some(&self.lengths),
            listed_count: 0,
            rows: count as u32,
            features: encoder.features as u32,
            k: k as u32,
            width: encoder.width as u32,
            sort_width: if self.shape.screened {
                (encoder.width as u32).next_power_of_two()
            } else {
                1
            },
            strata_count: shared.counts.strata as u32,
            private_counts: 0,
            rule,
            by_slot: 0,
        }
    }
}

/// The address of a buffer that has items; 0 of one that has none, which kernels take for null.
fn address_of_some<T: Pod>(buffer: &Buffer<T>) -> u64 {
    if buffer.is_empty() {
        0
    } else {
        buffer.address()
    }
}
