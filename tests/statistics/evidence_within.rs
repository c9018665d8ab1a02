//! What is said of associations that go away or change sides within strata, and of atoms and cohorts
//! of which nothing can be estimated.

use atomscope::analysis::outputs;
use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::report::table::{Table, Values};
use atomscope::stats::evidence::{ExtendedTables, Options, Within};
use atomscope::tally::{Certificate, Strata, StratifyBy, Tally};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ATOMS: usize = 200;
const CALLS: usize = 3000;

/// A call of a type, true or false, on which these atoms fire.
type Drawn = (&'static str, bool, Vec<u32>);

fn evidence(drawn: &[Drawn]) -> ExtendedTables {
    let mut calls = Calls::default();
    for (svtype, is_true, _) in drawn {
        calls.push(&Call {
            chrom: None,
            pos: Number::Int(1),
            svtype: Some(svtype),
            svlen: Number::Float(300.0),
            truvari_class: Some(if *is_true { "TP" } else { "FP" }),
            dataset: None,
            ..Call::default()
        });
    }
    let strata = Strata::by(&calls, &StratifyBy::ALL).unwrap();
    let sets = drawn.iter().map(|(_, _, atoms)| &atoms[..]).enumerate();
    let tally = Tally::count(ATOMS, &strata, sets, Certificate::default());
    ExtendedTables::of(&tally, None, &Options::default(), &Control::default()).unwrap()
}

/// Each atom fires on deletions or on insertions more often, whatever the label; deletions are true
/// more often. Atom 0 fires on false calls of either type, but for that mostly on deletions.
fn cohort(seed: u64, plants: bool) -> Vec<Drawn> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let one = |_| {
        let is_deletion = random.random_bool(0.5);
        let is_true = random.random_bool(if is_deletion { 0.85 } else { 0.35 });
        let mut fires = Vec::new();
        for atom in 1..ATOMS as u32 {
            let often = (atom % 2 == 0) == is_deletion;
            if random.random_bool(if often { 0.2 } else { 0.1 }) {
                fires.push(atom);
            }
        }
        let rate = match (is_deletion, is_true) {
            (true, true) => 0.7,
            (true, false) => 0.9,
            (false, true) => 0.02,
            (false, false) => 0.1,
        };
        if plants && random.random_bool(rate) {
            fires.push(0);
        }
        (if is_deletion { "DEL" } else { "INS" }, is_true, fires)
    };
    (0..CALLS).map(one).collect()
}

fn count(evidence: &ExtendedTables, what: Within) -> usize {
    evidence
        .within
        .iter()
        .filter(|found| **found == Some(what))
        .count()
}

#[test]
fn confounding_is_told_from_a_paradox() {
    let (mut crude, mut confounded, mut paradoxes) = (0, 0, 0);
    for seed in 0..5 {
        let evidence = evidence(&cohort(seed, false));
        let told = evidence.fisher.bh.iter().flatten().filter(|p| p.p() < 0.05);
        crude += told.count();
        confounded += count(&evidence, Within::Confounded);
        paradoxes += count(&evidence, Within::Paradox);
    }
    println!("{crude} told apart on all calls, {confounded} confounded, {paradoxes} paradoxes");
    assert!(crude > 300, "{crude}");
    assert!(confounded * 10 > crude * 9, "{confounded} of {crude}");
    assert!(paradoxes <= 3, "{paradoxes} of {crude}");
}

#[test]
fn a_planted_paradox_is_found() {
    let evidence = evidence(&cohort(7, true));
    assert_eq!(evidence.within[0], Some(Within::Paradox));
    assert!(evidence.atoms[0].log_odds.unwrap().low > 0.0);
    assert!(evidence.atoms[0].stratified.adjusted.unwrap().high < 0.0);
    assert!(count(&evidence, Within::Paradox) <= 2);
    let table = outputs::tables_of(&evidence).remove(0);
    let flags = |name| match values(&table, name) {
        Values::Bool(flags) => flags.clone(),
        _ => panic!("{name} is no flag"),
    };
    assert_eq!(flags("sign_flip")[0], Some(true));
    assert_eq!(flags("confounded")[0], Some(false));
}

fn values<'a>(table: &'a Table, name: &str) -> &'a Values {
    let column = table.columns.iter().find(|column| column.name == name);
    &column.unwrap_or_else(|| panic!("no column {name}")).values
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match values(table, name) {
        Values::F64(numbers) => numbers.clone(),
        _ => panic!("{name} holds no numbers"),
    }
}

const EFFECTS: [&str; 9] = [
    "log_or",
    "log_or_lo",
    "log_or_hi",
    "risk_difference",
    "risk_difference_lo",
    "risk_difference_hi",
    "cmh_or",
    "cmh_or_lo",
    "cmh_or_hi",
];

#[test]
fn a_cohort_of_one_class_has_no_effects() {
    for is_true in [true, false] {
        let mut calls = cohort(1, false);
        for call in &mut calls {
            call.1 = is_true;
        }
        let table = outputs::tables_of(&evidence(&calls)).remove(0);
        for name in
            EFFECTS
                .into_iter()
                .chain(["cmh_p", "cmh_midp", "cmh_fdr_bh", "fdr_bh", "bd_tarone_p"])
        {
            assert!(numbers(&table, name).iter().all(|x| x.is_nan()), "{name}");
        }
        let precision = numbers(&table, "precision");
        let right = if is_true { 1.0 } else { 0.0 };
        // Atom 0 never fires.
        assert!(precision[0].is_nan() && precision[1..].iter().all(|p| *p == right));
    }
}

#[test]
fn an_atom_that_never_or_always_fires_has_no_effects() {
    let mut calls = cohort(2, false);
    for call in &mut calls {
        // Atom 1 always, atom 2 and atom 0 never.
        call.2.retain(|atom| *atom > 2);
        call.2.push(1);
    }
    let table = outputs::tables_of(&evidence(&calls)).remove(0);
    for name in EFFECTS {
        let found = numbers(&table, name);
        assert!(found[..3].iter().all(|x| x.is_nan()), "{name}");
        assert!(found[3..].iter().any(|x| x.is_finite()), "{name}");
    }
    let precision = numbers(&table, "precision");
    assert!(precision[0].is_nan() && precision[1] > 0.0 && precision[2].is_nan());
}
