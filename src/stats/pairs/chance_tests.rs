use super::super::sizes::Sizes;
use super::Chance;
use crate::fires::FiringSetsBuilder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The frequency of each atom, and of each two, where sets of so many atoms are drawn in proportion to
/// the products of their weights: every set is looked at.
fn enumerated(weights: &[f64], size: usize) -> Vec<Vec<f64>> {
    let atoms = weights.len();
    let (mut all, mut both) = (0.0, vec![vec![0.0; atoms]; atoms]);
    for set in 0_u32..1 << atoms {
        if set.count_ones() as usize != size {
            continue;
        }
        let fires = |atom: usize| set >> atom & 1 == 1;
        let product: f64 = (0..atoms)
            .filter(|&a| fires(a))
            .map(|a| weights[a])
            .product();
        all += product;
        for a in (0..atoms).filter(|&a| fires(a)) {
            for b in (0..atoms).filter(|&b| fires(b)) {
                both[a][b] += product;
            }
        }
    }
    for row in &mut both {
        for sum in row {
            *sum /= all;
        }
    }
    both
}

/// Atoms' totals on 1000 calls; they sum to the size of a call's set, in thousands.
const TOTALS: [&[u64]; 8] = [
    &[500, 500, 500, 500],
    &[100, 300, 301, 302, 997],
    &[1, 2, 3, 994, 999, 1],
    &[250, 250, 251, 249, 700, 300, 600, 400],
    &[990, 990, 991, 995, 20, 7, 3, 4, 600, 400],
    &[10, 10, 11, 12, 957, 999, 999, 2],
    &[900, 900, 100, 100],
    // Half of the calls have two atoms, half three.
    &[300, 300, 400, 500, 999, 1],
];

#[test]
fn frequencies_of_atoms_and_of_pairs_are_those_of_all_sets() {
    for totals in TOTALS {
        let chance = Chance::of(1000, totals, None);
        let shares = chance.atoms.as_ref().expect("more than one set");
        let weights: Vec<f64> = shares.iter().map(|share| share.w).collect();
        let sum: u64 = totals.iter().sum();
        let size = (sum / 1000) as usize;
        let both = if sum.is_multiple_of(1000) {
            enumerated(&weights, size)
        } else {
            let [fewer, more] = [size, size + 1].map(|size| enumerated(&weights, size));
            let mean = |(a, b): (&f64, &f64)| f64::midpoint(*a, *b);
            let rows = fewer.iter().zip(&more);
            rows.map(|(a, b)| a.iter().zip(b).map(mean).collect())
                .collect()
        };
        for (a, &total) in totals.iter().enumerate() {
            let found = both[a][a] * 1000.0 / total as f64;
            assert!((found - 1.0).abs() < 1e-10, "{totals:?} {a}: {found}");
            for b in (0..totals.len()).filter(|&b| b != a) {
                let found = chance.both(a as u32, b as u32);
                assert!(
                    (found / both[a][b] - 1.0).abs() < 1e-9,
                    "{totals:?} {a} {b}: {found}"
                );
                assert_eq!(found.to_bits(), chance.both(b as u32, a as u32).to_bits());
                let open = chance.open(a as u32, b as u32, 0).expect("open");
                let odds_ratio = open.odds_ratio;
                assert!(odds_ratio > 0.0 && odds_ratio < 1.0);
            }
        }
    }
}

#[test]
fn atoms_that_always_or_never_fire_take_no_part() {
    let alone = Chance::of(1000, &[250, 250, 251, 249, 700, 300, 600, 400], None);
    let with = Chance::of(
        1000,
        &[1000, 250, 250, 251, 249, 700, 300, 600, 400, 0],
        None,
    );
    for (a, b) in [(0, 1), (2, 3), (4, 7)] {
        assert_eq!(
            alone.both(a, b).to_bits(),
            with.both(a + 1, b + 1).to_bits()
        );
    }
    assert_eq!(with.both(0, 5), 0.7);
    assert_eq!(with.both(9, 5), 0.0);
    assert!(with.open(0, 5, 0).is_none() && with.open(9, 5, 0).is_none());
    assert!(Chance::of(0, &[0, 0], None).both(0, 1).is_nan());
}

#[test]
fn where_no_other_set_could_be_nothing_is_left_to_chance() {
    let one = Chance::of(10, &[3, 3, 4], None);
    assert!(!one.is_open() && one.open(0, 1, 0).is_none());
    assert_eq!(one.both(0, 1), 0.0);
    let all_but_one = Chance::of(10, &[7, 7, 6], None);
    assert!(!all_but_one.is_open());
    assert_eq!(all_but_one.both(0, 1), 0.4);
}

/// Rows of any size: on how many of them each atom fires, and how many have each size.
fn counted(atoms: usize, rows: &[Vec<u32>]) -> (Vec<u64>, Sizes) {
    let mut fires = vec![0; atoms];
    let mut builder = FiringSetsBuilder::default();
    for row in rows {
        builder.push(row);
        for &atom in row {
            fires[atom as usize] += 1;
        }
    }
    let mut sizes = Sizes::default();
    builder
        .rows()
        .iter()
        .for_each(|set| sizes.add_calls(set.len(), 1));
    (fires, sizes)
}

/// Rows of which some have no atom, some few and some all, the last atoms oftener than the first.
fn ragged_rows(atoms: usize, rows: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let row = |row: usize| {
        let rate = [0.0, 0.05, 0.3, 0.6, 0.95, 1.0][row % 6];
        let fires = |&atom: &u32| {
            let often = f64::from(atom + 1) / atoms as f64;
            rate == 1.0 || draw.random_bool((rate * (0.4 + often)).min(1.0))
        };
        (0..atoms as u32).filter(fires).collect()
    };
    (0..rows).map(row).collect()
}

#[test]
fn both_with_sets_of_any_size_is_that_of_all_sets() {
    for seed in 0..6 {
        let (atoms, rows) = (9, ragged_rows(9, 600, seed));
        let (fires, sizes) = counted(atoms, &rows);
        let chance = Chance::of(600, &fires, Some(&sizes));
        let shares = chance.atoms.as_ref().expect("more than one set");
        let weights: Vec<f64> = shares.iter().map(|share| share.w).collect();
        let mut both = vec![vec![0.0; atoms]; atoms];
        for (size, calls) in sizes.iter().filter(|&(size, _)| size > 0) {
            let of_size = enumerated(&weights, size);
            for (sums, row) in both.iter_mut().zip(of_size) {
                let each = sums.iter_mut().zip(row);
                each.for_each(|(sum, share)| *sum += share * calls as f64 / 600.0);
            }
        }
        for (a, &total) in fires.iter().enumerate() {
            let found = both[a][a] * 600.0 / total as f64;
            assert!((found - 1.0).abs() < 1e-10, "{seed} {a}: {found}");
            for b in (0..atoms).filter(|&b| b != a) {
                let found = chance.both(a as u32, b as u32);
                let expected = both[a][b];
                assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
                assert_eq!(found.to_bits(), chance.both(b as u32, a as u32).to_bits());
            }
        }
        // Large sets have all atoms together: more often than independent ones.
        let open = chance.open(0, 1, rows.len() as u64).expect("open");
        assert!(open.odds_ratio > 1.0, "{open:?}");
        assert_eq!(
            open.calls + chance.core.full,
            600 - sizes.iter().next().map_or(0, |s| s.1)
        );
    }
}

#[test]
fn pairs_add_up_to_those_of_the_sets_however_unlike_their_sizes_are() {
    for (atoms, count) in [(40, 300), (300, 900)] {
        let rows = ragged_rows(atoms, count, 11);
        let (fires, sizes) = counted(atoms, &rows);
        let chance = Chance::of(count as u64, &fires, Some(&sizes));
        let pairs = (0..atoms as u32).flat_map(|a| (0..a).map(move |b| (a, b)));
        let found: f64 = pairs.map(|(a, b)| chance.both(a, b)).sum();
        let of_rows = rows
            .iter()
            .map(|row| (row.len() * row.len().saturating_sub(1) / 2) as f64);
        let expected = of_rows.sum::<f64>() / count as f64;
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        let least = sizes.iter().map(|(size, _)| size).find(|&size| size > 0);
        assert!(
            least.is_some_and(|least| least * 8 < atoms),
            "sizes are unlike"
        );
    }
}

#[test]
fn atoms_that_sizes_leave_no_choice_are_nested() {
    // Once the empty and the full call are set aside, atom 0 fires on all others, and then, the call
    // of atom 0 alone set aside, atoms 1 to 3 are left, two of them on a call.
    let rows = [
        &[][..],
        &[0, 1, 2, 3],
        &[0],
        &[0, 1, 2],
        &[0, 1, 3],
        &[0, 2, 3],
        &[0, 1, 2],
    ];
    let (fires, sizes) = counted(5, &rows.map(<[u32]>::to_vec));
    let chance = Chance::of(7, &fires, Some(&sizes));
    assert!((0..5).all(|atom| chance.varies(atom) == (1..4).contains(&atom)));
    assert_eq!(chance.both(0, 1), 4.0 / 7.0);
    assert_eq!(chance.both(4, 1), 0.0);
    assert!(chance.open(0, 1, 4).is_none());
    // All but one of three: no pair could be another.
    assert!(!chance.is_open());
    assert_eq!(chance.both(1, 2), 3.0 / 7.0);
    assert_eq!(chance.both(1, 3), 2.0 / 7.0);
}

#[test]
fn sizes_that_are_all_one_change_no_bit() {
    let fires = [250, 250, 251, 249, 700, 300, 600, 400, 1000];
    let mut rows = FiringSetsBuilder::default();
    (0..1000).for_each(|_| rows.push(&[0, 1, 2, 3]));
    let mut sizes = Sizes::default();
    rows.rows()
        .iter()
        .for_each(|set| sizes.add_calls(set.len(), 1));
    let known = Chance::of(1000, &fires, Some(&sizes));
    let unknown = Chance::of(1000, &fires, None);
    for (a, b) in [(0, 1), (2, 3), (4, 7), (3, 8)] {
        assert_eq!(known.both(a, b).to_bits(), unknown.both(a, b).to_bits());
        assert_eq!(known.open(a, b, 200), unknown.open(a, b, 200));
    }
}
