//! Where there is nothing to count, or nothing that fits together.

use atomscope::cohort::Label;
use atomscope::control::Control;
use atomscope::error::Error;
use atomscope::fires::pairs::count_pairs;
use atomscope::stats::pairs::{Pairs, Settings};

use super::cohort::{Cohort, all, settings};

#[test]
fn no_pairs() {
    for (features, k, calls) in [(1, 1, 20), (9, 1, 50), (0, 1, 0), (9, 3, 0)] {
        for memory in [0, 1 << 20] {
            let found = Cohort::random(features, k, calls, 8).pairs(&Settings {
                memory,
                ..settings(0)
            });
            assert!(found.is_empty());
            assert_eq!(found.pairs_at_the_threshold_asked(), 0);
            assert_eq!(found.threshold_used(), 1);
            assert!(all(&found).difference.fdr.is_empty());
        }
    }
    let beyond = Cohort::random(9, 3, 50, 8).pairs(&settings(u64::MAX));
    assert!(beyond.is_empty());
    assert_eq!(beyond.threshold_used(), u64::MAX);
}

#[test]
fn calls_of_one_label_leave_the_other_undefined() {
    let mut cohort = Cohort::random(20, 4, 200, 9);
    cohort.rows.retain(|(label, _)| *label == Label::Fp);
    let columns = all(&cohort.pairs(&settings(1)));
    assert!(columns.a.len() > 100);
    assert_eq!(columns.fp, columns.all);
    assert!(columns.tp.count.iter().all(|&n| n == 0));
    let (tp, difference) = (&columns.tp, &columns.difference);
    for undefined in [
        &tp.expected,
        &tp.lift,
        &tp.jaccard,
        &tp.phi,
        &tp.neg_log10_p,
        &tp.fdr,
        &difference.log_odds_ratio_difference,
        &difference.neg_log10_p,
        &difference.fdr,
    ] {
        assert!(undefined.iter().all(|x| x.is_nan()));
    }
}

#[test]
fn an_atom_that_always_fires_has_no_test() {
    let rows = (0..30).map(|i| {
        (
            if i < 12 { Label::Tp } else { Label::Fp },
            Some(vec![1, 2 + i % 2]),
        )
    });
    let cohort = Cohort {
        features: 4,
        k: Some(2),
        rows: rows.collect(),
        block: 4,
    };
    let columns = all(&cohort.pairs(&settings(1)));
    assert_eq!((columns.a, columns.b), (vec![1, 1], vec![2, 3]));
    assert_eq!(columns.all.lift, [1.0, 1.0]);
    assert_eq!(columns.all.jaccard, [0.5, 0.5]);
    assert!(
        columns
            .all
            .phi
            .iter()
            .chain(&columns.tp.fdr)
            .all(|x| x.is_nan())
    );
}

#[test]
fn pairs_as_chance_has_them_are_certain() {
    // All sets of two of four atoms, as often on true calls as on false ones.
    let rows = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]].map(|set| set.to_vec());
    let labelled = |label| rows.iter().map(move |set| (label, Some(set.clone())));
    let cohort = Cohort {
        features: 4,
        k: Some(2),
        rows: labelled(Label::Tp).chain(labelled(Label::Fp)).collect(),
        block: 8,
    };
    let columns = all(&cohort.pairs(&settings(1)));
    assert_eq!(columns.a.len(), 6);
    for place in 0..6 {
        let bits = |column: &[f64]| column[place].to_bits();
        assert_eq!(bits(&columns.all.neg_log10_p), 0);
        assert_eq!(bits(&columns.difference.neg_log10_p), 0);
        assert_eq!(bits(&columns.difference.log_odds_ratio_difference), 0);
        assert_eq!(columns.all.fdr[place], 1.0);
        assert!((columns.all.lift[place] - 1.0).abs() < 1e-12);
        assert!((columns.all.expected[place] - 2.0).abs() < 1e-12);
        // Independent atoms would fire together on three.
        assert!((columns.all.phi[place] + 1.0 / 3.0).abs() < 1e-12);
    }
}

#[test]
fn an_atom_that_always_fires_is_in_no_family_and_not_the_most_frequent() {
    let mut cohort = Cohort::random(30, 4, 300, 13);
    let family = |cohort: &Cohort| {
        let columns = all(&cohort.pairs(&settings(3)));
        let there = |column: &[f64]| column.iter().filter(|x| !x.is_nan()).copied().collect();
        let [p, fdr]: [Vec<f64>; 2] =
            [&columns.all.neg_log10_p, &columns.all.fdr].map(|c| there(c));
        (p, fdr)
    };
    let alone = family(&cohort);
    assert!(alone.1.iter().any(|&fdr| fdr < 0.05) && alone.1.iter().any(|&fdr| fdr > 0.05));
    // The same sets, and one more atom on every call.
    for (_, set) in &mut cohort.rows {
        if let Some(set) = set {
            set.push(30);
        }
    }
    (cohort.features, cohort.k) = (31, Some(5));
    let with = family(&cohort);
    assert_eq!(alone, with);
    let pairs = cohort.pairs(&settings(3));
    assert_eq!(all(&pairs).b[0], 30, "its pairs are the most frequent");
    assert_eq!(pairs.numbers().tested, alone.0.len());
    let first = pairs.first_tested(3);
    assert_eq!(first.len(), 3);
    for pair in first {
        assert!(pair.atoms[1] != 30 && !pair.phi[0].is_nan() && pair.lift > 0.0);
    }
}

#[test]
fn sets_that_leave_no_choice_have_no_test() {
    // Of three atoms all but one fire; of any number one does.
    for (features, k) in [(3, 2), (5, 1)] {
        let found = Cohort::random(features, k, 90, 14).pairs(&settings(1));
        assert_eq!(found.numbers().tested, 0);
        let columns = all(&found);
        assert!(
            columns
                .all
                .fdr
                .iter()
                .chain(&columns.all.neg_log10_p)
                .all(|x| x.is_nan())
        );
        let counts = columns.all.count.iter().map(|&n| f64::from(n));
        assert!(
            columns
                .all
                .expected
                .iter()
                .zip(counts)
                .all(|(e, n)| (e - n).abs() < 1e-9)
        );
    }
}

#[test]
fn another_cohort_s_counts_are_refused() {
    let cohort = Cohort::random(60, 3, 40, 10);
    for memory in [0, 4000, 1 << 20] {
        let settings = Settings {
            memory,
            ..settings(1)
        };
        let refused = |change: &dyn Fn(&mut super::cohort::Counts)| {
            let mut counts = cohort.counts();
            change(&mut counts);
            let found = Pairs::count(&cohort, &counts.borrowed(), &settings, &Control::default());
            found.err().map(|error| error.to_string())
        };
        assert_eq!(refused(&|_| {}), None);
        let changes: [&dyn Fn(&mut super::cohort::Counts); 7] = [
            &|counts| counts.on[0][59] += 1,
            &|counts| counts.on[1][0] -= 1,
            &|counts| counts.on[0].swap(0, 59),
            &|counts| counts.calls[0] += 1,
            &|counts| counts.calls[1] = 0,
            &|counts| counts.on.iter_mut().for_each(|on| on.truncate(30)),
            &|counts| counts.calls[1] = 1 << 32,
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let error = refused(change).unwrap_or_else(|| panic!("change {place} was taken"));
            assert!(
                error.contains("expected") && !error.contains('\n'),
                "{error}"
            );
        }
    }
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let cohort = Cohort::random(12, 3, 100, 11);
    let counts = cohort.counts();
    let of = |label, features| count_pairs(&cohort.sets_of(label), features).unwrap();
    let (tp, fp) = (of(Label::Tp, 12), of(Label::Fp, 12));
    let some = of(Label::Fp, 13);
    let take = |tp, fp, counts: &super::cohort::Counts| {
        Pairs::from_counts(
            tp,
            fp,
            &counts.borrowed(),
            &settings(1),
            &Control::default(),
        )
    };
    assert!(take(&tp, &fp, &counts).is_ok());
    assert!(take(&fp, &tp, &counts).is_err());
    assert!(take(&tp, &some, &counts).is_err());
    let mut fewer = cohort.counts();
    fewer.on.iter_mut().for_each(|on| on.truncate(11));
    assert!(take(&tp, &fp, &fewer).is_err());
}

#[test]
fn it_stops_when_it_is_told() {
    let cohort = Cohort::random(60, 3, 40, 12);
    let counts = cohort.counts();
    for memory in [0, 4000, 1 << 20] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let settings = Settings {
            memory,
            ..settings(1)
        };
        let run = |stop_at: usize| {
            asked.store(0, std::sync::atomic::Ordering::Relaxed);
            let stopped = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == stop_at;
            let control = Control::default().cancel_when(&stopped);
            Pairs::count(&cohort, &counts.borrowed(), &settings, &control)
        };
        // One thread asks as often, without the price of waking others for a few pairs; they are
        // woken at some of the questions.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let alone = alone.expect("a pool");
        assert!(run(usize::MAX).is_ok());
        let times = asked.load(std::sync::atomic::Ordering::Relaxed);
        assert!(times >= 4);
        for stop_at in 0..times {
            let found = alone.install(|| run(stop_at));
            assert!(matches!(found, Err(Error::Cancelled)), "{stop_at}");
            if stop_at % 8 == 0 || stop_at + 1 == times {
                assert!(matches!(run(stop_at), Err(Error::Cancelled)), "{stop_at}");
            }
        }
    }
}
