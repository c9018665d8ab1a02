//! A cohort of calls as they are made, and the naive twin of a replication: Fisher's test by
//! enumeration in whole numbers, adjustment and ranks by their definitions.

use std::error::Error;

use atomscope::stats::evidence::{Category, Partition};
use atomscope::stats::inference::Estimate;
use atomscope::stats::replication::{Agreement, Replication, Split};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) const ATOMS: usize = 40;
const MIN_SUPPORT: u64 = 3;

pub(crate) fn group(name: &str, tp: u64, fp: u64) -> Category {
    Category {
        name: name.to_owned(),
        tp,
        fp,
    }
}

/// Groups of calls, and for each the true and the false calls on which each atom fires.
pub(crate) struct Cohort {
    pub(crate) groups: Vec<Category>,
    pub(crate) fires: Vec<[Vec<u64>; 2]>,
}

/// Calls one by one. An atom of every four leans to true calls, one to false ones, one not, and one
/// fires on the first chromosome alone.
pub(crate) fn cohort(seed: u64) -> Cohort {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut groups = Vec::new();
    let mut fires = Vec::new();
    for number in 0..5 {
        let calls = random.random_range(2..30);
        let mut counts = [vec![0; ATOMS], vec![0; ATOMS]];
        let mut labels = [0, 0];
        for _ in 0..calls {
            let label = usize::from(random.random::<f64>() < 0.4);
            labels[label] += 1;
            for (atom, count) in counts[label].iter_mut().enumerate() {
                let [on_tp, on_fp] = [[0.9, 0.1], [0.2, 0.7], [0.5, 0.5], [0.9, 0.0]][atom % 4];
                let elsewhere = atom % 4 == 3 && number > 0;
                let chance = match label {
                    _ if elsewhere => 0.0,
                    0 => on_tp,
                    _ => on_fp,
                };
                *count += u64::from(random.random::<f64>() < chance);
            }
        }
        groups.push(group(&format!("chr{number}"), labels[0], labels[1]));
        fires.push(counts);
    }
    Cohort { groups, fires }
}

impl Cohort {
    pub(crate) fn replication(&self) -> Result<Replication, Box<dyn Error>> {
        let split = Split::of(Partition::Chrom, &self.groups)?;
        let counts = |group: usize| self.fires[group].each_ref().map(Vec::as_slice);
        let tables = split.tables(ATOMS, counts)?;
        Ok(Replication::of(split, &tables, MIN_SUPPORT)?)
    }

    /// Cells a, b, c, d of an atom over the groups of a part.
    pub(crate) fn cells(&self, part: &[String], atom: usize) -> [u64; 4] {
        let mut cells = [0; 4];
        for (group, fires) in self.groups.iter().zip(&self.fires) {
            if part.contains(&group.name) {
                for (label, calls) in [group.tp, group.fp].into_iter().enumerate() {
                    cells[label] += fires[label][atom];
                    cells[2 + label] += calls - fires[label][atom];
                }
            }
        }
        cells
    }
}

fn choose(n: u64, k: u64) -> u128 {
    (0..k).fold(1, |c, i| c * u128::from(n - i) / u128::from(i + 1))
}

/// All tables with these margins that are at most as probable, in whole numbers.
pub(crate) fn fisher([a, b, c, d]: [u64; 4]) -> f64 {
    let (fires, tp, n) = (a + b, a + c, a + b + c + d);
    let ways = |x: u64| {
        let possible = x <= tp && fires >= x && fires - x <= n - tp;
        if possible {
            choose(tp, x) * choose(n - tp, fires - x)
        } else {
            0
        }
    };
    let as_rare: u128 = (0..=fires).map(ways).filter(|&w| w <= ways(a)).sum();
    as_rare as f64 / choose(n, fires) as f64
}

pub(crate) fn log_odds([a, b, c, d]: [u64; 4]) -> f64 {
    let half = |x: u64| x as f64 + 0.5;
    ((half(a) * half(d)) / (half(b) * half(c))).ln()
}

/// Benjamini and Hochberg by definition: the least level at which the procedure rejects it.
fn adjusted(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let made: Vec<f64> = p.iter().copied().flatten().collect();
    let level = |q: f64| {
        let rank = made.iter().filter(|&&other| other <= q).count();
        q * made.len() as f64 / rank as f64
    };
    let of = |own: f64| {
        let larger = made.iter().filter(|&&q| q >= own);
        larger.map(|&q| level(q)).fold(1.0, f64::min)
    };
    p.iter().map(|p| p.map(of)).collect()
}

fn pearson(pairs: &[[f64; 2]]) -> f64 {
    let n = pairs.len() as f64;
    let sum = |f: &dyn Fn(&[f64; 2]) -> f64| pairs.iter().map(f).sum::<f64>();
    let (x, y) = (sum(&|p| p[0]), sum(&|p| p[1]));
    let covariance = n * sum(&|p| p[0] * p[1]) - x * y;
    let variance = |i: usize, s: f64| n * sum(&|p| p[i] * p[i]) - s * s;
    covariance / (variance(0, x) * variance(1, y)).sqrt()
}

/// Ranks by counting: those below, and half of those that are equal.
fn ranks(pairs: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let rank = |i: usize, own: f64| {
        let below = pairs.iter().filter(|p| p[i] < own).count() as f64;
        let equal = pairs.iter().filter(|p| p[i] == own).count() as f64;
        below + 0.5 * equal + 0.5
    };
    pairs
        .iter()
        .map(|p| [rank(0, p[0]), rank(1, p[1])])
        .collect()
}

pub(crate) fn near(found: f64, expected: f64) {
    let scale = expected.abs().max(1e-300);
    assert!(
        (found - expected).abs() <= 1e-10 * scale,
        "{found} {expected}"
    );
}

pub(crate) fn check_correlation(found: [Option<f64>; 2], pairs: &[[f64; 2]]) {
    let varies = |i: usize| pairs.iter().any(|p| p[i] != pairs[0][i]);
    if pairs.len() < 3 || !varies(0) || !varies(1) {
        assert_eq!(found, [None, None]);
        return;
    }
    let expected = [pearson(pairs), pearson(&ranks(pairs))];
    for (found, expected) in found.into_iter().zip(expected) {
        let found = found.expect("a correlation");
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}

/// What the naive twin says of a direction.
pub(crate) struct Twin {
    pub(crate) discovery: Vec<Option<f64>>,
    pub(crate) confirmation: Vec<Option<f64>>,
    pub(crate) pairs: Vec<Option<[f64; 2]>>,
}

impl Twin {
    pub(crate) fn of(cohort: &Cohort, parts: [&[String]; 2]) -> Self {
        let p = |part: &[String], atom: usize| {
            let cells @ [a, b, c, d] = cohort.cells(part, atom);
            let tested = a + b >= MIN_SUPPORT && c + d > 0 && a + c > 0 && b + d > 0;
            tested.then(|| fisher(cells))
        };
        let all = |part: &[String]| (0..ATOMS).map(|atom| p(part, atom)).collect::<Vec<_>>();
        let [first, second] = parts.map(all);
        let discovery = adjusted(&first);
        let follow =
            |(p, fdr): (&Option<f64>, &Option<f64>)| p.filter(|_| fdr.is_some_and(|q| q < 0.05));
        let followed: Vec<_> = second.iter().zip(&discovery).map(follow).collect();
        let effects = |atom: usize| parts.map(|part| log_odds(cohort.cells(part, atom)));
        let pairs = (0..ATOMS).map(|i| first[i].and(second[i]).map(|_| effects(i)));
        Self {
            pairs: pairs.collect(),
            confirmation: adjusted(&followed),
            discovery,
        }
    }

    pub(crate) fn check(&self, found: &Agreement) {
        let below = |fdr: &Option<f64>| fdr.is_some_and(|q| q < 0.05);
        let discovered = self.discovery.iter().filter(|fdr| below(fdr)).count();
        assert_eq!(found.discovered, discovered);
        let tested: Vec<usize> = (0..ATOMS)
            .filter(|&i| self.confirmation[i].is_some())
            .collect();
        assert_eq!(found.tested, tested.len());
        let agrees = |i: &usize| self.pairs[*i].is_some_and(|[x, y]| x * y > 0.0);
        let concordant = tested.iter().filter(|i| agrees(i)).count();
        assert_eq!(found.concordant, concordant);
        let replicated = tested
            .iter()
            .filter(|i| agrees(i) && below(&self.confirmation[**i]));
        let replicated = replicated.count();
        assert_eq!(found.replicated, replicated);
        wilson(found.concordance, concordant, tested.len());
        wilson(found.replication, replicated, tested.len());
        let pairs: Vec<_> = self.pairs.iter().flatten().copied().collect();
        assert_eq!(found.all.atoms, pairs.len());
        check_correlation([found.all.pearson, found.all.spearman], &pairs);
        let pairs: Vec<_> = tested.iter().filter_map(|&i| self.pairs[i]).collect();
        let found = found.among_discovered;
        assert_eq!(found.atoms, pairs.len());
        check_correlation([found.pearson, found.spearman], &pairs);
    }
}

/// Both ends solve (p̂ − p)² = z²·p(1 − p)/n.
fn wilson(found: Option<Estimate>, count: usize, of: usize) {
    let Some(found) = found else {
        assert_eq!(of, 0);
        return;
    };
    let share = count as f64 / of as f64;
    near(found.value, share);
    for end in [found.low, found.high] {
        let left = (share - end) * (share - end);
        let right = 1.959_963_984_540_054_f64.powi(2) * end * (1.0 - end) / of as f64;
        assert!((left - right).abs() < 1e-12, "{found:?}");
    }
    assert!(found.low <= share && share <= found.high && found.low < found.high);
}
