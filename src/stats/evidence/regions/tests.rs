use rand::{RngExt, SeedableRng};

use super::{RegionOptions, RegionTables};
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
    for memory in [0, 1 << 30] {
        let found =
            RegionTables::of(&store, ATOMS, &options, 5, memory, &Control::default()).unwrap();
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
        let fires: Vec<Vec<u32>> = of.sets.iter().map(|(_, atoms)| atoms.to_vec()).collect();
        assert_eq!(found.atoms.len(), 3 * ATOMS);
        for row in &found.atoms {
            let is_in = |call: usize| row.region != 1 && of.is_in[call];
            let expected = tables(&of, true, |call| fires[call].contains(&row.atom), is_in);
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
