use rand::{RngExt, SeedableRng};

use super::ReasonTables;
use crate::cohort::{Call, Calls, Number};
use crate::control::Control;
use crate::fires::{FiringSets, InMemory};

const CALLS: usize = 600;
const ATOMS: usize = 5;
const REASONS: [&str; 4] = ["no_candidate", "multi", "size", "rare"];

/// One call: its class (0 is true), whether it is a deletion, whether it is long, and the atoms on it.
type Drawn = (usize, bool, bool, Vec<u32>);

fn drawn() -> Vec<Drawn> {
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let mut call = |number: usize| {
        // The rarest reason has 3 calls; reason and type depend on each other, and atoms on both.
        let class = if number < 3 {
            4
        } else {
            draw.random_range(0..4)
        };
        let is_deletion = draw.random_bool(if class == 1 { 0.8 } else { 0.4 });
        let is_long = draw.random_bool(0.3);
        let chance = |atom: usize| {
            0.15 + 0.1 * ((atom * class) % 4) as f64 + 0.2 * f64::from(u8::from(is_deletion))
        };
        let atoms = (0..ATOMS).filter(|&atom| draw.random_bool(chance(atom)));
        (
            class,
            is_deletion,
            is_long,
            atoms.map(|atom| atom as u32).collect(),
        )
    };
    (0..CALLS).map(&mut call).collect()
}

fn in_memory(all: &[Drawn]) -> (Calls, FiringSets) {
    let (mut calls, mut ends, mut atoms) = (Calls::default(), vec![], vec![]);
    for (class, is_deletion, is_long, fires) in all {
        calls.push(&Call {
            svtype: Some(if *is_deletion { "DEL" } else { "INS" }),
            svlen: Number::Int(if *is_long { -700 } else { 60 }),
            truvari_class: Some(if *class == 0 { "TP" } else { "FP" }),
            reason: class.checked_sub(1).map(|reason| REASONS[reason]),
            ..Call::default()
        });
        atoms.extend(fires);
        ends.push(atoms.len());
    }
    (calls, FiringSets::ragged(ends, atoms, vec![]))
}

/// a, b, c, d of true calls and those of a reason, among the calls that `is_in` takes.
fn table(all: &[Drawn], class: usize, atom: u32, is_in: impl Fn(&Drawn) -> bool) -> [f64; 4] {
    let mut cells = [0.0; 4];
    for call in all
        .iter()
        .filter(|call| is_in(call) && (call.0 == 0 || call.0 == class))
    {
        let is_on = call.3.contains(&atom);
        cells[usize::from(call.0 != 0) + 2 * usize::from(!is_on)] += 1.0;
    }
    cells
}

#[test]
fn reasons_are_compared_with_all_true_calls() {
    let all = drawn();
    let (calls, sets) = in_memory(&all);
    let store = InMemory {
        calls: &calls,
        sets: &sets,
    };
    let found = ReasonTables::of(&store, ATOMS, 5, &Control::default())
        .unwrap()
        .expect("reasons");
    let mut expected: Vec<(String, u64)> = (1..4)
        .map(|class| {
            let calls = all.iter().filter(|call| call.0 == class).count() as u64;
            (REASONS[class - 1].to_owned(), calls)
        })
        .collect();
    expected.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    assert_eq!(found.reasons, expected, "the rare one is left out");
    assert_eq!(found.atoms.len(), 3 * ATOMS);
    let mut least = f64::INFINITY;
    for row in &found.atoms {
        let name = &found.reasons[row.reason as usize].0;
        let class = 1 + REASONS.iter().position(|reason| reason == name).unwrap();
        let [a, b, c, d] = table(&all, class, row.atom, |_| true);
        let of = row.counts.table;
        assert_eq!(
            [of.tp_on, of.fp_on, of.tp_off, of.fp_off].map(|n| n as f64),
            [a, b, c, d]
        );
        let log_odds = ((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))).ln();
        assert!((row.counts.log_odds.unwrap().value - log_odds).abs() < 1e-12);
        // Mantel and Haenszel: the sum of ad/n over that of bc/n.
        let (mut above, mut below) = (0.0, 0.0);
        for stratum in 0..4 {
            let is_in = |call: &Drawn| (usize::from(call.1) + 2 * usize::from(call.2)) == stratum;
            let [a, b, c, d] = table(&all, class, row.atom, is_in);
            let n = a + b + c + d;
            above += a * d / n;
            below += b * c / n;
        }
        let ln = f64::ln(above / below);
        assert!((row.counts.stratified.ln_odds_ratio.unwrap() - ln).abs() < 1e-9);
        least = least.min(row.counts.fisher.p.p());
    }
    assert!(least < 1e-3, "atoms depend on reasons");
    let adjusted = found
        .fisher
        .bh
        .iter()
        .flatten()
        .map(|p| p.p())
        .fold(1.0, f64::min);
    assert!(adjusted >= least && adjusted <= 15.0 * least * (1.0 + 1e-9));
}

#[test]
fn reasons_of_none_make_no_table() {
    let all: Vec<Drawn> = drawn()
        .into_iter()
        .filter(|call| matches!(call.0, 0 | 4))
        .collect();
    let (calls, sets) = in_memory(&all);
    let store = InMemory {
        calls: &calls,
        sets: &sets,
    };
    let found = ReasonTables::of(&store, ATOMS, 5, &Control::default()).unwrap();
    assert!(found.is_none(), "3 calls are fewer than 5");
}
