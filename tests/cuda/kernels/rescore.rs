//! `kernels/rescore.cu`: every score is the canonical one to the bit.

use atomscope::engine::cuda::driver::Buffer;
use atomscope::engine::cuda::rescore::{FiredArgs, RescoreArgs};
use atomscope::engine::cuda::select::{ROW_BAD, ROW_OPEN, ROW_OVERFLOW, RowAtom, RowState};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::machine::{UNTOUCHED, Work};
use crate::twins::canonical::score;
use crate::twins::numbers::{KINDS, Kind, random, vector};

const NO_PAIR: u32 = u32::MAX;

/// Rows, weights and biases.
struct Model {
    dim: usize,
    features: usize,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Model {
    fn new(seed: u64, rows: usize, dim: usize, features: usize, kinds: [Kind; 2]) -> Self {
        let mut rng = random(seed);
        Self {
            dim,
            features,
            x: vector(&mut rng, kinds[0], rows * dim),
            weight: vector(&mut rng, kinds[1], features * dim),
            bias: vector(&mut rng, Kind::Smooth, features),
        }
    }

    fn score(&self, row: u32, atom: u32) -> f64 {
        let (row, atom) = (row as usize, atom as usize);
        score(
            &self.x[row * self.dim..(row + 1) * self.dim],
            &self.weight[atom * self.dim..(atom + 1) * self.dim],
            self.bias[atom],
        )
    }
}

/// Pairs with gaps, ranks handed out in an order of chance, as blocks of selection do it; and how
/// many pairs each atom has. `popular`: atoms that most pairs share.
fn pairs(
    seed: u64,
    count: usize,
    rows: u32,
    model: &Model,
    popular: u32,
) -> (Vec<RowAtom>, Vec<u32>) {
    let mut rng = random(seed);
    let mut of_atom = vec![0u32; model.features];
    let none = RowAtom {
        row: NO_PAIR,
        atom: 0,
        rank: 0,
    };
    let mut pairs = vec![none; count];
    let mut places: Vec<usize> = (0..count).collect();
    places.shuffle(&mut rng);
    for place in places {
        if rng.random_range(0..8u8) == 0 {
            continue;
        }
        let among = if rng.random_range(0..4u8) > 0 {
            popular.min(model.features as u32)
        } else {
            model.features as u32
        };
        let atom = rng.random_range(0..among);
        pairs[place] = RowAtom {
            row: rng.random_range(0..rows),
            atom,
            rank: of_atom[atom as usize],
        };
        of_atom[atom as usize] += 1;
    }
    (pairs, of_atom)
}

/// `asked`: how many pairs selection asked for, which can be more than there is room for.
fn check_pairs(work: &Work, model: &Model, pairs: &[RowAtom], of_atom: &[u32], asked: u32) {
    let capacity = pairs.len();
    let (x, weight) = (work.upload(&model.x), work.upload(&model.weight));
    let (bias, on_device) = (work.upload(&model.bias), work.upload(pairs));
    let pair_count = work.upload(&[asked]);
    let atom_pairs = work.output_from(of_atom, model.features);
    let order = work.output::<u32>(capacity);
    let ordered = work.output::<u32>(1);
    let scores = work.output::<f64>(capacity);
    let args = RescoreArgs {
        x: x.address(),
        weight: weight.address(),
        bias: bias.address(),
        pairs: on_device.address(),
        pair_count: pair_count.address(),
        atom_pairs: atom_pairs.address(),
        order: order.address(),
        ordered: ordered.address(),
        score: scores.address(),
        listed: 0,
        listed_count: 0,
        dim: model.dim as u32,
        features: model.features as u32,
        pair_capacity: capacity as u32,
    };
    // SAFETY: buffers are as large as the kernels' header says, and the stream is waited for before
    // they go.
    unsafe { work.kernels.rescore.launch_pairs(&work.stream, &args) }.expect("a launch");
    work.wait();

    let real: Vec<usize> = (0..capacity).filter(|&p| pairs[p].row != NO_PAIR).collect();
    assert_eq!(work.take(&ordered), [real.len() as u32]);
    let mut offset = 0;
    for (found, own) in work.take(&atom_pairs).iter().zip(of_atom) {
        assert_eq!(*found, offset);
        offset += own;
    }
    let mut expected = real.clone();
    expected.sort_by_key(|&p| (pairs[p].atom, pairs[p].rank));
    let order = work.take(&order);
    let found: Vec<usize> = order.iter().map(|&p| p as usize).collect();
    assert_eq!(found[..real.len()], expected, "pairs by atom, by rank");
    assert!(order[real.len()..].iter().all(|&place| place == UNTOUCHED));
    for (pair, found) in pairs.iter().zip(work.take(&scores)) {
        let bits = if pair.row == NO_PAIR {
            (u64::from(UNTOUCHED) << 32) | u64::from(UNTOUCHED)
        } else {
            model.score(pair.row, pair.atom).to_bits()
        };
        assert_eq!(found.to_bits(), bits, "{pair:?}, D = {}", model.dim);
    }
}

#[test]
fn pairs_have_canonical_scores() {
    let Some(work) = Work::new() else { return };
    let shapes = [
        // dim, features, rows, pairs, popular atoms
        (1, 1, 1, 1, 1),
        (31, 5, 9, 70, 2),
        (32, 1023, 20, 300, 3),
        (33, 1025, 20, 999, 1),
        (100, 2500, 50, 1500, 40),
        (257, 70, 30, 5, 70),
    ];
    for (seed, (dim, features, rows, count, popular)) in (0..).zip(shapes) {
        for kinds in KINDS.map(|kind| [kind, KINDS[seed as usize % KINDS.len()]]) {
            let model = Model::new(seed, rows, dim, features, kinds);
            let (pairs, of_atom) = pairs(seed, count, rows as u32, &model, popular);
            check_pairs(&work, &model, &pairs, &of_atom, count as u32);
        }
    }
}

#[test]
fn pairs_beyond_the_capacity_are_left_alone() {
    let Some(work) = Work::new() else { return };
    let model = Model::new(1, 9, 40, 60, [Kind::Smooth; 2]);
    let (pairs, of_atom) = pairs(1, 100, 9, &model, 10);
    for asked in [101, 5000, u32::MAX] {
        check_pairs(&work, &model, &pairs, &of_atom, asked);
    }
}

#[test]
fn no_pairs_are_no_work() {
    let Some(work) = Work::new() else { return };
    let model = Model::new(2, 3, 8, 1500, [Kind::Smooth; 2]);
    check_pairs(&work, &model, &[], &vec![0; 1500], 0);
    // Room for some, of which none was asked for.
    let none = RowAtom {
        row: NO_PAIR,
        atom: 0,
        rank: 0,
    };
    check_pairs(&work, &model, &[none; 7], &vec![0; 1500], 0);
}

#[test]
fn listed_rows_are_scored_in_full() {
    let Some(work) = Work::new() else { return };
    for (seed, (dim, features)) in (0..).zip([(1, 1), (33, 70), (70, 1001), (1000, 9)]) {
        for kind in KINDS {
            let model = Model::new(seed, 12, dim, features, [kind, Kind::Wild]);
            let listed = [11u32, 0, 7, 3, 4];
            let (x, weight) = (work.upload(&model.x), work.upload(&model.weight));
            let (bias, rows) = (work.upload(&model.bias), work.upload(&listed));
            let scores = work.output::<f64>(listed.len() * features);
            let args = RescoreArgs {
                x: x.address(),
                weight: weight.address(),
                bias: bias.address(),
                score: scores.address(),
                listed: rows.address(),
                listed_count: listed.len() as u32,
                dim: dim as u32,
                features: features as u32,
                ..RescoreArgs::default()
            };
            // SAFETY: as above.
            unsafe { work.kernels.rescore.launch_rows(&work.stream, &args) }.expect("a launch");
            work.wait();
            let expected = listed
                .iter()
                .flat_map(|&row| (0..features as u32).map(move |atom| (row, atom)));
            for ((row, atom), found) in expected.zip(work.take(&scores)) {
                let twin = model.score(row, atom);
                assert_eq!(found.to_bits(), twin.to_bits(), "row {row}, atom {atom}");
            }
        }
    }
}

#[test]
fn pairs_that_fire_are_listed_row_by_row() {
    let Some(work) = Work::new() else { return };
    // Fewer rows than threads and many more, one atom and several.
    for (seed, (rows, k, features)) in
        (0..).zip([(1, 1, 1), (7, 3, 50), (999, 8, 70), (3, 900, 901)])
    {
        for (with_overflowed, ragged) in [(0u32, false), (1, false), (0, true)] {
            let mut rng = random(seed);
            let length = |row: usize| if ragged { row * 5 % (k + 1) } else { k };
            let lengths: Vec<u32> = (0..rows).map(|row| length(row) as u32).collect();
            let lengths = ragged.then(|| work.upload(&lengths));
            let status = |i: usize| [ROW_OPEN, ROW_OVERFLOW, ROW_BAD][(i * i + 1) % 7 % 3];
            let state = |i| RowState {
                certain: 0,
                open: 0,
                first_pair: 0,
                status: status(i),
                slots_left: 0,
            };
            let states: Vec<RowState> = (0..rows).map(state).collect();
            let resolved = |row: usize| match status(row) {
                ROW_OPEN => true,
                ROW_OVERFLOW => with_overflowed == 1,
                _ => false,
            };
            let fires = |i: usize| resolved(i / k) && i % k < length(i / k);
            // What stands at rows that are not resolved, or beyond a row's length, is no atom.
            let atom = |i: usize| {
                let atom = rng.random_range(0..features as u32);
                if fires(i) { atom } else { UNTOUCHED }
            };
            let sets: Vec<u32> = (0..rows * k).map(atom).collect();
            let (on_device, at) = (work.upload(&sets), work.upload(&states));
            let pairs = work.output::<RowAtom>(rows * k);
            let atom_pairs = work.output_from(&vec![0u32; features], features);
            let pair_count = work.output::<u32>(1);
            let args = FiredArgs {
                fires: on_device.address(),
                states: at.address(),
                lengths: lengths.as_ref().map_or(0, Buffer::address),
                pairs: pairs.address(),
                pair_count: pair_count.address(),
                atom_pairs: atom_pairs.address(),
                rows: rows as u32,
                width: k as u32,
                with_overflowed,
                unused: 0,
            };
            // SAFETY: as above.
            unsafe { work.kernels.rescore.launch_fired(&work.stream, &args) }.expect("a launch");
            work.wait();
            assert_eq!(work.take(&pair_count), [(rows * k) as u32]);
            let mut ranks = vec![Vec::new(); features];
            for (i, pair) in work.take(&pairs).into_iter().enumerate() {
                if fires(i) {
                    assert_eq!((pair.row as usize, pair.atom), (i / k, sets[i]));
                    ranks[pair.atom as usize].push(pair.rank);
                } else {
                    assert_eq!(pair.row, NO_PAIR);
                }
            }
            for (mut ranks, count) in ranks.into_iter().zip(work.take(&atom_pairs)) {
                ranks.sort_unstable();
                assert!(ranks.into_iter().eq(0..count), "each rank once");
            }
        }
    }
}
