use rand::{RngExt, SeedableRng};

use super::{RegionOptions, RegionPermutations, RegionTables};
use crate::cohort::{Call, Calls, Label, Number};
use crate::control::Control;
use crate::fires::{FiringSets, InMemory};
use crate::regions::{RegionRule, RegionSet};
use crate::stats::inference::Table2x2;
use crate::stats::inference::stratified::of_tables;
use crate::tally::SizeBin;

const CALLS: usize = 400;
const ATOMS: usize = 7;

struct Cohort {
    calls: Calls,
    sets: FiringSets,
    /// Whether each call's bases lie in the regions, by counting.
    is_in: Vec<bool>,
    regions: RegionSet,
}

fn cohort() -> Cohort {
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(9);
    let regions = RegionSet::new("r", (0..20u64).map(|i| ("chr1", i * 100..i * 100 + 45)));
    let (mut calls, mut is_in, mut ends, mut atoms) = (Calls::default(), vec![], vec![], vec![]);
    for _ in 0..CALLS {
        let pos = draw.random_range(1..2000i64);
        let length = draw.random_range(1..120i64);
        let is_insertion = draw.random_bool(0.4);
        let is_true = draw.random_bool(0.6);
        calls.push(&Call {
            chrom: Some("1"),
            pos: Number::Int(pos),
            svtype: Some(if is_insertion { "INS" } else { "DEL" }),
            svlen: Number::Int(if is_insertion { length } else { -length }),
            truvari_class: Some(if is_true { "TP" } else { "FP" }),
            ..Call::default()
        });
        let covered = |at: i64| at % 100 < 45 && at < 2000;
        is_in.push(if is_insertion {
            covered(pos - 1) && covered(pos)
        } else {
            covered(pos) && covered(pos + length - 1)
        });
        let fires = (0..ATOMS as u32).filter(|_| draw.random_bool(0.3));
        atoms.extend(fires);
        ends.push(atoms.len());
    }
    Cohort {
        calls,
        sets: FiringSets::ragged(ends, atoms, vec![]),
        is_in,
        regions,
    }
}

/// The tables of what `is_on` and `is_in` say, by stratum of type, size, and label where `by_label`.
fn tables(
    of: &Cohort,
    by_label: bool,
    is_on: impl Fn(usize) -> bool,
    is_tp: impl Fn(usize) -> bool,
) -> Vec<Table2x2> {
    let mut tables = std::collections::BTreeMap::<_, Table2x2>::new();
    for call in 0..CALLS {
        let facts = of.calls.get(call);
        let label = by_label && of.calls.label(call) == Label::Fp;
        let key = (facts.svtype, SizeBin::of(facts.svlen.as_f64()), label);
        let table = tables.entry(key).or_default();
        *match (is_tp(call), is_on(call)) {
            (true, true) => &mut table.tp_on,
            (true, false) => &mut table.tp_off,
            (false, true) => &mut table.fp_on,
            (false, false) => &mut table.fp_off,
        } += 1;
    }
    tables.into_values().collect()
}

fn sum(tables: &[Table2x2]) -> Table2x2 {
    tables
        .iter()
        .fold(Table2x2::default(), |sum, table| sum + *table)
}

#[test]
fn region_tables_count_what_lies_inside_and_outside() {
    let of = cohort();
    let store = InMemory {
        calls: &of.calls,
        sets: &of.sets,
    };
    // An empty set between two, so that places matter.
    let sets = vec![
        of.regions.clone(),
        RegionSet::new("none", [("2", 0..9)]),
        of.regions.clone(),
    ];
    let options = RegionOptions {
        sets,
        rule: RegionRule::BothEnds,
    };
    let none = permutations(0);
    for memory in [0, 1 << 30] {
        let limits = (5, memory);
        let found = RegionTables::of(
            &store,
            &fires(&of),
            &options,
            none,
            limits,
            &Control::default(),
        )
        .unwrap();
        assert_eq!(found.regions.len(), 3);
        for region in [0, 2] {
            let labels = &found.regions[region].counts;
            let is_fp = |call: usize| of.calls.label(call) == Label::Fp;
            let expected = tables(&of, false, |call| of.is_in[call], is_fp);
            assert_eq!(labels.table, sum(&expected));
            let (a, b) = (
                labels.stratified.ln_odds_ratio,
                of_tables(&expected).ln_odds_ratio,
            );
            assert!((a.unwrap() - b.unwrap()).abs() < 1e-12);
        }
        assert_eq!(found.regions[1].counts.table.fires(), 0);
        let sets: Vec<Vec<u32>> = of.sets.iter().map(|(_, atoms)| atoms.to_vec()).collect();
        assert_eq!(found.atoms.len(), 3 * ATOMS);
        for row in &found.atoms {
            let is_in = |call: usize| row.region != 1 && of.is_in[call];
            let expected = tables(&of, true, |call| sets[call].contains(&row.atom), is_in);
            assert_eq!(
                row.counts.table,
                sum(&expected),
                "{} {}",
                row.region,
                row.atom
            );
            let (a, b) = (
                row.counts.stratified.ln_odds_ratio,
                of_tables(&expected).ln_odds_ratio,
            );
            match (a, b) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12),
                (a, b) => assert_eq!(a, b),
            }
        }
        // What is in no region has no test, and is in no family.
        let tested = found.fisher.bh.iter().zip(&found.atoms);
        assert!(
            tested
                .clone()
                .all(|(p, row)| p.is_some() == (row.region != 1))
        );
    }
}

fn permutations(count: usize) -> RegionPermutations {
    RegionPermutations {
        count,
        seed: 7,
        locus_distance: 3,
    }
}

/// The support of each atom.
fn fires(of: &Cohort) -> Vec<u64> {
    let mut fires = vec![0; ATOMS];
    for &atom in of.sets.iter().flat_map(|(_, atoms)| atoms) {
        fires[atom as usize] += 1;
    }
    fires
}

#[test]
fn region_tables_adjust_over_all_regions_at_once() {
    let mut of = cohort();
    // Atom 2 fires in the region, and nowhere else.
    let (mut ends, mut atoms) = (vec![], vec![]);
    for (call, (_, set)) in of.sets.iter().enumerate() {
        atoms.extend(set.iter().copied().filter(|&atom| atom < 2));
        atoms.extend(of.is_in[call].then_some(2));
        atoms.extend(set.iter().copied().filter(|&atom| atom > 2));
        ends.push(atoms.len());
    }
    of.sets = FiringSets::ragged(ends, atoms, vec![]);
    let store = InMemory {
        calls: &of.calls,
        sets: &of.sets,
    };
    let other = || {
        RegionSet::new(
            "other",
            (0..20u64).map(|i| ("1", i * 100 + 30..i * 100 + 80)),
        )
    };
    let p = |sets: Vec<RegionSet>, memory: u64| {
        let options = RegionOptions {
            sets,
            rule: RegionRule::BothEnds,
        };
        let found = RegionTables::of(
            &store,
            &fires(&of),
            &options,
            permutations(199),
            (5, memory),
            &Control::default(),
        );
        let rows = found.unwrap().atoms;
        rows.iter()
            .map(|row| row.max_t.map(|max_t| max_t.p))
            .collect::<Vec<_>>()
    };
    let alone = p(vec![of.regions.clone()], 1 << 30);
    assert_eq!(alone[2], Some(1.0 / 200.0));
    assert!(
        alone
            .iter()
            .enumerate()
            .all(|(atom, p)| atom == 2 || p.unwrap() > 0.02),
        "{alone:?}"
    );
    // A copy of the same regions moves with them, and asks no more of any atom.
    let twice = p(vec![of.regions.clone(), of.regions.clone()], 1 << 30);
    assert_eq!(twice, [&alone[..], &alone].concat());
    // Other regions raise the bar, and regions without calls do not; memory changes nothing.
    let both = p(vec![of.regions.clone(), other()], 1 << 30);
    assert!(
        both.iter().zip(&alone).all(|(both, alone)| both >= alone),
        "{both:?} {alone:?}"
    );
    assert_eq!(p(vec![of.regions.clone(), other()], 1), both);
    let nowhere = RegionSet::new("none", [("2", 0..9)]);
    let with_none = p(vec![of.regions.clone(), nowhere], 1 << 30);
    assert_eq!(with_none[..ATOMS], alone[..]);
    assert!(with_none[ATOMS..].iter().all(Option::is_none));
}
