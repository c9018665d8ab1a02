//! Canonical scores of some atoms on every row, whether or not they fire there. Such a score is
//! what an atom says of a call before the k places of the call are given away.
//!
//! Rows are read and whitened some megabytes at a time. Threads take tiles of atoms; within one, a
//! group of rows that fits an L2 cache goes through all atoms of the tile. Each score is computed
//! by itself as the answer is defined, so that neither threads nor tiles nor groups change it.

use std::ops::Range;

use rayon::prelude::*;

use super::lanes::{Lanes, add_products};
use super::products::SliceOfRows;
use super::whiten::row_facts;
use crate::control::Control;
use crate::engine::canonical::{self, LANES};
use crate::engine::simd::Simd;
use crate::error::{Error, Result};
use crate::rows::{Place, Rows};
use crate::sae::{Sae, Steps};
use crate::scores::{ScoreAtoms, ScoresOf};

/// Bytes of the whitened rows that are worked on at once.
const CHUNK_BYTES: usize = 16 << 20;
/// The most rows of them, however short they are.
const MOST_ROWS: usize = 4096;
/// Bytes of a group's whitened rows: they stay in an L2 cache while atoms go by.
const GROUP_BYTES: usize = 512 << 10;
/// Atoms of a thread's tile.
const TILE_ATOMS: usize = 16;

/// Scores atoms on rows, in binary64 as `engine::canonical` defines it.
#[derive(Debug, Clone)]
pub struct DenseScores {
    sae: Sae,
    input: Steps,
    simd: Simd,
}

impl ScoreAtoms for DenseScores {
    fn score(
        &self,
        rows: &dyn Rows,
        dropped: &[usize],
        atoms: &Range<usize>,
        to: &mut ScoresOf<'_>,
        control: &Control,
    ) -> Result<usize> {
        crate::engine::check_shapes(&self.sae, rows, rows.count())?;
        let dim = self.sae.input_dim();
        let step = (CHUNK_BYTES / (dim * size_of::<f32>())).clamp(1, MOST_ROWS);
        let mut dropped = dropped.iter().copied().peekable();
        let (mut stored, mut white, mut first) = (Vec::new(), Vec::new(), to.first);
        for start in (0..rows.count()).step_by(step) {
            control.check()?;
            let range = start..rows.count().min(start + step);
            let end = range.end;
            let kept: Vec<usize> = range
                .clone()
                .filter(|row| dropped.next_if_eq(row).is_none())
                .collect();
            self.whiten(rows, range, &kept, &mut stored, &mut white)?;
            to.scores
                .par_chunks_mut(TILE_ATOMS * to.calls)
                .zip(atoms.clone().into_par_iter().step_by(TILE_ATOMS))
                .for_each(|(scores, atom)| self.tile(atom, &white, (scores, to.calls), first));
            first += kept.len();
            control.report(end as u64);
        }
        Ok(first)
    }
}

impl DenseScores {
    /// Makes it with these vector instructions; the best that the machine has where `None`.
    pub fn new(sae: &Sae, simd: Option<Simd>) -> Self {
        Self {
            sae: sae.clone(),
            input: Steps::new(sae.input(), sae.input_dim()),
            simd: simd.unwrap_or_else(Simd::detect),
        }
    }

    /// Whitens the rows `kept` of `range` to `white`, one after another.
    fn whiten(
        &self,
        rows: &dyn Rows,
        range: Range<usize>,
        kept: &[usize],
        stored: &mut Vec<u8>,
        white: &mut Vec<f32>,
    ) -> Result<()> {
        let (dim, element) = (self.sae.input_dim(), rows.element_type());
        let row = dim * element.bytes();
        let first = range.start;
        let bytes: &[u8] = if let Place::Memory(all) = rows.place() {
            &all[first * row..range.end * row]
        } else {
            stored.resize(range.len() * row, 0);
            rows.read_stored(range, stored)?;
            stored
        };
        white.resize(kept.len() * dim, 0.0);
        let bad = white
            .par_chunks_mut(dim)
            .zip(kept)
            .filter_map(|(white, &at)| {
                let stored = &bytes[(at - first) * row..][..row];
                self.input.take_row(self.simd, stored, element, white);
                (!row_facts(self.simd, white).finite).then_some(at)
            })
            .min();
        let Some(bad) = bad else {
            return Ok(());
        };
        Err(Error::NonFinite {
            file: rows.name(),
            rows: vec![bad],
            count: 1,
            total: rows.count(),
        })
    }

    /// Scores the atoms from `atom` on, as many as there is room for.
    fn tile(&self, atom: usize, white: &[f32], (scores, calls): (&mut [f64], usize), first: usize) {
        let dim = self.sae.input_dim();
        let group = (GROUP_BYTES / (dim * size_of::<f32>())).max(4);
        let which: Vec<u32> = (0..group as u32).collect();
        let mut lanes: Vec<Lanes> = vec![[0.0; LANES]; group];
        for (number, numbers) in white.chunks(group * dim).enumerate() {
            let rows = SliceOfRows {
                numbers,
                width: dim,
            };
            let count = numbers.len() / dim;
            let begin = first + number * group;
            for (scores, atom) in scores.chunks_exact_mut(calls).zip(atom..) {
                let weights = &self.sae.weight()[atom * dim..][..dim];
                let lanes = &mut lanes[..count];
                lanes.fill([0.0; LANES]);
                add_products(self.simd, rows, weights, &which[..count], lanes);
                let bias = self.sae.bias()[atom];
                for (score, lanes) in scores[begin..begin + count].iter_mut().zip(lanes) {
                    *score = canonical::finish(lanes, bias);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::canonical::canonical_score;
    use crate::rows::SliceRows;
    use crate::sae::{Activation, SaeParts, whitening};

    fn sae(dim: usize, features: usize) -> Sae {
        let wave = |n: usize, step: f32| (0..n).map(|i| (i as f32 * step).sin()).collect();
        Sae::new(SaeParts {
            name: "waves".to_owned(),
            input_dim: dim,
            feature_dim: features,
            activation: Activation::TopK { k: 1, relu: false },
            weight: wave(dim * features, 2.3),
            bias: wave(features, 0.9),
            input: whitening(wave(dim, 0.1), &vec![0.7; dim]),
            ..SaeParts::default()
        })
        .expect("a model")
    }

    #[test]
    fn every_score_is_the_canonical_one_of_its_row_and_atom() {
        // Ragged: groups, tiles and registers are cut everywhere.
        let (dim, features, count) = (70, 37, 1900);
        let sae = sae(dim, features);
        let numbers: Vec<f64> = (0..dim * count).map(|i| (i as f64 * 1.7).cos()).collect();
        let rows = SliceRows::new(&numbers, dim).expect("whole rows");
        let dropped = [0, 7, 1899];
        let kept: Vec<usize> = (0..count).filter(|row| !dropped.contains(row)).collect();
        let (mean, divisors) = sae.whitening().expect("whitened");
        for simd in Simd::all() {
            let dense = DenseScores::new(&sae, Some(simd));
            let atoms = 5..36;
            let calls = kept.len() + 3;
            let mut scores = vec![f64::NAN; atoms.len() * calls];
            let mut to = ScoresOf {
                scores: &mut scores,
                calls,
                first: 2,
            };
            let end = dense.score(&rows, &dropped, &atoms, &mut to, &Control::default());
            assert_eq!(end.expect("scored"), kept.len() + 2);
            for (place, atom) in atoms.enumerate() {
                let weights = &sae.weight()[atom * dim..][..dim];
                let of_atom = &scores[place * calls..][..calls];
                assert!(of_atom[0].is_nan() && of_atom[1].is_nan() && of_atom[calls - 1].is_nan());
                for (&row, score) in kept.iter().zip(&of_atom[2..]) {
                    let white: Vec<f32> = (0..dim)
                        .map(|i| (numbers[row * dim + i] as f32 - mean[i]) / divisors[i])
                        .collect();
                    let expected = canonical_score(simd, &white, weights, sae.bias()[atom]);
                    assert_eq!(score.to_bits(), expected.to_bits(), "{simd} {atom} {row}");
                }
            }
        }
    }

    #[test]
    fn a_row_without_numbers_is_named() {
        let sae = sae(3, 2);
        let mut numbers = vec![1.0f32; 12];
        numbers[7] = f32::NAN;
        let rows = SliceRows::new(&numbers, 3).expect("whole rows");
        let dense = DenseScores::new(&sae, None);
        let score = |dropped: &[usize]| {
            let mut scores = vec![0.0; 8];
            let mut to = ScoresOf {
                scores: &mut scores,
                calls: 4,
                first: 0,
            };
            dense.score(&rows, dropped, &(0..2), &mut to, &Control::default())
        };
        assert!(matches!(score(&[]), Err(Error::NonFinite { rows, .. }) if rows == [2]));
        assert_eq!(score(&[2]).expect("scored"), 3);
    }
}
