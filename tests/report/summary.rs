//! The summary of tables that are made by hand: every count in here was counted by hand from the cells
//! below, and not by the program.

use atomscope::cohort::Label::{self, Fp, Tp};
use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::fires::{FiringSets, InMemory};
use atomscope::stats::evidence::summary::{
    AtomCaution, Caution, EmptyCell, Findings, Next, NotebookNote, OddsWithin, Procedure, Scope,
    Specialized, Summary,
};
use atomscope::stats::evidence::{Exchange, ExtendedTables, Options, Partition};
use atomscope::stats::notebook::{self, NotebookTables};
use atomscope::tally::{Certificate, Strata, StratifyBy, Tally};

/// Calls of one type and label, and on how many of them, the first ones, each atom fires.
struct Cell {
    svtype: &'static str,
    label: Label,
    calls: usize,
    fires: &'static [usize],
}

const fn cell(svtype: &'static str, label: Label, calls: usize, fires: &'static [usize]) -> Cell {
    Cell {
        svtype,
        label,
        calls,
        fires,
    }
}

/// Deletions are mostly true, insertions mostly false, 200 calls of each label. Atom 0 leans to true
/// calls of both types, atom 1 fires on all its calls but one, atom 2 is its mirror image; atom 3 fires on
/// deletions, whatever their label; atom 4 on half of everything; atom 5 on two calls; atom 6 on none.
const CONFOUNDED: [Cell; 4] = [
    cell("DEL", Tp, 150, &[90, 89, 15, 120, 75, 1, 0]),
    cell("DEL", Fp, 50, &[5, 5, 30, 40, 25, 1, 0]),
    cell("INS", Tp, 50, &[30, 30, 5, 5, 25, 0, 0]),
    cell("INS", Fp, 150, &[15, 15, 90, 15, 75, 0, 0]),
];

/// One call in ten is an insertion. Atoms 0 to 4 fire on half of everything; atom 5 on true deletions
/// alone.
const FEW_INSERTIONS: [Cell; 4] = [
    cell("DEL", Tp, 180, &[90, 90, 90, 90, 90, 30]),
    cell("DEL", Fp, 180, &[90, 90, 90, 90, 90, 0]),
    cell("INS", Tp, 20, &[10, 10, 10, 10, 10, 0]),
    cell("INS", Fp, 20, &[10, 10, 10, 10, 10, 0]),
];

/// The summary of these cells; calls lie at five loci, on so many chromosomes.
fn summary(cells: &[Cell], chromosomes: usize, with_firings: bool, options: &Options) -> Summary {
    let features = cells[0].fires.len();
    let (mut calls, mut atoms, mut ends) = (Calls::default(), Vec::new(), Vec::new());
    let names = ["chr1", "chr2"];
    for cell in cells {
        for place in 0..cell.calls {
            calls.push(&Call {
                chrom: Some(names[place % chromosomes]),
                pos: Number::Float((1 + calls.len() % 5) as f64 * 1e6),
                svtype: Some(cell.svtype),
                svlen: Number::Int(300),
                truvari_class: Some(cell.label.as_str()),
                ..Call::default()
            });
            let fires = |atom: &u32| place < cell.fires[*atom as usize];
            atoms.extend((0..features as u32).filter(fires));
            ends.push(atoms.len());
        }
    }
    let sets = FiringSets::ragged(ends, atoms, Vec::new());
    let strata = Strata::by(&calls, &StratifyBy::ALL).unwrap();
    let tally = Tally::count(features, &strata, sets.iter(), Certificate::default());
    let notebook =
        NotebookTables::compute(&tally, &calls, &sets, notebook::Options::default()).unwrap();
    let store = InMemory {
        calls: &calls,
        sets: &sets,
    };
    let store: Option<&dyn atomscope::fires::FiringStore> = with_firings.then_some(&store);
    let extended = ExtendedTables::of(&tally, store, options, &Control::default()).unwrap();
    Summary::of(&notebook, Some(&extended), None)
}

fn findings(cells: &[Cell], with_firings: bool) -> Findings {
    let options = Options {
        permutations: 10,
        bootstrap: 100,
        ..Options::default()
    };
    summary(cells, 1, with_firings, &options).extended.unwrap()
}

fn atoms(atoms: &[atomscope::stats::evidence::summary::AtomSummary]) -> Vec<u32> {
    atoms.iter().map(|atom| atom.atom).collect()
}

#[test]
fn claims_are_counted_within_strata_and_on_all_calls() {
    let summary = summary(&CONFOUNDED, 1, true, &Options::default());
    assert_eq!((summary.calls.tp, summary.calls.fp), (200, 200));
    let found = summary.extended.unwrap();
    // Atoms 5 and 6 fire on fewer than 5 calls.
    assert_eq!((found.atoms.all, found.atoms.tested), (7, 5));
    assert_eq!(
        (found.strata.count, found.strata.by.join(", ")),
        (2, "SV type, size, dataset".to_owned())
    );
    // 0, 1 and 2 hold within strata; 0 and 1 are one where near-duplicates count once. On all calls 3 is
    // called too.
    let expected = [
        (Procedure::MaxT, Scope::WithinStrata, 3, 2),
        (Procedure::Holm, Scope::WithinStrata, 3, 2),
        (Procedure::BenjaminiYekutieli, Scope::WithinStrata, 3, 2),
        (Procedure::BenjaminiHochberg, Scope::WithinStrata, 3, 2),
        (Procedure::Holm, Scope::AllCalls, 4, 3),
        (Procedure::BenjaminiYekutieli, Scope::AllCalls, 4, 3),
        (Procedure::BenjaminiHochberg, Scope::AllCalls, 4, 3),
    ];
    let (storey, claims) = found.claims.split_last().unwrap();
    assert!(matches!(storey.procedure, Procedure::Storey { .. }));
    assert_eq!(claims.len(), expected.len());
    for (claim, (procedure, scope, atoms, distinct)) in claims.iter().zip(expected) {
        assert_eq!((claim.procedure, claim.scope), (procedure, scope));
        assert_eq!(
            (claim.atoms, claim.distinct),
            (atoms, Some(distinct)),
            "{procedure:?}"
        );
    }
    assert_eq!(found.strictest, Procedure::MaxT);
    assert_eq!(found.near_duplicates.unwrap().groups, [[0, 1]]);
}

#[test]
fn strongest_atoms_are_told_by_side_and_near_duplicates_once() {
    let found = findings(&CONFOUNDED, true);
    assert_eq!(found.strictest, Procedure::Holm);
    // Atoms 0 and 2 are each other's mirror image, with one p-value and one size of the effect.
    assert_eq!(atoms(&found.strongest), [0, 2, 3]);
    assert_eq!(atoms(&found.strongest_tp), [0]);
    assert_eq!(atoms(&found.strongest_fp), [2]);
    let [first, second, third] = &found.strongest[..] else {
        panic!("three atoms");
    };
    assert_eq!((first.side, second.side, third.side), (Tp, Fp, Tp));
    assert_eq!(
        (first.support, second.support, third.support),
        (140, 140, 180)
    );
    assert_eq!(first.near_duplicates, [1]);
    assert!((first.true_share - 120.0 / 140.0).abs() < 1e-12);
    // 120.5·180.5/(20.5·80.5), and within strata (90·45/200 + 30·135/200)/(5·60/200 + 15·20/200).
    let crude = 120.5 * 180.5 / (20.5 * 80.5);
    assert!((first.odds_ratio.value / crude - 1.0).abs() < 1e-12);
    let OddsWithin::Ratio(within) = first.within else {
        panic!("a ratio");
    };
    assert!((within.value / 13.5 - 1.0).abs() < 1e-12);
    assert_eq!(first.cautions, []);
    assert_eq!(third.cautions, [AtomCaution::Confounded]);
}

#[test]
fn cautions_stand_in_the_order_of_their_weight() {
    let found = findings(&CONFOUNDED, true);
    let called = found.called.unwrap();
    assert_eq!((called.atoms, called.within, called.confounded), (4, 3, 1));
    assert_eq!(
        (called.sides_change, called.strata_disagree, called.sparse),
        (0, 0, 0)
    );
    assert_eq!(called.by_max_t, None);
    let expected = [
        Caution::Confounded { atoms: 1, of: 4 },
        Caution::TooFewPermutations { count: 10 },
        Caution::NearDuplicates {
            atoms: 2,
            groups: 1,
        },
        Caution::TooFewBlocks {
            blocks: 5,
            least: 20,
            exchange: Exchange::Call,
        },
    ];
    assert_eq!(found.cautions, expected);
    let next = [
        Next::Calls { atoms: vec![0, 2] },
        Next::MorePermutations,
        Next::Tables,
    ];
    assert_eq!(found.next, next);
}

#[test]
fn counts_alone_give_what_they_can_and_say_so() {
    let found = findings(&CONFOUNDED, false);
    assert_eq!(
        found.cautions,
        [
            Caution::Confounded { atoms: 1, of: 4 },
            Caution::NoFiringSets
        ]
    );
    assert_eq!(found.next[1], Next::FiringSets);
    assert!(found.near_duplicates.is_none() && found.pairs.is_none() && found.sizes.is_none());
    // Without pairs nothing is known to be a near-duplicate.
    assert_eq!(atoms(&found.strongest_tp), [0, 1]);
    assert!(found.claims.iter().all(|claim| claim.distinct.is_none()));
}

#[test]
fn few_calls_of_a_label_are_the_heaviest_caution() {
    const MORE: [Cell; 2] = [
        cell("DEL", Tp, 300, &[30, 200]),
        cell("DEL", Fp, 100, &[50, 60]),
    ];
    const FEW: [Cell; 2] = [
        cell("DEL", Tp, 300, &[30, 200]),
        cell("DEL", Fp, 99, &[50, 60]),
    ];
    let found = findings(&FEW, true);
    let caution = Caution::FewCalls {
        label: Fp,
        calls: 99,
    };
    assert_eq!(found.cautions[..2], [caution, Caution::NoStrata]);
    assert_eq!(findings(&MORE, true).cautions[0], Caution::NoStrata);
}

#[test]
fn nothing_to_test_is_a_caution_of_its_own() {
    const ONE_LABEL: [Cell; 1] = [cell("DEL", Tp, 300, &[30, 200])];
    let found = findings(&ONE_LABEL, true);
    let few = Caution::FewCalls {
        label: Fp,
        calls: 0,
    };
    assert_eq!(found.cautions[..2], [Caution::NothingTested, few]);
    assert_eq!((found.atoms.tested, found.called), (0, None));
    assert!(found.strongest.is_empty() && found.strongest_tp.is_empty());
}

#[test]
fn replication_is_claimed_and_advised() {
    let mut options = Options {
        permutations: 0,
        bootstrap: 0,
        ..Options::default()
    };
    let split = |options: &Options| summary(&CONFOUNDED, 2, true, options).extended.unwrap();
    let advice = Next::Replicate {
        by: Partition::Chrom,
    };
    let found = split(&options);
    assert!(found.next.contains(&advice) && found.replication.is_none());
    options.replicate = Some(Partition::Chrom);
    let found = split(&options);
    assert!(!found.next.contains(&advice));
    // Every second call is on either chromosome, so that both parts are alike.
    let claim = found
        .claim(Procedure::Replicated, Scope::WithinStrata)
        .unwrap();
    assert_eq!((claim.atoms, claim.distinct), (3, Some(2)));
    let replication = found.replication.unwrap();
    assert_eq!(
        replication.parts.map(|part| (part.calls, part.tp)),
        [(200, 100); 2]
    );
    assert_eq!(
        (
            replication.forward.discovered,
            replication.forward.replicated
        ),
        (3, 3)
    );
}

#[test]
fn lines_of_the_notebook_that_say_more_than_what_holds_get_a_note() {
    let found = findings(&CONFOUNDED, true);
    let significant = NotebookNote::Significant {
        counted: 4,
        within: 3,
    };
    assert_eq!(found.notebook, [significant]);
    let found = findings(&FEW_INSERTIONS, true);
    let [empty, specialized] = found.notebook[..] else {
        panic!("{:?}", found.notebook);
    };
    let NotebookNote::EmptyCell {
        atom,
        cell,
        odds,
        odds_ratio,
    } = empty
    else {
        panic!("{empty:?}");
    };
    assert_eq!(
        (atom, cell, odds),
        (5, EmptyCell::FiresOnNo(Fp), 30.0 * 200.0)
    );
    assert!((odds_ratio / (30.5 * 200.5 / (0.5 * 170.5)) - 1.0).abs() < 1e-12);
    // One call in ten is an insertion, for every atom: below one in five, and no sign of deletions.
    let of = Specialized {
        counted: 6,
        of: 6,
        ins_share: 0.1,
        enriched: 0,
    };
    assert_eq!(specialized, NotebookNote::DelSpecialized(of));
}

#[test]
fn summary_is_plain_data() {
    let summary = summary(&CONFOUNDED, 1, true, &Options::default());
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["calls"]["tp"], 200);
    let extended = &json["extended"];
    assert_eq!(extended["claims"][0]["procedure"], "max_t");
    assert_eq!(extended["claims"][0]["distinct"], 2);
    assert_eq!(extended["strongest_fp"][0]["side"], "FP");
    assert_eq!(extended["cautions"][0]["caution"], "confounded");
    assert_eq!(
        extended["near_duplicates"]["groups"][0],
        serde_json::json!([0, 1])
    );
}
