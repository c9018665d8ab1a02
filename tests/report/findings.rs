//! The findings on data in memory: dropped rows, threads, odd requests, and what programs read.

use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::error::Error;
use atomscope::fires::FiringSets;
use atomscope::fires::InMemory;
use atomscope::report::{csv, json, text};
use atomscope::stats::notebook::{self, BiasTable, NotebookTables, Options};
use atomscope::tally::{Certificate, Strata, Tally};

const FEATURES: usize = 23;
const K: usize = 4;

/// A cohort of no particular shape: labels, types and sets by arithmetic on the row's number.
fn cohort(rows: usize) -> (Calls, Vec<Vec<u32>>) {
    let types = ["DEL", "INS", "DEL", "DUP", "DEL", "INS", "INV"];
    let whole = |row: usize| i64::try_from(row).unwrap();
    let call = |row: usize| Call {
        chrom: (row % 6 < 5).then_some(if row % 5 < 2 { "chr2" } else { "chrX" }),
        pos: Number::Int(1000 + whole(row)),
        svtype: Some(types[row * row % 7]),
        svlen: Number::Int(whole(row) * 37 % 101 - 50),
        truvari_class: Some(if row * row % 11 < 5 { "TP" } else { "FP" }),
        dataset: Some(["b", "a"][row / 3 % 2]),
        ..Call::default()
    };
    let set = |row: usize| {
        let mut set: Vec<u32> = Vec::new();
        let mut next = row * row % 11 + row % 3;
        while set.len() < K {
            if !set.contains(&((next % FEATURES) as u32)) {
                set.push((next % FEATURES) as u32);
            }
            next = (next * 5 + row % 7 + 1) % 1009;
        }
        set.sort_unstable();
        set
    };
    ((0..rows).map(call).collect(), (0..rows).map(set).collect())
}

fn tally(calls: &Calls, sets: &FiringSets) -> Tally {
    let strata = Strata::of_calls(calls);
    Tally::count(FEATURES, &strata, sets.iter(), Certificate::default())
}

fn findings(calls: &Calls, sets: &FiringSets) -> NotebookTables {
    NotebookTables::compute(&tally(calls, sets), calls, sets, Options::default()).unwrap()
}

fn firing_sets(sets: &[Vec<u32>], dropped: &[usize]) -> FiringSets {
    let kept = sets
        .iter()
        .enumerate()
        .filter(|(row, _)| !dropped.contains(row));
    FiringSets::uniform(
        K,
        kept.flat_map(|(_, set)| set.clone()).collect(),
        dropped.to_vec(),
    )
}

#[test]
fn dropped_calls_count_nowhere_and_rows_keep_their_numbers() {
    let (calls, sets) = cohort(300);
    let dropped: Vec<usize> = (0..300).filter(|row| row % 9 < 2 || *row == 299).collect();
    let kept: Vec<usize> = (0..300).filter(|row| !dropped.contains(row)).collect();
    let ours = findings(&calls, &firing_sets(&sets, &dropped));
    // The same cohort without those calls, in which rows are numbered anew.
    let fewer: Calls = kept.iter().map(|&row| calls.get(row)).collect();
    let fewer_sets: Vec<_> = kept.iter().map(|&row| sets[row].clone()).collect();
    let mut theirs = findings(&fewer, &firing_sets(&fewer_sets, &[]));
    assert_eq!(theirs.sv_types.calls, kept.len() as u64);
    for investigation in &mut theirs.investigations {
        for example in &mut investigation.examples {
            example.row = kept[example.row];
        }
    }
    assert_eq!((ours.calls, ours.dropped_calls), (300, dropped.len()));
    let text = atomscope::report::text::Analysis(&ours).to_string();
    let note = format!("Note: {} of 300 calls were dropped", dropped.len());
    assert!(text.starts_with(&note), "{text}");
    (theirs.calls, theirs.dropped_calls) = (300, dropped.len());
    assert_eq!(ours, theirs);
    assert!(
        ours.investigations[0]
            .examples
            .iter()
            .any(|example| example.row > 2)
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (calls, sets) = cohort(20_000);
    let sets = firing_sets(&sets, &[0, 7, 4096, 4097, 19_999]);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| findings(&calls, &sets))
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(7));
}

#[test]
fn rows_that_do_not_belong_together_are_an_error() {
    let (calls, sets) = cohort(50);
    let good = firing_sets(&sets, &[3]);
    let tally = tally(&calls, &good);
    let atoms = good.atoms().to_vec();
    for dropped in [vec![], vec![3, 4], vec![50], vec![3, 3], vec![4, 3]] {
        let sets = FiringSets::uniform(K, atoms.clone(), dropped);
        let found = NotebookTables::compute(&tally, &calls, &sets, Options::default());
        assert!(
            matches!(found, Err(Error::Input(_))),
            "{:?}",
            sets.dropped()
        );
    }
    let nothing = std::iter::empty();
    let empty = Tally::count(
        FEATURES,
        &Strata::default(),
        nothing,
        Certificate::default(),
    );
    assert!(NotebookTables::compute(&empty, &calls, &good, Options::default()).is_err());
}

#[test]
fn all_calls_dropped_is_an_empty_analysis() {
    let (calls, _) = cohort(3);
    let sets = FiringSets::uniform(K, vec![], vec![0, 1, 2]);
    let printed = text::Analysis(&findings(&calls, &sets)).to_string();
    assert!(
        printed.contains("Nothing to rank: there are no calls."),
        "{printed}"
    );
    assert!(
        printed.contains("Overall SV type distribution:\n Investigating"),
        "{printed}"
    );
}

#[test]
fn any_atom_can_be_investigated() {
    let (calls, sets) = cohort(120);
    let sets = firing_sets(&sets, &[]);
    let bias = BiasTable::of(&tally(&calls, &sets), 25);
    let known = bias.atoms[0].atom;
    let rare = (0..23).find(|atom| bias.get(*atom).is_none() && sets.atoms().contains(atom));
    let rare = rare.unwrap();
    let details = InMemory {
        calls: &calls,
        sets: &sets,
    };
    let found = notebook::investigate(
        &[rare, known, 99, rare],
        &bias,
        &details,
        &Control::default(),
    )
    .unwrap();
    assert_eq!(
        found.iter().map(|i| i.atom).collect::<Vec<_>>(),
        [rare, known, 99, rare]
    );
    let print = |at: usize| {
        let investigation = &found[at];
        text::Detail {
            investigation,
            min_support: 25,
        }
        .to_string()
    };
    assert!(print(0).starts_with(&format!("Feature {rare} not found in statistics\n")));
    assert!(print(0).contains("Not tested: it fires on fewer than 25 calls\n\nSV Types:"));
    assert!(print(1).starts_with(&format!(" Feature {known} Detailed Analysis\n")));
    assert!(print(2).ends_with("No activations found\n"));
    assert_eq!(found[0].support, found[0].tp_on + found[0].fp_on);

    let mut out = Vec::new();
    json::investigations(&found, &mut out).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(read[0]["bias"], serde_json::Value::Null);
    assert_eq!(read[1]["bias"]["tp_on"], read[1]["tp_on"]);
    assert_eq!(
        read[1]["examples"][0]["svlen"].as_i64(),
        Some(match found[1].examples[0].svlen {
            Number::Int(n) => n,
            Number::Float(_) => unreachable!("all lengths are whole"),
        })
    );
    assert!(matches!(
        read[1]["examples"][0]["label"].as_str(),
        Some("TP" | "FP")
    ));
    // Negative lengths are in the absolute sizes only.
    let (sizes, all) = (
        &read[1]["sizes"]["calls"],
        &read[1]["absolute_sizes"]["calls"],
    );
    assert!(sizes.as_u64() < all.as_u64(), "{sizes} {all}");
}

#[test]
fn every_two_top_atoms_are_in_the_co_activation_table() {
    let (calls, sets) = cohort(400);
    let found = findings(&calls, &firing_sets(&sets, &[]));
    let mut top: Vec<u32> = found.highest_odds.iter().map(|a| a.atom).collect();
    top.extend(found.lowest_odds.iter().map(|a| a.atom));
    top.sort_unstable();
    top.dedup();
    let count = |a: u32, b: u32| {
        sets.iter()
            .filter(|s| s.contains(&a) && s.contains(&b))
            .count()
    };
    let mut expected = Vec::new();
    for (i, &a) in top.iter().enumerate() {
        for &b in &top[i + 1..] {
            let n = count(a, b);
            let line = format!("{a},{b},{n},{},{}", count(a, a), count(b, b));
            expected.push((std::cmp::Reverse(n), a, b, line));
        }
    }
    expected.sort();
    let mut out = Vec::new();
    csv::coactivation(&found.coactivation, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = out.lines().skip(1).collect();
    assert_eq!(
        lines,
        expected.iter().map(|e| e.3.as_str()).collect::<Vec<_>>()
    );
    assert!(lines.len() > 50);
}

#[test]
fn insertions_are_compared_however_many_types_come_first() {
    let names: Vec<String> = (0..400).map(|i| format!("type {i}")).collect();
    let types = |row: usize| match row {
        0..400 => names[row].as_str(),
        _ => ["INS", "DEL"][row % 2],
    };
    let call = |row: usize| Call {
        svtype: Some(types(row)),
        truvari_class: Some(["TP", "FP"][row / 2 % 2]),
        ..Call::default()
    };
    let calls: Calls = (0..440).map(call).collect();
    // Atom 0 fires on insertions alone, atom 1 on the rest.
    let atoms = (0..440).map(|row| u32::from(types(row) != "INS")).collect();
    let found = findings(&calls, &FiringSets::uniform(1, atoms, vec![]));
    let top = found.sv_types.ins_del.unwrap().top_ins;
    assert_eq!(
        (top[0].atom, top[0].ins_count, top[0].del_count),
        (0, 20, 0)
    );
    assert_eq!(
        (top[1].atom, top[1].ins_count, top[1].del_count),
        (1, 0, 420)
    );
}
