//! `kernels/tally.cu` for every rule: firing sets of any size, resolved, in order, and counted.

use atomscope::engine::cuda::select::{
    ROW_BAD, ROW_OPEN, ROW_OVERFLOW, RULE_ABOVE_ZERO, RULE_GROUPS, RULE_MAGNITUDE, RULE_TIES,
    RowAtom, RowState,
};
use atomscope::engine::cuda::select_threshold::RowCut;
use atomscope::engine::cuda::tally::TallyArgs;
use rand::{Rng, RngExt};

use super::machine::{UNTOUCHED, Work};
use super::tally::{atoms, level};
use crate::twins::numbers::random;
use crate::twins::tally::{Rule, counts, fires};

/// A rule as the kernels have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Largest(u32),
    Groups,
    Thresholds,
    Cuts,
}

const KINDS: [Kind; 7] = [
    Kind::Largest(RULE_ABOVE_ZERO),
    Kind::Largest(RULE_TIES),
    Kind::Largest(RULE_MAGNITUDE),
    Kind::Largest(RULE_MAGNITUDE | RULE_ABOVE_ZERO),
    Kind::Groups,
    Kind::Thresholds,
    Kind::Cuts,
];

const STRATA: usize = 3;

/// The rules of so many features; groups are of one size.
fn kinds(features: usize, k: usize) -> impl Iterator<Item = Kind> {
    let whole = features.is_multiple_of(k);
    KINDS
        .into_iter()
        .filter(move |&kind| whole || kind != Kind::Groups)
}

/// Rows with what decides on them.
struct Batch {
    kind: Kind,
    features: usize,
    k: usize,
    width: usize,
    thresholds: Vec<f64>,
    cuts: Vec<RowCut>,
    of_row: Vec<u16>,
}

impl Batch {
    fn new(rng: &mut impl Rng, kind: Kind, rows: usize, features: usize, k: usize) -> Self {
        let thresholds = (0..features).map(|f| match f % 9 {
            0 => f64::INFINITY,
            1 => f64::NEG_INFINITY,
            _ => level(rng),
        });
        let thresholds = thresholds.collect();
        let cuts = (0..rows).map(|row| RowCut {
            score: level(rng).max(0.0),
            ties: [0, 3, features as u32 / 2, u32::MAX][row % 4],
            unused: 0,
        });
        Self {
            kind,
            features,
            k,
            width: match kind {
                Kind::Largest(flags) if flags & RULE_TIES == 0 => k,
                _ => features.min(4096),
            },
            thresholds,
            cuts: cuts.collect(),
            of_row: (0..rows)
                .map(|_| rng.random_range(0..STRATA as u16))
                .collect(),
        }
    }

    /// The rule of a row of which so many open atoms fire at most.
    fn rule(&self, row: usize, count: usize) -> Rule<'_> {
        match self.kind {
            Kind::Thresholds => Rule::Thresholds(&self.thresholds),
            Kind::Groups => Rule::Groups(self.features / self.k),
            Kind::Cuts => Rule::Cut(self.cuts[row].score, self.cuts[row].ties),
            Kind::Largest(flags) => Rule::Largest {
                count,
                above_zero: flags & RULE_ABOVE_ZERO != 0,
                magnitude: flags & RULE_MAGNITUDE != 0,
                ties: flags & RULE_TIES != 0,
            },
        }
    }

    /// Adds the rule to arguments, and hands them to `launch`.
    fn launch(&self, work: &Work, args: TallyArgs, launch: impl FnOnce(TallyArgs)) {
        let thresholds = work.upload(&self.thresholds);
        let cuts = work.upload(&self.cuts);
        let strata = work.upload(&self.of_row);
        launch(TallyArgs {
            strata: strata.address(),
            thresholds: match self.kind {
                Kind::Thresholds => thresholds.address(),
                _ => 0,
            },
            cuts: if self.kind == Kind::Cuts {
                cuts.address()
            } else {
                0
            },
            rule: match self.kind {
                Kind::Largest(flags) => flags,
                Kind::Groups => RULE_ABOVE_ZERO | RULE_GROUPS,
                _ => 0,
            },
            rows: self.of_row.len() as u32,
            features: self.features as u32,
            k: self.k as u32,
            strata_count: STRATA as u32,
            ..args
        });
        work.wait();
    }

    fn way(&self) -> String {
        format!("{:?}, F = {}, k = {}", self.kind, self.features, self.k)
    }
}

/// Rows after selection: certain atoms, and scored pairs.
struct Selected {
    states: Vec<RowState>,
    pairs: Vec<RowAtom>,
    scores: Vec<f64>,
    fires: Vec<u32>,
    /// What must come of them.
    expected: Vec<Vec<u32>>,
}

fn select(rng: &mut impl Rng, batch: &Batch) -> Selected {
    let rows = batch.of_row.len();
    let mut selected = Selected {
        states: Vec::new(),
        pairs: Vec::new(),
        scores: Vec::new(),
        fires: vec![UNTOUCHED; rows * batch.width],
        expected: Vec::new(),
    };
    for row in 0..rows {
        let status = [ROW_OPEN, ROW_OPEN, ROW_OVERFLOW, ROW_OPEN, ROW_BAD][row % 5];
        let largest = matches!(batch.kind, Kind::Largest(_));
        let most = if largest { batch.k } else { batch.width };
        let certain = if status == ROW_OPEN {
            rng.random_range(0..=most)
        } else {
            0
        };
        let room = batch.features.min(batch.width.max(batch.k + 9)) - certain;
        let open = if status == ROW_OPEN {
            rng.random_range(0..=room.min(70))
        } else {
            0
        };
        let slots_left = if largest {
            rng.random_range(0..=most - certain)
        } else {
            open
        };
        let of_row = atoms(rng, batch.features, certain + open);
        selected.fires[row * batch.width..][..certain].copy_from_slice(&of_row[..certain]);
        selected.states.push(RowState {
            certain: certain as u32,
            open: open as u32,
            first_pair: selected.pairs.len() as u32,
            status,
            slots_left: slots_left as u32,
        });
        let mut scored = Vec::new();
        for &atom in &of_row[certain..] {
            let row = row as u32;
            selected.pairs.push(RowAtom { row, atom, rank: 0 });
            scored.push((level(rng), atom));
        }
        selected
            .scores
            .extend(scored.iter().map(|&(score, _)| score));
        let mut set = of_row[..certain].to_vec();
        if slots_left > 0 {
            set.extend(fires(&scored, batch.rule(row, slots_left)));
        }
        set.sort_unstable();
        selected.expected.push(set);
    }
    selected
}

fn check_resolved(work: &Work, seed: u64, batch: &Batch) {
    let way = batch.way();
    let selected = select(&mut random(seed), batch);
    let on_device = work.output_from(&selected.fires, selected.fires.len());
    let lengths = work.output::<u32>(batch.of_row.len());
    let cells = vec![2; STRATA * batch.features];
    let cells = work.output_from(&cells, cells.len());
    let (states, pairs) = (work.upload(&selected.states), work.upload(&selected.pairs));
    let scores = work.upload(&selected.scores);
    let args = TallyArgs {
        fires: on_device.address(),
        states: states.address(),
        pairs: pairs.address(),
        score: scores.address(),
        counts: cells.address(),
        lengths: lengths.address(),
        width: batch.width as u32,
        sort_width: batch.width.next_power_of_two() as u32,
        ..TallyArgs::default()
    };
    batch.launch(work, args, |args| {
        // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for
        // before they go.
        unsafe { work.kernels.resolve.launch(&work.stream, &args) }.expect("a launch");
    });
    let (found, lengths) = (work.take(&on_device), work.take(&lengths));
    for (row, expected) in selected.expected.iter().enumerate() {
        let set = &found[row * batch.width..][..lengths[row] as usize];
        assert_eq!(set, expected, "row {row}, {way}");
    }
    let sets = selected.expected.iter().zip(&batch.of_row);
    let sets = sets.map(|(set, &stratum)| (stratum, set.as_slice()));
    let counted = counts(sets, STRATA, batch.features);
    let found = work.take(&cells);
    assert!(
        found.iter().zip(&counted).all(|(a, b)| *a == b + 2),
        "{way}"
    );
}

/// Rows by the scores of all atoms: sets in the order of the list, each with its scores.
fn check_chosen(work: &Work, seed: u64, batch: &Batch) {
    let (way, features, rows) = (batch.way(), batch.features, batch.of_row.len());
    let mut rng = random(seed);
    let listed = atoms(&mut rng, rows, rows.div_ceil(2));
    let scores: Vec<f64> = (0..listed.len() * features)
        .map(|_| level(&mut rng))
        .collect();
    let on_device = work.output_from(&scores, scores.len());
    let sets = work.output::<u32>(scores.len());
    let lengths = work.output::<u32>(listed.len());
    let cells = work.output_from(&vec![0u32; STRATA * features], STRATA * features);
    let list = work.upload(&listed);
    let args = TallyArgs {
        fires: sets.address(),
        score: on_device.address(),
        counts: cells.address(),
        listed: list.address(),
        listed_count: listed.len() as u32,
        lengths: lengths.address(),
        width: features as u32,
        by_slot: 1,
        ..TallyArgs::default()
    };
    batch.launch(work, args, |args| {
        // SAFETY: as above.
        unsafe { work.kernels.resolve.launch_rows(&work.stream, &args) }.expect("a launch");
    });
    let (sets, lengths) = (work.take(&sets), work.take(&lengths));
    let kept = work.take(&on_device);
    let mut expected = Vec::new();
    for (slot, &row) in listed.iter().enumerate() {
        let of_row = &scores[slot * features..(slot + 1) * features];
        let scored: Vec<(f64, u32)> = of_row.iter().copied().zip(0..).collect();
        let set = fires(&scored, batch.rule(row as usize, batch.k));
        assert_eq!(lengths[slot] as usize, set.len(), "row {row}, {way}");
        assert_eq!(
            sets[slot * features..][..set.len()],
            set,
            "row {row}, {way}"
        );
        for (&atom, score) in set.iter().zip(&kept[slot * features..]) {
            assert_eq!(score.to_bits(), of_row[atom as usize].to_bits(), "{way}");
        }
        expected.push((batch.of_row[row as usize], set));
    }
    let sets = expected
        .iter()
        .map(|(stratum, set)| (*stratum, set.as_slice()));
    assert_eq!(work.take(&cells), counts(sets, STRATA, features), "{way}");
}

#[test]
fn rules_resolve_open_pairs() {
    let Some(work) = Work::new() else { return };
    for (seed, (rows, features, k)) in (0..).zip([
        (1, 1, 1),
        (9, 2, 1),
        (21, 70, 5),
        (33, 200, 31),
        (27, 200, 25),
        (11, 4100, 64),
        (6, 5000, 500),
    ]) {
        for kind in kinds(features, k) {
            let batch = Batch::new(&mut random(seed), kind, rows, features, k);
            check_resolved(&work, seed, &batch);
        }
    }
}

#[test]
fn rules_choose_among_all_scores() {
    let Some(work) = Work::new() else { return };
    for (seed, (features, k)) in (0..).zip([
        (1, 1),
        (2, 1),
        (33, 33),
        (1000, 40),
        (2100, 70),
        (1000, 17),
        (1025, 1024),
        (2049, 1),
        (9001, 5000),
    ]) {
        for kind in kinds(features, k) {
            let batch = Batch::new(&mut random(seed), kind, 7, features, k);
            check_chosen(&work, seed, &batch);
        }
    }
}
