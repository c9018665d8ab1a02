//! `kernels/coactivate.cu`: pairs of atoms against a double loop over all pairs and rows.

use atomscope::engine::cuda::coactivate::CoactivateArgs;
use rand::seq::index::sample;
use rand::{Rng, RngExt};

use super::machine::Work;
use crate::twins::numbers::random;

const NO_SLOT: u32 = u32::MAX;

/// Firing sets of `k` of `features` atoms, ascending; some atoms fire on most rows.
fn sets(rng: &mut impl Rng, rows: usize, features: usize, k: usize) -> Vec<u32> {
    let mut fires = Vec::with_capacity(rows * k);
    for _ in 0..rows {
        let among = if rng.random_range(0..3u8) > 0 {
            features.min(k + 3)
        } else {
            features
        };
        let mut set = sample(rng, among, k).into_vec();
        set.sort_unstable();
        fires.extend(set.into_iter().map(|atom| atom as u32));
    }
    fires
}

/// The triangle of pairs of the chosen atoms, row by row.
fn double_loop(fires: &[u32], features: usize, k: usize, chosen: &[u32]) -> Vec<u32> {
    let mut fired = vec![false; fires.len() / k * features];
    for (row, set) in fires.chunks(k).enumerate() {
        for &atom in set {
            fired[row * features + atom as usize] = true;
        }
    }
    let mut counts = Vec::new();
    for (i, &a) in chosen.iter().enumerate() {
        for &b in &chosen[i + 1..] {
            let rows = fired.chunks(features);
            let both = rows.filter(|row| row[a as usize] && row[b as usize]);
            counts.push(both.count() as u32);
        }
    }
    counts
}

/// `chosen`: all atoms where `None`.
fn check(work: &Work, fires: &[u32], features: usize, k: usize, chosen: Option<&[u32]>) {
    let all: Vec<u32> = (0..features as u32).collect();
    let atoms = chosen.unwrap_or(&all);
    let expected = double_loop(fires, features, k, atoms);
    let slots = chosen.map(|chosen| {
        let mut slots = vec![NO_SLOT; features];
        for (slot, &atom) in (0..).zip(chosen) {
            slots[atom as usize] = slot;
        }
        work.upload(&slots)
    });
    let sets = work.upload(fires);
    // Counts are added to what is there.
    let counts = work.output_from(&vec![7; expected.len()], expected.len());
    let args = CoactivateArgs {
        fires: sets.address(),
        slots: slots
            .as_ref()
            .map_or(0, atomscope::engine::cuda::driver::Buffer::address),
        counts: counts.address(),
        rows: (fires.len() / k) as u32,
        k: k as u32,
        chosen: atoms.len() as u32,
        unused: 0,
    };
    // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for before
    // they go.
    unsafe { work.kernels.coactivate.launch(&work.stream, &args) }.expect("a launch");
    work.wait();
    let found: Vec<u32> = work.take(&counts).iter().map(|count| count - 7).collect();
    let way = format!("F = {features}, k = {k}, {} chosen", atoms.len());
    assert_eq!(found, expected, "{way}");
}

#[test]
fn pairs_are_counted_as_a_double_loop_counts_them() {
    let Some(work) = Work::new() else { return };
    let shapes = [
        // rows, features, k
        (5, 1, 1),
        (3, 2, 2),
        (70, 30, 4),
        (40, 90, 33),
        (9, 150, 150),
        (300, 17, 1),
    ];
    for (seed, (rows, features, k)) in (0..).zip(shapes) {
        let mut rng = random(seed);
        let fires = sets(&mut rng, rows, features, k);
        check(&work, &fires, features, k, None);
        for count in [1, features / 3, features] {
            let mut chosen = sample(&mut rng, features, count.max(1)).into_vec();
            chosen.sort_unstable();
            let chosen: Vec<u32> = chosen.into_iter().map(|atom| atom as u32).collect();
            check(&work, &fires, features, k, Some(&chosen));
        }
    }
}

#[test]
fn large_sets_and_grids_are_counted() {
    let Some(work) = Work::new() else { return };
    let mut rng = random(9);
    // More atoms a row than a block has threads, of which few are chosen.
    let fires = sets(&mut rng, 3, 12_000, 11_999);
    let chosen: Vec<u32> = (0..12_000).step_by(37).collect();
    check(&work, &fires, 12_000, 11_999, Some(&chosen));
    // More rows than a grid's second side could have.
    let fires = sets(&mut rng, 66_000, 5, 2);
    check(&work, &fires, 5, 2, None);
}
