//! Firing sets of any size, empty ones among them, from the engine to every table and file.

mod below_zero;
mod cohort;
mod files;

use atomscope::cohort::Label;
use atomscope::stats::notebook::NotebookTables;
use cohort::{ATOMS, BAD, Cohort, ROWS, call_of, cohort, options, shown, tables_of};

const MEMORY: u64 = 1 << 30;

#[test]
fn cohort_has_empty_small_and_large_sets() {
    let cohort = cohort();
    let sizes: Vec<_> = cohort.kept().map(|(_, set)| set.len()).collect();
    assert!(sizes.iter().filter(|&&size| size == 0).count() > ROWS / 5);
    assert!(sizes.iter().any(|&size| size > 0 && size < 4));
    assert!(sizes.iter().any(|&size| size > ATOMS / 3));
}

#[test]
fn counted_sets_and_counts_are_those_of_the_definition() {
    let cohort = cohort();
    for (threads, batch) in [(1, None), (2, Some(1)), (7, Some(33))] {
        let counted = cohort.counted(&options(Some(threads), batch));
        let firings = counted.firings.as_ref().expect("kept");
        let sets = firings.sets().expect("in memory");
        assert_eq!(sets.dropped(), BAD);
        assert!(sets.iter().eq(cohort.kept()));
        cohort.case.assert_scored(sets, "counted");
        let tally = &counted.cohort.tally;
        for atom in 0..ATOMS as u32 {
            for (s, stratum) in tally.table().iter().enumerate() {
                let label = |&(row, set): &(usize, &[u32])| {
                    let of_type = Some(stratum.svtype.as_str()) == call_of(row).svtype;
                    let dataset = stratum.dataset.as_deref() == call_of(row).dataset;
                    let size = stratum.size.is_none_or(|bin| is_of_size(row, bin));
                    let label = cohort.calls.label(row) == stratum.label;
                    label && of_type && dataset && size && set.contains(&atom)
                };
                let on = cohort.kept().filter(label).count() as u64;
                assert_eq!(tally.counts(s)[atom as usize], on, "{stratum:?} {atom}");
            }
        }
    }
}

fn is_of_size(row: usize, bin: atomscope::tally::SizeBin) -> bool {
    let one = [call_of(row)].into_iter().collect();
    let strata = atomscope::tally::Strata::by(&one, &atomscope::tally::StratifyBy::ALL);
    strata.expect("one call").table()[0].size == Some(bin)
}

/// On how many true and false calls an atom, or two, fire.
fn on(cohort: &Cohort, atoms: &[u32]) -> [u64; 2] {
    let mut on = [0; 2];
    for (row, _) in cohort
        .kept()
        .filter(|(_, set)| atoms.iter().all(|a| set.contains(a)))
    {
        on[usize::from(cohort.calls.label(row) == Label::Fp)] += 1;
    }
    on
}

#[test]
fn notebook_tables_are_those_of_a_loop_over_calls() {
    let cohort = cohort();
    let found: NotebookTables = tables_of(&cohort.counted(&options(None, None)), MEMORY).notebook;
    let [tp, fp] = on(&cohort, &[]);
    assert_eq!((found.bias.tp_total, found.bias.fp_total), (tp, fp));
    let often = (0..ATOMS as u32).filter(|&atom| on(&cohort, &[atom]).iter().sum::<u64>() >= 5);
    let mut bias: Vec<_> = found.bias.atoms.iter().map(|bias| bias.atom).collect();
    bias.sort_unstable();
    assert!(bias.into_iter().eq(often));
    for bias in &found.bias.atoms {
        let [of_tp, of_fp] = on(&cohort, &[bias.atom]);
        assert_eq!([bias.tp_on, bias.fp_on], [of_tp, of_fp]);
        assert_eq!([bias.tp_off, bias.fp_off], [tp - of_tp, fp - of_fp]);
    }
    assert!(!found.coactivation.all.is_empty());
    for pair in &found.coactivation.all {
        let both = on(&cohort, &[pair.atom_a, pair.atom_b]).iter().sum::<u64>();
        assert_eq!(pair.count, both);
    }
    for investigation in &found.investigations {
        let [tp, fp] = on(&cohort, &[investigation.atom]);
        assert_eq!([investigation.tp_on, investigation.fp_on], [tp, fp]);
        for example in &investigation.examples {
            assert!(cohort.sets[example.row].contains(&investigation.atom));
        }
    }
}

#[test]
fn activations_are_ranked_with_silent_calls_as_zero() {
    let cohort = cohort();
    let counted = cohort.counted(&options(None, None));
    let sets = counted
        .firings
        .as_ref()
        .expect("kept")
        .sets()
        .expect("in memory");
    let scores = sets.scores().expect("wanted");
    let tables = tables_of(&counted, MEMORY);
    let extended = tables.extended.expect("asked for");
    let firings = extended.firings.expect("there");
    let mut compared = 0;
    for (atom, found) in firings.atoms.iter().enumerate() {
        // The activation of each call, by looking at each.
        let mut of_label = [Vec::new(), Vec::new()];
        for (i, (row, set)) in sets.iter().enumerate() {
            let place = set.iter().position(|&fires| fires as usize == atom);
            let score = place.map_or(0.0, |place| scores[sets.place(i)][place]);
            assert!(
                score >= 0.0,
                "thresholds of at least 0 let no negative score fire"
            );
            of_label[usize::from(cohort.calls.label(row) == Label::Fp)].push(score);
        }
        let [tp, fp] = &of_label;
        let wins: f64 = tp
            .iter()
            .flat_map(|x| {
                fp.iter()
                    .map(move |y| f64::from(u8::from(x > y)) + 0.5 * f64::from(u8::from(x == y)))
            })
            .sum();
        let expected = wins / (tp.len() * fp.len()) as f64;
        if let Some(rank_sum) = found.activation.expect("scored").rank_sum {
            assert!((rank_sum.auroc - expected).abs() < 1e-12, "{atom}");
            compared += 1;
        }
    }
    assert!(compared > ATOMS / 2, "{compared}");
}

#[test]
fn pairs_are_those_of_a_double_loop() {
    let cohort = cohort();
    let tables = tables_of(&cohort.counted(&options(None, None)), MEMORY);
    let pairs = tables
        .extended
        .and_then(|extended| extended.pairs)
        .expect("counted");
    let mut expected = Vec::new();
    for a in 0..ATOMS as u32 {
        for b in a + 1..ATOMS as u32 {
            let [tp, fp] = on(&cohort, &[a, b]);
            if tp + fp >= 3 {
                expected.push((a, b, [tp as u32, fp as u32]));
            }
        }
    }
    let columns = pairs.chunk(0..pairs.len());
    let counts = columns.tp.count.iter().zip(&columns.fp.count);
    let atoms = columns.a.iter().zip(&columns.b);
    let mut found: Vec<_> = atoms
        .zip(counts)
        .map(|((&a, &b), (&tp, &fp))| (a, b, [tp, fp]))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    // Sets are of very unlike sizes: by chance alone atoms fire together more often than independent
    // ones would, and hardly a pair is told to do so more than by chance.
    let independent = |a, b| {
        let [of_a, of_b] = [a, b].map(|atom| on(&cohort, &[atom]).iter().sum::<u64>() as f64);
        of_a * of_b / (ROWS - BAD.len()) as f64
    };
    let more = (0..pairs.len())
        .filter(|&i| columns.all.expected[i] > 1.2 * independent(columns.a[i], columns.b[i]));
    assert!(more.count() > pairs.len() / 2);
}

#[test]
fn memory_and_threads_change_no_table() {
    let cohort = cohort();
    let expected = shown(&tables_of(&cohort.counted(&options(Some(1), None)), MEMORY));
    for (threads, batch, memory) in [(2, Some(1), 1), (7, Some(64), 30_000)] {
        let found = tables_of(&cohort.counted(&options(Some(threads), batch)), memory);
        assert!(
            shown(&found) == expected,
            "{threads} threads, {memory} bytes"
        );
    }
}
