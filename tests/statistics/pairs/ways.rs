//! Whatever the memory, the threads and the blocks, and wherever the counts are from.

use atomscope::cohort::Label;
use atomscope::control::Control;
use atomscope::error::Result;
use atomscope::fires::pairs::count_pairs;
use atomscope::fires::{CountPairs, FiringSets, PairCounts};
use atomscope::stats::pairs::{Pairs, Settings};

use super::cohort::{Cohort, all, settings, shown};

#[test]
fn memory_blocks_and_threads_change_nothing() {
    // The counts of all pairs take 20 kB, all firings 4 kB, and half of the memory is for either.
    memory_blocks_and_threads_do_not_show(Cohort::random(71, 4, 150, 4));
}

#[test]
fn memory_blocks_and_threads_change_nothing_where_most_atoms_are_rare() {
    memory_blocks_and_threads_do_not_show(Cohort::random(700, 4, 150, 4));
}

#[test]
fn memory_blocks_and_threads_change_nothing_of_sets_of_any_size() {
    memory_blocks_and_threads_do_not_show(Cohort::ragged(71, 150, 4));
}

fn memory_blocks_and_threads_do_not_show(mut cohort: Cohort) {
    let expected = shown(&all(&cohort.pairs(&settings(2))));
    for memory in [0, 999, 4000, 9000, 30_000, 1 << 40] {
        for block in [1, 64, 150] {
            cohort.block = block;
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let settings = Settings {
                    memory,
                    ..settings(2)
                };
                let found = pool
                    .build()
                    .unwrap()
                    .install(|| all(&cohort.pairs(&settings)));
                assert_eq!(shown(&found), expected, "{memory} bytes, blocks of {block}");
            }
        }
    }
}

#[test]
fn chunks_are_parts_of_the_whole() {
    let pairs = Cohort::random(40, 6, 300, 5).pairs(&settings(1));
    let whole = all(&pairs);
    let mut first = 0;
    for rows in [0, 1, 50, 3, pairs.len() - 54] {
        let chunk = pairs.chunk(first..first + rows);
        assert_eq!(chunk.a, whole.a[first..][..rows]);
        let fdr = chunk.difference.fdr.iter().map(|x| x.to_bits());
        let expected = whole.difference.fdr[first..][..rows].iter();
        assert!(fdr.eq(expected.map(|x| x.to_bits())));
        assert_eq!(chunk.all.phi, whole.all.phi[first..][..rows]);
        assert_eq!(chunk.fp.count, whole.fp.count[first..][..rows]);
        first += rows;
    }
    assert_eq!(first, pairs.len());
}

#[test]
fn counts_of_an_engine_give_the_same() {
    let cohort = Cohort::random(53, 7, 500, 6);
    let counts = cohort.counts();
    let of = |label| count_pairs(&cohort.sets_of(label), cohort.features).unwrap();
    let (tp, fp) = (of(Label::Tp), of(Label::Fp));
    for (min_coactivation, most_pairs) in [(0, usize::MAX), (4, usize::MAX), (1, 100)] {
        let settings = Settings {
            most_pairs,
            ..settings(min_coactivation)
        };
        let found =
            Pairs::from_counts(&tp, &fp, &counts.borrowed(), &settings, &Control::default())
                .unwrap();
        let expected = cohort.pairs(&settings);
        assert!(!found.is_empty());
        assert_eq!(shown(&all(&found)), shown(&all(&expected)));
        assert_eq!(found.threshold_used(), expected.threshold_used());
        let asked = Pairs::pairs_at_the_threshold_asked;
        assert_eq!(asked(&found), asked(&expected));
    }
}

/// Counts on the CPU, as something else.
struct Elsewhere;

impl CountPairs for Elsewhere {
    fn device(&self) -> String {
        "elsewhere".to_owned()
    }

    fn count_all_pairs(&mut self, fires: &FiringSets, features: usize) -> Result<PairCounts> {
        count_pairs(fires, features)
    }
}

#[test]
fn count_by_something_else_gives_the_same_of_sets_of_any_size() {
    for cohort in [Cohort::ragged(53, 500, 6), Cohort::random(53, 7, 500, 6)] {
        let counts = cohort.counts();
        let (counts, settings) = (counts.borrowed(), settings(3));
        let control = Control::default();
        let found = Pairs::count_by(&mut Elsewhere, &cohort, &counts, &settings, &control);
        let found = found.expect("one cohort");
        assert!(!found.is_empty());
        assert_eq!(shown(&all(&found)), shown(&all(&cohort.pairs(&settings))));
    }
}

#[test]
fn too_many_pairs_raise_the_threshold_as_far_as_they_must() {
    let cohort = Cohort::random(61, 5, 800, 7);
    let whole = cohort.pairs(&settings(2));
    let counts = all(&whole).all.count;
    let ties = counts.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(ties > 100, "there must be ties at the threshold");
    for most_pairs in [
        0,
        1,
        2,
        17,
        100,
        333,
        whole.len() - 1,
        whole.len(),
        whole.len() + 1,
    ] {
        for memory in [0, 1 << 20] {
            let found = cohort.pairs(&Settings {
                min_coactivation: 2,
                most_pairs,
                memory,
                ..settings(2)
            });
            let with = |least: u64| counts.iter().filter(|&&n| u64::from(n) >= least).count();
            let threshold = (2..=u64::MAX)
                .find(|&least| with(least) <= most_pairs)
                .unwrap();
            assert_eq!(found.threshold_used(), threshold, "of {most_pairs} pairs");
            assert_eq!(found.len(), with(threshold));
            assert_eq!(found.pairs_at_the_threshold_asked(), counts.len() as u64);
            assert_eq!(all(&found).a, all(&whole).a[..found.len()]);
        }
    }
}

#[test]
fn more_pairs_than_are_looked_at_at_once() {
    // Two million pairs a time; every call has two neighbours of its own.
    let rows = (0..2999_u32).map(|i| (Label::Fp, Some(vec![i, i + 1])));
    let mut cohort = Cohort {
        features: 3000,
        k: Some(2),
        rows: rows.collect(),
        block: 999,
    };
    cohort.rows.push((Label::Tp, Some(vec![0, 2999])));
    for memory in [1 << 20, 1 << 24, 1 << 30] {
        let found = cohort.pairs(&Settings {
            memory,
            ..settings(1)
        });
        let columns = all(&found);
        let pairs: Vec<_> = columns.a.iter().zip(&columns.b).collect();
        assert_eq!(pairs.len(), 3000);
        assert_eq!(pairs[..3], [(&0, &1), (&0, &2999), (&1, &2)]);
        assert_eq!(pairs[2999], (&2998, &2999));
        assert_eq!(columns.tp.count.iter().sum::<u32>(), 1);
    }
}
