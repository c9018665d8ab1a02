use super::Chance;

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
        let chance = Chance::of(1000, totals);
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
                let odds_ratio = chance.odds_ratio(a as u32, b as u32).expect("open");
                assert!(odds_ratio > 0.0 && odds_ratio < 1.0);
            }
        }
    }
}

#[test]
fn atoms_that_always_or_never_fire_take_no_part() {
    let alone = Chance::of(1000, &[250, 250, 251, 249, 700, 300, 600, 400]);
    let with = Chance::of(1000, &[1000, 250, 250, 251, 249, 700, 300, 600, 400, 0]);
    for (a, b) in [(0, 1), (2, 3), (4, 7)] {
        assert_eq!(
            alone.both(a, b).to_bits(),
            with.both(a + 1, b + 1).to_bits()
        );
    }
    assert_eq!(with.both(0, 5), 0.7);
    assert_eq!(with.both(9, 5), 0.0);
    assert!(with.odds_ratio(0, 5).is_none() && with.odds_ratio(9, 5).is_none());
    assert!(Chance::of(0, &[0, 0]).both(0, 1).is_nan());
}

#[test]
fn where_no_other_set_could_be_nothing_is_left_to_chance() {
    let one = Chance::of(10, &[3, 3, 4]);
    assert!(!one.is_open() && one.odds_ratio(0, 1).is_none());
    assert_eq!(one.both(0, 1), 0.0);
    let all_but_one = Chance::of(10, &[7, 7, 6]);
    assert!(!all_but_one.is_open());
    assert_eq!(all_but_one.both(0, 1), 0.4);
}
