//! `kernels/tally.cu`: firing sets resolved, in order, and counted.

use std::ops::Range;

use atomscope::engine::cuda::select::{ROW_BAD, ROW_OPEN, ROW_OVERFLOW, RowAtom, RowState};
use atomscope::engine::cuda::tally::TallyArgs;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::machine::{UNTOUCHED, Work};
use crate::twins::numbers::random;
use crate::twins::tally::{chosen, counts, resolved};

/// A batch after selection and scoring.
struct Batch {
    features: usize,
    k: usize,
    strata: usize,
    fires: Vec<u32>,
    states: Vec<RowState>,
    pairs: Vec<RowAtom>,
    scores: Vec<f64>,
    of_row: Vec<u16>,
}

/// Scores of which many are equal, some differ in the last bit, and some are at the ends of the
/// range.
pub(crate) fn level(rng: &mut impl Rng) -> f64 {
    match rng.random_range(0..8u8) {
        0 => f64::from(f32::MAX) * f64::from(f32::MAX) * rng.random_range(-2.0..2.0),
        1 => 2f64.powi(-298) * f64::from(rng.random_range(1..4i8)),
        2 => -2f64.powi(-298),
        3 => 1.0 + f64::EPSILON * f64::from(rng.random_range(0..3u8)),
        _ => f64::from(rng.random_range(-3..4i8)),
    }
}

/// `count` different atoms, in an order of chance.
pub(crate) fn atoms(rng: &mut impl Rng, features: usize, count: usize) -> Vec<u32> {
    let mut atoms = rand::seq::index::sample(rng, features, count).into_vec();
    atoms.shuffle(rng);
    atoms.into_iter().map(|atom| atom as u32).collect()
}

impl Batch {
    fn new(seed: u64, rows: usize, features: usize, k: usize, strata: usize) -> Self {
        let mut rng = random(seed);
        let mut batch = Self {
            features,
            k,
            strata,
            fires: vec![UNTOUCHED; rows * k],
            states: Vec::new(),
            pairs: Vec::new(),
            scores: Vec::new(),
            of_row: Vec::new(),
        };
        for row in 0..rows {
            batch.of_row.push(rng.random_range(0..strata as u16));
            // Pairs of rows do not lie in the order of rows, and not without gaps.
            for _ in 0..rng.random_range(0..3u8) {
                batch.pairs.push(RowAtom {
                    row: u32::MAX,
                    atom: u32::MAX,
                    rank: 0,
                });
                batch.scores.push(f64::NAN);
            }
            let state = batch.row(&mut rng, row);
            batch.states.push(state);
        }
        batch
    }

    fn row(&mut self, rng: &mut impl Rng, row: usize) -> RowState {
        let status = match rng.random_range(0..12u8) {
            0 => ROW_BAD,
            1 => ROW_OVERFLOW,
            _ => ROW_OPEN,
        };
        let mut state = RowState {
            certain: 0,
            open: 0,
            first_pair: self.pairs.len() as u32,
            status,
            slots_left: 0,
        };
        if status != ROW_OPEN {
            return state;
        }
        let certain = match rng.random_range(0..4u8) {
            0 => 0,
            1 => self.k,
            2 => self.k - 1,
            _ => rng.random_range(0..=self.k),
        };
        let rest = self.features - certain;
        // More than are missing, or, where all features are certain or open, as many.
        let missing = self.k - certain;
        let open = match missing {
            0 => 0,
            _ => (missing + rng.random_range(1..20usize)).min(rest),
        };
        let atoms = atoms(rng, self.features, certain + open);
        self.fires[row * self.k..][..certain].copy_from_slice(&atoms[..certain]);
        for &atom in &atoms[certain..certain + open] {
            let row = row as u32;
            self.pairs.push(RowAtom { row, atom, rank: 0 });
            self.scores.push(level(rng));
        }
        state.certain = certain as u32;
        state.slots_left = missing as u32;
        state.open = open as u32;
        state
    }

    /// Firing sets by sorting; those of rows that are not resolved here as they were.
    fn resolved(&self) -> Vec<u32> {
        let mut fires = self.fires.clone();
        for (row, state) in self.states.iter().enumerate() {
            if state.status != ROW_OPEN {
                continue;
            }
            let set = &mut fires[row * self.k..(row + 1) * self.k];
            let first = state.first_pair as usize;
            let pairs: Range<usize> = first..first + state.open as usize;
            let open: Vec<(f64, u32)> = self.scores[pairs.clone()]
                .iter()
                .zip(&self.pairs[pairs])
                .map(|(&score, pair)| (score, pair.atom))
                .collect();
            let new = resolved(&set[..state.certain as usize], &open, self.k);
            set.copy_from_slice(&new);
        }
        fires
    }

    fn resolve(&self, work: &Work, counted: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let fires = work.output_from(&self.fires, self.fires.len());
        let cells = work.output_from(counted, counted.len());
        let states = work.upload(&self.states);
        let pairs = work.upload(&self.pairs);
        let scores = work.upload(&self.scores);
        let strata = work.upload(&self.of_row);
        let args = TallyArgs {
            fires: fires.address(),
            states: states.address(),
            pairs: pairs.address(),
            score: scores.address(),
            strata: strata.address(),
            counts: cells.address(),
            rows: self.states.len() as u32,
            features: self.features as u32,
            k: self.k as u32,
            width: self.k as u32,
            sort_width: self.k.next_power_of_two() as u32,
            strata_count: self.strata as u32,
            ..TallyArgs::default()
        };
        // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for
        // before they go.
        unsafe { work.kernels.resolve.launch(&work.stream, &args) }.expect("a launch");
        work.wait();
        (work.take(&fires), work.take(&cells))
    }

    fn check(&self, work: &Work) {
        let way = format!(
            "{} rows, F = {}, k = {}, {} strata",
            self.states.len(),
            self.features,
            self.k,
            self.strata
        );
        let expected = self.resolved();
        let sets = expected.chunks(self.k).enumerate();
        let open = sets.filter(|&(row, _)| self.states[row].status == ROW_OPEN);
        let rows = open.map(|(row, set)| (self.of_row[row], set));
        // Counts are added to what is there.
        let before = 3;
        let mut cells = counts(rows, self.strata, self.features);
        for count in &mut *cells {
            *count += before;
        }
        let (fires, found) = self.resolve(work, &vec![before; cells.len()]);
        for (row, (found, expected)) in
            (fires.chunks(self.k).zip(expected.chunks(self.k))).enumerate()
        {
            assert_eq!(found, expected, "row {row}, {way}");
        }
        assert_eq!(found, cells, "{way}");
    }
}

#[test]
fn sets_are_resolved_and_counted() {
    let Some(work) = Work::new() else { return };
    let shapes = [
        // rows, features, k, strata
        (1, 1, 1, 1),
        (5, 2, 1, 3),
        (7, 70, 2, 1),
        (9, 200, 31, 4),
        (9, 200, 32, 4),
        (9, 200, 33, 4),
        (4, 100, 100, 2),
        (4, 4100, 500, 7),
        (3, 3000, 1000, 2),
    ];
    for (seed, (rows, features, k, strata)) in (0..).zip(shapes) {
        Batch::new(seed, rows, features, k, strata).check(&work);
    }
}

/// Rows from which on blocks count in their own shared memory: twice as many counts as all blocks
/// that run at once, eight a multiprocessor, have counters.
fn rows_for_own_counters(work: &Work, features: usize, k: usize, strata: usize) -> usize {
    let blocks = 8 * work.device.info().multiprocessors as usize;
    2 * blocks * strata * features / k + 1
}

#[test]
fn counts_are_the_same_in_blocks_of_their_own_and_at_once() {
    let Some(work) = Work::new() else { return };
    for (seed, (features, k, strata)) in (20..).zip([(9, 5, 2), (40, 40, 1), (5, 1, 3)]) {
        let rows = rows_for_own_counters(&work, features, k, strata);
        for rows in [rows - 1, rows, rows + 100] {
            Batch::new(seed, rows, features, k, strata).check(&work);
        }
    }
    // The most counters that a block has room for beside its set of 512, and one feature more.
    for features in [(48 << 8) - 512, (48 << 8) - 511] {
        let rows = rows_for_own_counters(&work, features, 512, 1);
        Batch::new(1, rows, features, 512, 1).check(&work);
    }
}

#[test]
fn large_batches_are_resolved() {
    let Some(work) = Work::new() else { return };
    // More rows than a grid's second side could have; too many counters for shared memory.
    Batch::new(3, 66_000, 13_000, 1, 1).check(&work);
}

/// Chooses from scores, \[listed, features\], and demands what sorting gives.
fn check_chosen(work: &Work, seed: u64, features: usize, k: usize, scores: &[f64]) {
    let mut rng = random(seed);
    let (rows, strata) = (23, 3);
    let listed = atoms(&mut rng, rows, scores.len() / features);
    let of_row: Vec<u16> = (0..rows).map(|_| rng.random_range(0..strata)).collect();
    let fires = work.output::<u32>(rows * k);
    let cells = work.output_from(
        &vec![5; usize::from(strata) * features],
        usize::from(strata) * features,
    );
    let on_device = work.upload(scores);
    let (list, of_rows) = (work.upload(&listed), work.upload(&of_row));
    let args = TallyArgs {
        fires: fires.address(),
        score: on_device.address(),
        strata: of_rows.address(),
        counts: cells.address(),
        listed: list.address(),
        listed_count: listed.len() as u32,
        rows: rows as u32,
        features: features as u32,
        k: k as u32,
        width: k as u32,
        strata_count: u32::from(strata),
        ..TallyArgs::default()
    };
    // SAFETY: as above.
    unsafe { work.kernels.resolve.launch_rows(&work.stream, &args) }.expect("a launch");
    work.wait();

    let mut expected = vec![UNTOUCHED; rows * k];
    for (&row, scores) in listed.iter().zip(scores.chunks(features)) {
        expected[row as usize * k..][..k].copy_from_slice(&chosen(scores, k));
    }
    let way = format!("F = {features}, k = {k}");
    assert_eq!(work.take(&fires), expected, "{way}");
    let sets = listed.iter().map(|&row| {
        let row = row as usize;
        (of_row[row], &expected[row * k..(row + 1) * k])
    });
    let mut counted = counts(sets, usize::from(strata), features);
    for count in &mut counted {
        *count += 5;
    }
    assert_eq!(work.take(&cells), counted, "{way}");
}

#[test]
fn the_best_of_all_scores_are_chosen() {
    let Some(work) = Work::new() else { return };
    let shapes = [
        (1, 1),
        (2, 1),
        (33, 33),
        (1000, 17),
        (1024, 1023),
        (1025, 1),
        (2049, 2049),
        (9001, 64),
        (9001, 5000),
    ];
    for (seed, (features, k)) in (0..).zip(shapes) {
        let mut rng = random(seed);
        let listed = 1 + seed as usize % 4;
        let scores: Vec<f64> = (0..listed * features).map(|_| level(&mut rng)).collect();
        check_chosen(&work, seed, features, k, &scores);
        let smooth = (0..listed * features).map(|_| rng.random_range(-1.0..1.0));
        check_chosen(&work, seed, features, k, &smooth.collect::<Vec<_>>());
        check_chosen(&work, seed, features, k, &vec![-0.25; listed * features]);
    }
}
