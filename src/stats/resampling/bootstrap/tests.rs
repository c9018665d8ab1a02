//! Tests of weights from their definition, and of tables by counting calls one by one.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::blocks::Blocks;
use super::make_ups::Silent;
use super::{Bootstrap, CallLabels, TOGETHER, centred_interval, percentile_interval};
use crate::control::Control;
use crate::error::Error;
use crate::fires::FiringSets;
use crate::fires::by_atom::FiringsByAtom;
use crate::stats::inference::Table2x2;

const CALLS: usize = 700;
const ATOMS: usize = 9;
const K: usize = 2;

struct Cohort {
    is_tp: Vec<bool>,
    part: Vec<bool>,
    atoms: Vec<u32>,
    blocks: Blocks,
}

/// Makes calls in blocks of one to five. Atom 8 never fires.
fn cohort() -> Cohort {
    let mut draw = ChaCha8Rng::seed_from_u64(3);
    let mut cohort = Cohort {
        is_tp: (0..CALLS).map(|_| draw.random_bool(0.6)).collect(),
        part: (0..CALLS).map(|_| draw.random_bool(0.3)).collect(),
        atoms: Vec::new(),
        blocks: Blocks::default(),
    };
    for row in 0..CALLS {
        let first = draw.random_range(0..4);
        cohort.atoms.extend([first, draw.random_range(4..8)]);
        if row == 0 || draw.random_bool(0.4) {
            cohort.blocks.count += 1;
        }
        cohort.blocks.of_call.push(cohort.blocks.count - 1);
    }
    // Blocks need not be runs of calls.
    cohort.blocks.of_call.reverse();
    cohort.blocks.of_call.swap(3, 400);
    cohort
}

fn labels(cohort: &Cohort) -> CallLabels {
    CallLabels::new(&cohort.is_tp, |row| cohort.part[row])
}

fn bootstrap(blocks: &Blocks, replicates: usize, seed: u64) -> Bootstrap<'_> {
    Bootstrap {
        blocks,
        replicates,
        seed,
    }
}

#[test]
fn weights_are_multinomial() {
    let cohort = cohort();
    let labels = labels(&cohort);
    let n = f64::from(cohort.blocks.count);
    let replicates = 1000;
    let bootstrap = bootstrap(&cohort.blocks, replicates, 7);
    let mut of_block: Vec<Vec<u32>> = vec![Vec::new(); cohort.blocks.count as usize];
    for index in 0..bootstrap.draws() {
        let draw = bootstrap.draw(index, &labels).expect("one cohort");
        let mut seen = vec![None; cohort.blocks.count as usize];
        for call in 0..CALLS as u32 {
            let block = cohort.blocks.of_call[call as usize] as usize;
            let weights = *draw.weights(call);
            assert!(seen[block].is_none_or(|others| others == weights));
            seen[block] = Some(weights);
        }
        let used = draw.replicates().len();
        for replicate in 0..TOGETHER {
            let weight = |block: &Option<[u8; TOGETHER]>| u32::from(block.expect("all")[replicate]);
            let sum: u32 = seen.iter().map(weight).sum();
            let expected = if replicate < used {
                cohort.blocks.count
            } else {
                0
            };
            assert_eq!(sum, expected);
        }
        for (all, weights) in of_block.iter_mut().zip(&seen) {
            all.extend(
                weights.expect("all")[..used]
                    .iter()
                    .map(|&it| u32::from(it)),
            );
        }
    }
    // Each block has mean 1 and variance 1 − 1/n; two blocks have covariance −1/n, from the fixed
    // sum. Weights of 0, 1 and 2 are as frequent as the binomial distribution says.
    let share = |wanted: u32, p: f64| {
        for weights in &of_block {
            assert_eq!(weights.len(), replicates);
            let found = weights.iter().filter(|&&weight| weight == wanted).count() as f64;
            let sd = (replicates as f64 * p * (1.0 - p)).sqrt();
            let apart = (found - replicates as f64 * p).abs();
            assert!(apart < 5.0 * sd, "{wanted}: {found}");
        }
    };
    let none = (1.0 - 1.0 / n).powf(n);
    share(0, none);
    share(1, none / (1.0 - 1.0 / n));
    share(2, none / (1.0 - 1.0 / n).powi(2) * (n - 1.0) / (2.0 * n));
}

#[test]
fn tables_match_counting_calls() {
    let cohort = cohort();
    let labels = labels(&cohort);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let bootstrap = bootstrap(&cohort.blocks, 70, 1);
    let mut replicates_seen = Vec::new();
    for index in 0..bootstrap.draws() {
        let draw = bootstrap.draw(index, &labels).expect("one cohort");
        let check = |atom: u32, replicates: &super::Replicates| {
            for replicate in 0..replicates.len() {
                let mut expected = [Table2x2::default(); 2];
                for row in 0..CALLS {
                    let table = &mut expected[usize::from(cohort.part[row])];
                    let fires = cohort.atoms[row * K..][..K].contains(&atom);
                    let cell = match (fires, cohort.is_tp[row]) {
                        (true, true) => &mut table.tp_on,
                        (true, false) => &mut table.fp_on,
                        (false, true) => &mut table.tp_off,
                        (false, false) => &mut table.fp_off,
                    };
                    *cell += u64::from(draw.weights(row as u32)[replicate]);
                }
                let found = [0, 1].map(|part| replicates.table(part, replicate));
                assert_eq!(found, expected);
            }
            (atom, replicates.len())
        };
        let seen = draw.of_atoms(&firings, check).expect("one cohort");
        let expected: Vec<_> = (0..ATOMS as u32)
            .map(|it| (it, draw.replicates().len()))
            .collect();
        assert_eq!(seen, expected);
        replicates_seen.extend(draw.replicates());
    }
    assert_eq!(replicates_seen, (0..70).collect::<Vec<_>>());
}

/// Checks weights of 255 for all of 257 calls, which 16 bits just hold; more calls continue in 64
/// bits.
#[test]
fn large_weights_add_up() {
    let calls = 600;
    let blocks = Blocks {
        of_call: vec![0; calls],
        count: 1,
    };
    let labels = CallLabels::new(&vec![true; calls], |_| false);
    let mut draw = bootstrap(&blocks, 1, 0)
        .draw(0, &labels)
        .expect("one cohort");
    assert_eq!(
        draw.weights(5)[..2],
        [1, 0],
        "the one block is always drawn"
    );
    draw.weights[0] = [255; TOGETHER];
    draw.totals = draw.total();
    let firings = FiringsByAtom::new(FiringSets::uniform(1, vec![0; calls], vec![]).all(), 1);
    let found = draw.of_atoms(&firings, |_, replicates| replicates.table(0, 0).tp_on);
    assert_eq!(found.expect("one cohort"), [600 * 255]);
}

/// Checks the precision of all calls: its deviation over replicates is that of blocks, not of
/// calls.
#[test]
fn intervals_have_the_width_of_blocks() {
    let mut draw = ChaCha8Rng::seed_from_u64(12);
    let each = 6;
    let of_block: Vec<bool> = (0..150).map(|_| draw.random_bool(0.7)).collect();
    let is_tp: Vec<bool> = (0..150 * each).map(|row| of_block[row / each]).collect();
    let blocks = Blocks {
        of_call: (0..is_tp.len()).map(|row| (row / each) as u32).collect(),
        count: 150,
    };
    let calls = CallLabels::new(&is_tp, |_| false);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(1, vec![0; is_tp.len()], vec![]).all(),
        1,
    );
    let precision = |_, [table, _]: [Table2x2; 2]| table.tp_on as f64 / table.fires() as f64;
    let intervals = bootstrap(&blocks, 2000, 3)
        .intervals(&calls, &firings, &precision, &Control::default())
        .expect("one cohort");
    let p = of_block.iter().filter(|&&is_tp| is_tp).count() as f64 / 150.0;
    let half = 1.96 * (p * (1.0 - p) / 150.0).sqrt();
    let (low, high) = intervals[0];
    assert!((low - (p - half)).abs() < 0.15 * half, "{low} {p} {half}");
    assert!((high - (p + half)).abs() < 0.15 * half, "{high} {p} {half}");
}

#[test]
fn bootstrap_depends_on_seed_not_on_threads_groups_or_draws() {
    let cohort = cohort();
    let labels = labels(&cohort);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let statistic = |atom: u32, [first, second]: [Table2x2; 2]| {
        let share = |table: &Table2x2| table.tp_on as f64 / (1 + table.fires()) as f64;
        f64::from(atom) + share(&first) - share(&second)
    };
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            bootstrap(&cohort.blocks, 130, seed)
                .intervals(&labels, &firings, &statistic, &Control::default())
                .expect("one cohort")
        })
    };
    let one = with(1, 4);
    assert_eq!(with(3, 4), one);
    assert_ne!(with(1, 5), one);
    for (atom, (low, high)) in one.into_iter().enumerate().take(8) {
        assert!(low < high && (atom as f64 - 1.0..atom as f64 + 1.0).contains(&low));
    }
    let none = bootstrap(&cohort.blocks, 0, 1).intervals(
        &labels,
        &firings,
        &statistic,
        &Control::default(),
    );
    assert!(
        none.expect("one cohort")
            .iter()
            .all(|(low, high)| low.is_nan() && high.is_nan())
    );
}

#[test]
fn bootstrap_refuses_other_calls_and_can_be_cancelled() {
    let cohort = cohort();
    let labels = labels(&cohort);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let bootstrap = bootstrap(&cohort.blocks, 10, 1);
    let error = |result: crate::error::Result<()>| result.expect_err("refused").to_string();
    let short = CallLabels::new(&cohort.is_tp[1..], |_| false);
    assert!(error(bootstrap.draw(0, &short).map(|_| ())).contains("blocks of 700 calls"));
    assert!(error(bootstrap.draw(1, &labels).map(|_| ())).contains("one below 1"));
    let draw = bootstrap.draw(0, &labels).expect("one cohort");
    let beyond = FiringsByAtom::new(FiringSets::uniform(1, vec![0; CALLS + 1], vec![]).all(), 1);
    assert!(error(draw.of_atoms(&beyond, |_, _| ()).map(|_| ())).contains("call 700"));
    let control = Control::default().cancel_when(&|| true);
    let end = bootstrap.intervals(&labels, &firings, &|_, _| 0.0, &control);
    assert!(matches!(end, Err(Error::Cancelled)));
}

/// Checks against numpy's `np.percentile(x, [2.5, 97.5])`.
#[test]
fn percentile_interval_matches_numpy() {
    let mut values: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 200).sqrt()).collect();
    let numpy = (2.230_166_278_062_295, 13.929_284_571_348_74);
    assert_eq!(percentile_interval(&mut values), numpy);
    assert_eq!(percentile_interval(&mut [3.0]), (3.0, 3.0));
    assert_eq!(percentile_interval(&mut [2.0, 1.0]), (1.025, 1.975));
    for mut undefined in [vec![], vec![1.0, f64::NAN], vec![-f64::NAN, 1.0]] {
        let (low, high) = percentile_interval(&mut undefined);
        assert!(low.is_nan() && high.is_nan());
    }
}

#[test]
fn centred_interval_has_the_replicates_spread_around_the_estimate() {
    let replicates: Vec<f64> = (0..=200).map(|i| f64::from(i) / 1000.0).collect();
    let of = |estimate, range| centred_interval(&mut replicates.clone(), estimate, range);
    // Their median is 0.1, their percentile interval 0.005 to 0.195.
    let near = |(low, high): (f64, f64), expected: [f64; 2]| {
        assert!((low - expected[0]).abs() < 1e-12 && (high - expected[1]).abs() < 1e-12);
    };
    near(of(Some(0.5), -1.0..=1.0), [0.405, 0.595]);
    near(of(Some(0.95), 0.0..=1.0), [0.855, 1.0]);
    near(of(Some(-0.95), -1.0..=1.0), [-1.0, -0.855]);
    assert!(of(None, 0.0..=1.0).0.is_nan());
    let (low, high) = centred_interval(&mut [0.5, f64::NAN], Some(0.5), 0.0..=1.0);
    assert!(low.is_nan() && high.is_nan());
}

/// Checks the tables of replicates by make-ups against those of drawn blocks: moments and quantiles
/// of every cell.
#[test]
fn make_ups_have_the_law_of_drawn_blocks() {
    let cohort = cohort();
    let labels = labels(&cohort);
    let firings = FiringsByAtom::new(
        FiringSets::uniform(K, cohort.atoms.clone(), vec![]).all(),
        ATOMS,
    );
    let replicates = 4000;
    let drawn = bootstrap(&cohort.blocks, replicates, 9);
    let cells = |tables: [Table2x2; 2]| tables.map(|table| table.cells()).concat();
    let mut direct = vec![Vec::new(); ATOMS];
    for index in 0..drawn.draws() {
        let draw = drawn.draw(index, &labels).expect("one cohort");
        let of_draw = draw.of_atoms(&firings, |_, replicates| {
            let tables = |place| [0, 1].map(|part| replicates.table(part, place));
            (0..replicates.len())
                .map(|place| cells(tables(place)))
                .collect::<Vec<_>>()
        });
        for (all, more) in direct.iter_mut().zip(of_draw.expect("one cohort")) {
            all.extend(more);
        }
    }
    let silent = Silent::of(&cohort.blocks, &labels);
    for atom in [0, 5, 8] {
        let make_ups = silent.with(firings.of(atom));
        let by_number: Vec<_> = (0..replicates as u64)
            .map(|replicate| {
                let mut random = ChaCha8Rng::seed_from_u64(replicate);
                cells(make_ups.draw(&mut random))
            })
            .collect();
        for cell in 0..8 {
            let of = |all: &[Vec<u64>]| {
                let mut all: Vec<f64> = all.iter().map(|cells| cells[cell] as f64).collect();
                all.sort_by(f64::total_cmp);
                let n = all.len() as f64;
                let mean = all.iter().sum::<f64>() / n;
                let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                let quantiles = [0.025, 0.25, 0.5, 0.75, 0.975].map(|p| all[(p * n) as usize]);
                (mean, variance, quantiles)
            };
            let (right, found) = (of(&direct[atom as usize]), of(&by_number));
            let sd = right.1.sqrt();
            let close = |a: f64, b: f64, within: f64| {
                assert!((a - b).abs() <= within, "{atom} {cell}: {a} {b}");
            };
            let error = sd * (2.0 / replicates as f64).sqrt();
            close(found.0, right.0, 5.0 * error);
            close(found.1, right.1, 0.16 * right.1);
            for (found, right) in found.2.into_iter().zip(right.2) {
                close(found, right, 0.2 * sd + 1.0);
            }
        }
    }
}
