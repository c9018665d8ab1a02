//! The scores at which planted atoms surely fire, and surely do not.

use super::SimulatedActivation;

/// The scores of planted atoms, and the threshold of all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Levels {
    /// The mean score of a planted atom, about, when it fires and when it does not.
    pub(super) on: f32,
    pub(super) off: f32,
    /// The spread of scores when it does not fire.
    pub(super) noise: f32,
    /// The threshold, where the activation has one.
    pub(super) threshold: f32,
}

/// The number of atoms that fire, and the number of them that can be planted ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) k: usize,
    /// The most planted atoms that fire on a call.
    pub(super) most: usize,
}

impl Levels {
    /// The spread of scores of planted atoms that do not fire, where nothing bounds it.
    const NOISE: f32 = 0.5;

    /// Sets the levels from the scores of the atoms that are not planted on a few rows, the largest
    /// first. The first level lies above the last atom that can stay when all pairs fire, the second
    /// below the last atom that fires when no pair does.
    pub(super) fn of(activation: SimulatedActivation, places: Places, rows: &[Vec<f32>]) -> Self {
        let Places { k, most } = places;
        // Without a pair all places are others'.
        let at = |place: usize| rows.iter().map(move |row| row[place.min(row.len() - 1)]);
        let highest = at(k - most).fold(f32::MIN, f32::max);
        let lowest = at(k - 1).fold(f32::MAX, f32::min);
        let (on, off) = (highest + 0.5, (lowest - 3.0).min(0.0));
        let levels = Self {
            on,
            off,
            noise: Self::NOISE,
            threshold: 0.0,
        };
        match activation {
            SimulatedActivation::TopK => levels,
            SimulatedActivation::TopKRelu | SimulatedActivation::BatchTopK => Self {
                on: on.max(1.0),
                ..levels
            },
            // Scores are magnitudes here.
            SimulatedActivation::AbsTopK => Self {
                off: 0.0,
                noise: Self::NOISE.min(lowest / 8.0),
                ..levels
            },
            SimulatedActivation::Relu
            | SimulatedActivation::JumpRelu
            | SimulatedActivation::Gated => {
                // About half of the planted atoms that can fire on a call do.
                let usual = at((k - 1).saturating_sub(most / 2)).sum::<f32>() / rows.len() as f32;
                let threshold = usual.max(0.0);
                Self {
                    on: on.max(threshold + 1.0),
                    off: off.min(threshold - 3.0),
                    threshold,
                    ..levels
                }
            }
        }
    }
}
