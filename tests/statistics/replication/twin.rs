//! A cohort of calls as they are made, and the naive twin of a replication: the exact test within strata
//! by enumeration in whole numbers, adjustment and ranks by their definitions.

use std::error::Error;

use atomscope::stats::evidence::{Category, Partition};
use atomscope::stats::inference::Estimate;
use atomscope::stats::replication::{Agreement, Cells, InPart, Replication, Split};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) const ATOMS: usize = 40;
const MIN_SUPPORT: u64 = 3;
const STRATA: u32 = 2;

pub(crate) fn group(name: &str, tp: u64, fp: u64) -> Category {
    Category {
        name: name.to_owned(),
        tp,
        fp,
    }
}

/// A call of a chromosome.
pub(crate) struct Call {
    pub(crate) chrom: usize,
    pub(crate) stratum: u32,
    pub(crate) is_tp: bool,
}

/// Calls of some chromosomes, and those on which each atom fires, ascending.
pub(crate) struct Cohort {
    pub(crate) chroms: usize,
    pub(crate) calls: Vec<Call>,
    pub(crate) fires: Vec<Vec<u32>>,
}

/// An atom of every four leans to true calls, one to false ones, one not, and one fires on the first
/// chromosome alone. True calls are more frequent in the first stratum.
pub(crate) fn cohort(seed: u64) -> Cohort {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cohort = Cohort {
        chroms: 5,
        calls: Vec::new(),
        fires: vec![Vec::new(); ATOMS],
    };
    for chrom in 0..cohort.chroms {
        for _ in 0..random.random_range(2..40) {
            let stratum = random.random_range(0..STRATA);
            let is_tp = random.random_bool([0.7, 0.5][stratum as usize]);
            let row = cohort.calls.len() as u32;
            for (atom, fires) in cohort.fires.iter_mut().enumerate() {
                let [on_tp, on_fp] = [[0.9, 0.1], [0.2, 0.7], [0.5, 0.5], [0.9, 0.0]][atom % 4];
                let elsewhere = atom % 4 == 3 && chrom > 0;
                let chance = match is_tp {
                    _ if elsewhere => 0.0,
                    true => on_tp,
                    false => on_fp,
                };
                if random.random_bool(chance) {
                    fires.push(row);
                }
            }
            cohort.calls.push(Call {
                chrom,
                stratum,
                is_tp,
            });
        }
    }
    cohort
}

impl Cohort {
    pub(crate) fn replication(&self) -> Result<Replication, Box<dyn Error>> {
        let of = |chrom: usize, is_tp: bool| {
            let calls = self.calls.iter();
            calls
                .filter(|call| call.chrom == chrom && call.is_tp == is_tp)
                .count() as u64
        };
        let groups = (0..self.chroms).map(|it| group(&name(it), of(it, true), of(it, false)));
        let split = Split::of(Partition::Chrom, &groups.collect::<Vec<_>>())?;
        let is_tp: Vec<bool> = self.calls.iter().map(|call| call.is_tp).collect();
        let strata: Vec<u32> = self.calls.iter().map(|call| call.stratum).collect();
        let cells = Cells::new(&is_tp, &strata, |call| {
            split.part_of[self.calls[call].chrom]
        })?;
        let of_atom = |fires: &Vec<u32>| {
            let tables = cells.tables(fires);
            tables.map(|strata| InPart::of(&strata, MIN_SUPPORT))
        };
        let atoms: Vec<_> = self.fires.iter().map(of_atom).collect();
        Ok(Replication::of(split, &atoms, MIN_SUPPORT))
    }

    /// Cells a, b, c, d of an atom over the chromosomes of a part, of a stratum or of all.
    pub(crate) fn cells(&self, part: &[String], atom: usize, stratum: Option<u32>) -> [u64; 4] {
        let mut cells = [0; 4];
        for (row, call) in (0..).zip(&self.calls) {
            let is_in = stratum.is_none_or(|stratum| stratum == call.stratum);
            if is_in && part.contains(&name(call.chrom)) {
                let silent = !self.fires[atom].contains(&row);
                cells[2 * usize::from(silent) + usize::from(!call.is_tp)] += 1;
            }
        }
        cells
    }

    pub(crate) fn strata(&self, part: &[String], atom: usize) -> Vec<[u64; 4]> {
        let strata = (0..STRATA).map(|stratum| self.cells(part, atom, Some(stratum)));
        strata.collect()
    }
}

fn name(chrom: usize) -> String {
    format!("chr{chrom}")
}

fn choose(n: u64, k: u64) -> u128 {
    (0..k).fold(1, |c, i| c * u128::from(n - i) / u128::from(i + 1))
}

/// All sums of true calls over strata that are at most as probable given the margins, in whole numbers.
pub(crate) fn exact(strata: &[[u64; 4]]) -> f64 {
    let mut ways = vec![1_u128];
    for &[a, b, c, d] in strata {
        let (fires, tp, n) = (a + b, a + c, a + b + c + d);
        let mut sum = vec![0; ways.len() + fires as usize];
        for (before, ways) in ways.iter().enumerate() {
            for x in 0..=fires {
                let is_possible = x <= tp && fires - x <= n - tp;
                if is_possible {
                    sum[before + x as usize] += ways * choose(tp, x) * choose(n - tp, fires - x);
                }
            }
        }
        ways = sum;
    }
    let observed: u64 = strata.iter().map(|cells| cells[0]).sum();
    let own = ways[observed as usize];
    let as_rare: u128 = ways.iter().filter(|&&other| other <= own).sum();
    as_rare as f64 / ways.iter().sum::<u128>() as f64
}

/// The logarithm of Mantel and Haenszel's odds ratio.
pub(crate) fn log_odds_within(strata: &[[u64; 4]]) -> f64 {
    let sum = |of: &dyn Fn([f64; 4]) -> f64| -> f64 {
        let each = strata.iter().map(|cells| {
            let n: u64 = cells.iter().sum();
            of(cells.map(|x| x as f64)) / (n as f64).max(1.0)
        });
        each.sum()
    };
    (sum(&|[a, _, _, d]| a * d) / sum(&|[_, b, c, _]| b * c)).ln()
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
    /// Log odds ratios over all strata, in both parts.
    pub(crate) pairs: Vec<Option<[f64; 2]>>,
    /// And within strata.
    pub(crate) within: Vec<Option<[f64; 2]>>,
}

impl Twin {
    pub(crate) fn of(cohort: &Cohort, parts: [&[String]; 2]) -> Self {
        let p = |part: &[String], atom: usize| {
            let [a, b, ..] = cohort.cells(part, atom, None);
            let strata = cohort.strata(part, atom);
            let informs = |&[a, b, c, d]: &[u64; 4]| (a + b) * (c + d) * (a + c) * (b + d) > 0;
            let tested = a + b >= MIN_SUPPORT && strata.iter().any(informs);
            tested.then(|| exact(&strata))
        };
        let all = |part: &[String]| (0..ATOMS).map(|atom| p(part, atom)).collect::<Vec<_>>();
        let [first, second] = parts.map(all);
        let discovery = adjusted(&first);
        let follow =
            |(p, fdr): (&Option<f64>, &Option<f64>)| p.filter(|_| fdr.is_some_and(|q| q < 0.05));
        let followed: Vec<_> = second.iter().zip(&discovery).map(follow).collect();
        let effects = |atom: usize| parts.map(|part| log_odds(cohort.cells(part, atom, None)));
        let within = |atom: usize| parts.map(|part| log_odds_within(&cohort.strata(part, atom)));
        let both = |of: &dyn Fn(usize) -> [f64; 2]| {
            let pairs = (0..ATOMS).map(|i| first[i].and(second[i]).map(|_| of(i)));
            pairs.collect::<Vec<_>>()
        };
        Self {
            pairs: both(&effects),
            within: both(&within),
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
        let agrees = |i: &usize| self.within[*i].is_some_and(|[x, y]| x * y > 0.0);
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
