//! Replication against a naive twin that shares no code with it, and what its tables show.

mod twin;

use std::error::Error;

use atomscope::report::table::{Table, Values};
use atomscope::report::tables;
use atomscope::stats::evidence::{Category, Partition, Replicated};
use atomscope::stats::inference::{Table2x2, fisher};
use atomscope::stats::replication::agreement::same_sign;
use atomscope::stats::replication::{Agreement, Cells, Effects, InPart, Replication, Split};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twin::{ATOMS, Twin, check_correlation, cohort, exact, group, log_odds, log_odds_within, near};

type Done = Result<(), Box<dyn Error>>;

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
                let cells @ [a, b, c, d] = cohort.cells(names, i, None);
                let table = part.table;
                assert_eq!(
                    [table.tp_on, table.fp_on, table.tp_off, table.fp_off],
                    [a, b, c, d]
                );
                if let Some(tested) = part.tested {
                    let strata = cohort.strata(names, i);
                    near(tested.p.p(), exact(&strata));
                    assert!((tested.log_odds.value - log_odds(cells)).abs() < 1e-12);
                    let (found, expected) = (tested.log_odds_within, log_odds_within(&strata));
                    assert!(found == expected || (found - expected).abs() < 1e-9);
                    assert_eq!(found.is_finite(), tested.interval_within.is_some());
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
            assert_eq!(atom.discovered, twin.discovery[i].map(|q| q < 0.05));
            assert_eq!(atom.same_sign, twin.within[i].map(|[x, y]| x * y > 0.0));
            let expected = twin.confirmation[i].zip(twin.within[i]);
            assert_eq!(
                atom.replicated,
                expected.map(|(q, [x, y])| q < 0.05 && x * y > 0.0)
            );
            replicated += usize::from(atom.replicated == Some(true));
            not += usize::from(atom.replicated == Some(false));
            untested += usize::from(atom.discovered == Some(true) && atom.replicated.is_none());
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
            "the parts of a replication: datasets of the calls: found one dataset, HG002, expected \
             two or more, so that one part can confirm what the other discovers; give more calls, or \
             part them by chromosomes: replication chrom",
        ),
        (
            Partition::Chrom,
            Vec::new(),
            "the parts of a replication: chromosomes of the calls: found none, expected two or more, \
             so that one part can confirm what the other discovers; give more calls, or part them by \
             datasets: replication dataset",
        ),
    ] {
        let error = Split::of(by, &groups).expect_err("refused");
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn strata_of_other_calls_are_refused() {
    let error = Cells::new(&[true, false], &[0], |_| 0).expect_err("refused");
    assert!(
        error.to_string().contains("strata: found 1 of them"),
        "{error}"
    );
}

/// How many calls of either part an atom's association is drawn on.
const CALLS: usize = 1500;

/// Atoms in two parts of a cohort of two types, 90 % and 10 % of whose calls are true: atoms tied to
/// the type alone, and atoms tied to the label within types.
fn confounded(seed: u64) -> Result<(Replication, usize), Box<dyn Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let types: Vec<u32> = (0..2 * CALLS).map(|_| random.random_range(0..2)).collect();
    let is_tp: Vec<bool> = types
        .iter()
        .map(|&kind| random.random_bool([0.9, 0.1][kind as usize]))
        .collect();
    let part = |call: usize| call / CALLS;
    let cells = Cells::new(&is_tp, &types, part)?;
    let of = |part: usize, tp: bool| {
        is_tp[part * CALLS..][..CALLS]
            .iter()
            .filter(|&&is_tp| is_tp == tp)
            .count() as u64
    };
    let groups = ["a", "b"].into_iter().enumerate();
    let groups: Vec<Category> = groups
        .map(|(it, name)| group(name, of(it, true), of(it, false)))
        .collect();
    let split = Split::of(Partition::Dataset, &groups)?;
    let mut crude = 0;
    let mut atoms = Vec::new();
    for atom in 0..60 {
        let fires: Vec<u32> = (0..2 * CALLS as u32)
            .filter(|&call| {
                let [kind, tp] = [types[call as usize] == 0, is_tp[call as usize]];
                let planted = atom >= TIED_TO_TYPE;
                let is_likely = if planted { tp } else { kind };
                random.random_bool(if is_likely { 0.2 } else { 0.05 })
            })
            .collect();
        let in_parts = cells.tables(&fires).map(|strata| InPart::of(&strata, 5));
        let is_small = |part: &InPart| fisher::exact_test(&part.table).p.p() < 1e-6;
        crude += usize::from(atom < TIED_TO_TYPE && in_parts.iter().all(is_small));
        atoms.push(in_parts);
    }
    Ok((Replication::of(split, &atoms, 5), crude))
}

/// Of the atoms of a confounded cohort.
const TIED_TO_TYPE: usize = 50;

#[test]
fn a_confounder_is_not_replicated_and_an_effect_within_types_is() -> Done {
    let (mut wrong, mut right) = (0, 0);
    for seed in 0..20 {
        let (found, crude) = confounded(seed)?;
        assert!(
            crude > 40,
            "{crude}: all calls at once show nothing to be misled by"
        );
        let replicated = |atom: &usize| found.atoms[*atom].replicated == Some(true);
        wrong += (0..TIED_TO_TYPE).filter(replicated).count();
        right += (TIED_TO_TYPE..60).filter(replicated).count();
    }
    assert!(wrong * 20 <= right + wrong, "{wrong} of {}", right + wrong);
    assert!(right > 150, "{right} of 200");
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
    assert!(!same_sign(1.0, -2.0) && !same_sign(0.0, -0.0) && same_sign(-1.0, f64::NEG_INFINITY));
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
        for [x, y] in &pairs {
            prop_assert_eq!(same_sign(*x, *y), x * y > 0.0);
        }
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
    assert_eq!((table.rows(), table.columns.len()), (ATOMS, 22));
    let (Values::F64(log_odds), Values::F64(fdr)) = (
        column(&table, "confirmation_log_or_lo"),
        column(&table, "confirmation_fdr"),
    ) else {
        panic!("not real numbers");
    };
    let (Values::Bool(replicated), Values::Bool(discovered)) =
        (column(&table, "replicated"), column(&table, "discovered"))
    else {
        panic!("not yes or no");
    };
    let Values::F64(within) = column(&table, "discovery_cmh_log_or") else {
        panic!("not real numbers");
    };
    for (i, atom) in found.atoms.iter().enumerate() {
        let low = atom.confirmation.tested.map(|tested| tested.log_odds.low);
        assert_eq!(log_odds[i].to_bits(), low.unwrap_or(f64::NAN).to_bits());
        assert_eq!(fdr[i].is_nan(), atom.confirmation.fdr.is_none());
        assert_eq!(replicated[i], atom.replicated);
        assert_eq!(discovered[i], atom.discovered);
        let expected = atom
            .discovery
            .tested
            .map_or(f64::NAN, |tested| tested.log_odds_within);
        assert_eq!(within[i].to_bits(), expected.to_bits());
    }
    let replicated = Replicated {
        found: found.clone(),
        correlation: Some((0.25, 0.5)),
        concordance: Some((0.75, 1.0)),
    };
    let summary = tables::replication_summary(&replicated);
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
    for (name, expected) in [
        ("pearson_boot_lo", [0.25, 0.25]),
        ("pearson_boot_hi", [0.5, 0.5]),
        ("concordance_boot_lo", [0.75, f64::NAN]),
        ("concordance_boot_hi", [1.0, f64::NAN]),
    ] {
        let Values::F64(found) = column(&summary, name) else {
            panic!("not real numbers");
        };
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
    Ok(())
}

/// Random labels: hardly anything is discovered, and what is has no more than chance to replicate.
#[test]
fn nothing_is_found_in_nothing() -> Done {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let atoms = 2000;
    let groups = [group("a", 300, 300), group("b", 300, 300)];
    let split = Split::of(Partition::Dataset, &groups)?;
    let mut draw = || {
        let on =
            [(); 2].map(|()| u64::from((random.random::<u64>() & ((1 << 40) - 1)).count_ones()));
        Table2x2 {
            tp_on: on[0],
            fp_on: on[1],
            tp_off: 300 - on[0],
            fp_off: 300 - on[1],
        }
    };
    let found: Vec<_> = (0..atoms)
        .map(|_| [(); 2].map(|()| InPart::of(&[draw()], 5)))
        .collect();
    let found = Replication::of(split, &found, 5);
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
