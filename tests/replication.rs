//! Replication against a naive twin that shares no code with it: counts of calls as they are made,
//! Fisher's test by enumeration in whole numbers, adjustment and ranks by their definitions.

use std::error::Error;

use atomscope::report::table::{Table, Values};
use atomscope::report::tables;
use atomscope::stats::evidence::{Category, Partition};
use atomscope::stats::inference::{Estimate, Table2x2};
use atomscope::stats::replication::{Agreement, Effects, Replication, Split};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Done = Result<(), Box<dyn Error>>;

const ATOMS: usize = 40;
const MIN_SUPPORT: u64 = 3;

fn group(name: &str, tp: u64, fp: u64) -> Category {
    Category {
        name: name.to_owned(),
        tp,
        fp,
    }
}

/// Groups of calls, and for each the true and the false calls on which each atom fires.
struct Cohort {
    groups: Vec<Category>,
    fires: Vec<[Vec<u64>; 2]>,
}

/// Calls one by one. An atom of every four leans to true calls, one to false ones, one not, and one
/// fires on the first chromosome alone.
fn cohort(seed: u64) -> Cohort {
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
    fn replication(&self) -> Result<Replication, Box<dyn Error>> {
        let split = Split::of(Partition::Chrom, &self.groups)?;
        let counts = |group: usize| self.fires[group].each_ref().map(Vec::as_slice);
        let tables = split.tables(ATOMS, counts)?;
        Ok(Replication::of(split, &tables, MIN_SUPPORT)?)
    }

    /// Cells a, b, c, d of an atom over the groups of a part.
    fn cells(&self, part: &[String], atom: usize) -> [u64; 4] {
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
fn fisher([a, b, c, d]: [u64; 4]) -> f64 {
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

fn log_odds([a, b, c, d]: [u64; 4]) -> f64 {
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

fn near(found: f64, expected: f64) {
    let scale = expected.abs().max(1e-300);
    assert!(
        (found - expected).abs() <= 1e-10 * scale,
        "{found} {expected}"
    );
}

fn check_correlation(found: [Option<f64>; 2], pairs: &[[f64; 2]]) {
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
struct Twin {
    discovery: Vec<Option<f64>>,
    confirmation: Vec<Option<f64>>,
    pairs: Vec<Option<[f64; 2]>>,
}

impl Twin {
    fn of(cohort: &Cohort, parts: [&[String]; 2]) -> Self {
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

    fn check(&self, found: &Agreement) {
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

#[test]
fn replication_is_the_naive_one() -> Done {
    let (mut replicated, mut not, mut untested) = (0, 0, 0);
    for seed in 0..60 {
        let cohort = cohort(seed);
        let found = cohort.replication()?;
        let [first, second] = found.split.parts.each_ref().map(|p| p.groups.as_slice());
        assert_eq!(first.len() + second.len(), 5);
        let twin = Twin::of(&cohort, [first, second]);
        twin.check(&found.forward);
        Twin::of(&cohort, [second, first]).check(&found.backward);
        for (i, atom) in found.atoms.iter().enumerate() {
            for (part, names) in [(atom.discovery, first), (atom.confirmation, second)] {
                let cells @ [a, b, c, d] = cohort.cells(names, i);
                let table = part.table;
                assert_eq!(
                    [table.tp_on, table.fp_on, table.tp_off, table.fp_off],
                    [a, b, c, d]
                );
                if let Some(tested) = part.tested {
                    near(tested.p.p(), fisher(cells));
                    assert!((tested.log_odds.value - log_odds(cells)).abs() < 1e-12);
                }
            }
            for (fdr, expected) in [
                (atom.discovery.fdr, twin.discovery[i]),
                (atom.confirmation.fdr, twin.confirmation[i]),
            ] {
                assert_eq!(fdr.is_some(), expected.is_some());
                if let Some((fdr, expected)) = fdr.zip(expected) {
                    near(fdr.p(), expected);
                }
            }
            assert_eq!(atom.discovered, twin.discovery[i].is_some_and(|q| q < 0.05));
            assert_eq!(atom.same_sign, twin.pairs[i].map(|[x, y]| x * y > 0.0));
            let expected = twin.confirmation[i].zip(twin.pairs[i]);
            assert_eq!(
                atom.replicated,
                expected.map(|(q, [x, y])| q < 0.05 && x * y > 0.0)
            );
            replicated += usize::from(atom.replicated == Some(true));
            not += usize::from(atom.replicated == Some(false));
            untested += usize::from(atom.discovered && atom.replicated.is_none());
        }
    }
    // The data have all there is to tell apart.
    assert!(
        replicated > 100 && not > 20 && untested > 0,
        "{replicated} {not} {untested}"
    );
    Ok(())
}

#[test]
fn groups_go_to_the_smaller_part_the_largest_first() -> Done {
    let groups = [
        group("chr10", 10, 10),
        group("chr1", 50, 30),
        group("chrX", 0, 0),
        group("chr9", 5, 15),
        group("chr2", 30, 40),
        group("chr3", 1, 2),
    ];
    // 80 | 70; chr9 before chr10, of one size: 80 | 90; 100 | 90; 100 | 93.
    let split = Split::of(Partition::Chrom, &groups)?;
    let [first, second] = &split.parts;
    assert_eq!(first.groups, ["chr1", "chr10"]);
    assert_eq!((first.tp, first.fp), (60, 40));
    assert_eq!(second.groups, ["chr2", "chr9", "chr3"]);
    assert_eq!((second.tp, second.fp), (36, 57));
    assert_eq!(split.part_of, [0, 0, 1, 1, 1, 1]);
    Ok(())
}

#[test]
fn one_group_alone_is_an_error_that_says_what_else_to_use() {
    for (by, groups, text) in [
        (
            Partition::Dataset,
            vec![group("HG002", 3, 4), group("HG003", 0, 0)],
            "--replicate dataset: datasets of the calls: found one dataset, HG002, expected two or \
             more, so that one part can confirm what the other discovers; use --replicate chrom, or \
             more calls",
        ),
        (
            Partition::Chrom,
            Vec::new(),
            "--replicate chrom: chromosomes of the calls: found none, expected two or more, so that \
             one part can confirm what the other discovers; use --replicate dataset, or more calls",
        ),
    ] {
        let error = Split::of(by, &groups).expect_err("refused");
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn counts_that_do_not_fit_are_refused() -> Done {
    let groups = [group("a", 3, 4), group("b", 3, 3)];
    let split = Split::of(Partition::Dataset, &groups)?;
    let (one, two, many) = ([1_u64], [1_u64, 1], [4_u64]);
    assert!(split.tables(1, |_| [&one, &one]).is_ok());
    for counts in [[&two[..], &one], [&one, &two], [&many, &one]] {
        let error = split.tables(1, |_| counts).expect_err("refused");
        assert!(
            error
                .to_string()
                .starts_with("counts of a group of calls: found "),
            "{error}"
        );
    }
    let tables = [vec![Table2x2::default()], Vec::new()];
    assert!(Replication::of(split, &tables, 5).is_err());
    Ok(())
}

#[test]
fn constant_effects_have_no_correlation() {
    // Three times 0.1 has a mean that is not 0.1.
    let mut effects = Effects::default();
    for y in [1.0, 2.0, 5.0] {
        effects.push(0.1, y);
    }
    let found = effects.correlation();
    assert_eq!(
        (found.atoms, found.pearson, found.spearman),
        (3, None, None)
    );
    let mut line = Effects::default();
    for x in [0.0, -0.0, 1.0, 3.0] {
        line.push(x, -2.0 * x);
    }
    let found = line.correlation();
    assert_eq!((found.pearson, found.spearman), (Some(-1.0), Some(-1.0)));
    assert_eq!(line.concordant(), 0);
}

proptest! {
    #[test]
    fn parts_are_as_even_as_the_largest_group_allows(sizes in prop::collection::vec((0_u64..50, 0_u64..50), 0..12)) {
        let name = |i: usize| format!("g{i}");
        let groups: Vec<_> = sizes.iter().enumerate().map(|(i, &(tp, fp))| group(&name(i), tp, fp)).collect();
        let with_calls = sizes.iter().filter(|(tp, fp)| tp + fp > 0).count();
        match Split::of(Partition::Dataset, &groups) {
            Err(_) => prop_assert!(with_calls < 2),
            Ok(split) => {
                prop_assert!(with_calls >= 2);
                for part in 0..2 {
                    let own = |i: &usize| split.part_of[*i] == part;
                    let sum = |of: fn(&Category) -> u64| (0..groups.len()).filter(own).map(|i| of(&groups[i])).sum::<u64>();
                    prop_assert_eq!(split.parts[part].tp, sum(|g| g.tp));
                    prop_assert_eq!(split.parts[part].fp, sum(|g| g.fp));
                }
                let [a, b] = split.parts.each_ref().map(atomscope::stats::replication::Part::calls);
                let largest = groups.iter().map(Category::calls).max().unwrap_or(0);
                prop_assert!(a.abs_diff(b) <= largest);
                let mut backwards = groups.clone();
                backwards.reverse();
                let again = Split::of(Partition::Dataset, &backwards).expect("as before");
                prop_assert_eq!(again.parts, split.parts);
            }
        }
    }

    #[test]
    fn correlations_are_the_naive_ones(pairs in prop::collection::vec((-4_i8..4, -4_i8..4), 0..20)) {
        let mut effects = Effects::default();
        let pairs: Vec<_> = pairs.iter().map(|&(x, y)| [f64::from(x) / 3.0, f64::from(y) / 7.0]).collect();
        for [x, y] in &pairs {
            effects.push(*x, *y);
        }
        let found = effects.correlation();
        check_correlation([found.pearson, found.spearman], &pairs);
        prop_assert_eq!(effects.concordant(), pairs.iter().filter(|p| p[0] * p[1] > 0.0).count());
    }
}

fn column<'a>(table: &'a Table, name: &str) -> &'a Values {
    let found = table.columns.iter().find(|column| column.name == name);
    &found.unwrap_or_else(|| panic!("no column {name}")).values
}

#[test]
fn tables_show_what_was_found() -> Done {
    let found = cohort(7).replication()?;
    let table = tables::replication(&found);
    table.check()?;
    assert_eq!((table.rows(), table.columns.len()), (ATOMS, 16));
    let (Values::F64(log_odds), Values::F64(fdr)) = (
        column(&table, "confirmation_log_or_lo"),
        column(&table, "confirmation_fdr"),
    ) else {
        panic!("not real numbers");
    };
    let Values::Bool(replicated) = column(&table, "replicated") else {
        panic!("not yes or no");
    };
    for (i, atom) in found.atoms.iter().enumerate() {
        let low = atom.confirmation.tested.map(|tested| tested.log_odds.low);
        assert_eq!(log_odds[i].to_bits(), low.unwrap_or(f64::NAN).to_bits());
        assert_eq!(fdr[i].is_nan(), atom.confirmation.fdr.is_none());
        assert_eq!(replicated[i], atom.replicated);
    }
    let summary = tables::replication_summary(&found);
    summary.check()?;
    assert_eq!(summary.rows(), 2);
    let count = |direction: &Agreement| direction.replicated as u64;
    let expected = Values::U64(vec![count(&found.forward), count(&found.backward)]);
    assert_eq!(column(&summary, "replicated"), &expected);
    let [a, b] = found
        .split
        .parts
        .each_ref()
        .map(|part| part.groups.join(","));
    let expected = Values::Text(vec![Some(b), Some(a)]);
    assert_eq!(column(&summary, "confirmation"), &expected);
    Ok(())
}

/// Random labels: hardly anything is discovered, and what is has no more than chance to replicate.
#[test]
fn nothing_is_found_in_nothing() -> Done {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let atoms = 2000;
    let groups = [group("a", 300, 300), group("b", 300, 300)];
    let draw = |random: &mut ChaCha8Rng| -> Vec<u64> {
        (0..atoms)
            .map(|_| u64::from((random.next_u64() & ((1 << 40) - 1)).count_ones()))
            .collect()
    };
    let fires = [(); 2].map(|()| [draw(&mut random), draw(&mut random)]);
    let split = Split::of(Partition::Dataset, &groups)?;
    let tables = split.tables(atoms, |group| fires[group].each_ref().map(Vec::as_slice))?;
    let found = Replication::of(split, &tables, 5)?;
    assert_eq!(
        (found.forward.discovered, found.backward.discovered),
        (0, 0)
    );
    assert_eq!(found.forward.concordance, None);
    assert_eq!(found.forward.all.atoms, atoms);
    // Four standard errors of a correlation of 0.
    let r = found.forward.all.pearson.ok_or("a correlation")?;
    assert!(r.abs() < 4.0 / (atoms as f64).sqrt(), "{r}");
    Ok(())
}
