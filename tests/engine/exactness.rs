//! Every firing set equals that of a naive oracle which shares no code with the engine, on
//! friendly and on hostile numbers, for every instruction set, thread count and batch.

use crate::common::case::{Case, plain_case, random_case};
use crate::common::hostile;
use atomscope::control::Control;
use atomscope::engine::{CpuEngine, CpuOptions, CpuScreen, Encoded, Engine, EngineOptions, Simd};
use atomscope::rows::SliceRows;
use proptest::prelude::*;

fn encode(case: &Case, options: &EngineOptions) -> Encoded {
    let sae = case.sae();
    let rows = SliceRows::new(&case.rows, case.d).unwrap();
    let mut engine = CpuEngine::new(&sae, options).unwrap();
    engine
        .encode(&rows, &case.strata(), &Control::default())
        .unwrap()
}

/// Screens that every machine has, and those that this one has besides.
pub(crate) fn screens() -> Vec<CpuScreen> {
    let sae = plain_case(0, 1, 2, 2, 1).sae();
    let here = |&(_, screen): &(&str, CpuScreen)| {
        let options = EngineOptions {
            cpu: CpuOptions { screen },
            ..EngineOptions::default()
        };
        CpuEngine::new(&sae, &options).is_ok()
    };
    let named = CpuScreen::NAMES.iter().filter(|named| here(named));
    named.map(|&(_, screen)| screen).collect()
}

/// All ways of running give the oracle's sets and counts.
fn check(case: &Case) {
    let expected = case.oracle();
    let mut ways = Vec::new();
    for screen in screens() {
        for simd in Simd::all() {
            ways.push((Some(simd), screen, 1, None));
        }
        ways.push((None, screen, 2, Some(17)));
    }
    for threads in [2, 7] {
        ways.push((None, CpuScreen::Auto, threads, None));
    }
    for batch in [1, 4096] {
        ways.push((None, CpuScreen::Auto, 2, Some(batch)));
    }
    for (simd, screen, threads, batch_rows) in ways {
        let options = EngineOptions {
            threads: Some(threads),
            batch_rows,
            simd,
            cpu: CpuOptions { screen },
            scores: true,
            ..EngineOptions::default()
        };
        let (found, way) = (encode(case, &options), format!("{options:?}"));
        case.assert_exact(&expected, &found, &way);
        case.assert_scored(&found.fires, &way);
    }
}

#[test]
fn scores_are_there_only_where_they_are_wanted() {
    let case = plain_case(0, 30, 20, 50, 5);
    let scored = EngineOptions {
        scores: true,
        ..EngineOptions::default()
    };
    let without = encode(&case, &EngineOptions::default()).fires;
    let with = encode(&case, &scored).fires;
    assert!(without.scores().is_none() && with.scores().is_some());
    assert_eq!(without.atoms(), with.atoms());
}

#[test]
fn scores_of_rows_that_are_cut_and_of_many_pairs() {
    // On either side of where rows are cut, with slices and without a tail; more pairs than go
    // together; and an atom whose rows are no multiple of those that are scored together.
    let shapes = [
        (7, 1024, 60, 9),
        (7, 1025, 60, 9),
        (6, 1536, 40, 40),
        (9, 2079, 70, 3),
        (5, 1567, 30, 29),
        (130, 40, 900, 700),
        (700, 500, 20, 2),
    ];
    for (seed, (count, d, f, k)) in (70..).zip(shapes) {
        let case = random_case(seed, count, d, f, k);
        for simd in Simd::all() {
            let options = EngineOptions {
                threads: Some(1),
                simd: Some(simd),
                scores: true,
                ..EngineOptions::default()
            };
            let way = format!("{simd}, {count} x {d}, {f}, {k}");
            case.assert_scored(&encode(&case, &options).fires, &way);
        }
    }
}

#[test]
fn a_screen_that_is_not_here_is_refused_where_nothing_is_screened_too() {
    // All atoms fire: no screen is made, but what was asked for by name must be there all the same.
    let sae = plain_case(0, 1, 2, 2, 2).sae();
    let here = screens();
    for (name, screen) in CpuScreen::NAMES {
        let options = EngineOptions {
            cpu: CpuOptions { screen },
            ..EngineOptions::default()
        };
        let made = CpuEngine::new(&sae, &options).is_ok();
        assert_eq!(made, here.contains(&screen), "{name}");
    }
}

#[test]
fn every_machine_has_these_screens() {
    let here = screens();
    for screen in [
        CpuScreen::Auto,
        CpuScreen::Single,
        CpuScreen::Bfloat16,
        CpuScreen::Bfloat16Plain,
    ] {
        assert!(here.contains(&screen), "{screen}");
    }
    println!("screens here: {here:?}");
}

#[test]
fn ragged_shapes() {
    hostile::ragged().iter().for_each(check);
}

#[test]
fn k_beyond_the_features_is_clamped() {
    check(&random_case(9, 4, 6, 5, 40));
}

#[test]
fn exact_ties_go_to_the_lowest_index() {
    check(&hostile::exact_ties());
}

#[test]
fn all_equal_rows_and_scores() {
    hostile::all_equal().iter().for_each(check);
}

#[test]
fn scores_that_rise_with_the_index() {
    check(&hostile::rising());
}

#[test]
fn near_ties_far_below_binary32() {
    check(&hostile::near_ties());
}

#[test]
fn denormals_and_wild_scales() {
    hostile::wild_scales().iter().for_each(check);
}

#[test]
fn scales_mixed_within_a_row_and_among_features() {
    check(&hostile::mixed_scales());
}

#[test]
fn dropped_rows_leave_every_other_row_its_own_set() {
    // Rows of very different scales, so that what belongs to one row fits no other; and of one.
    let alike = plain_case(40, 300, 21, 333, 8);
    let mut different = alike.clone();
    for (row, exponent) in different
        .rows
        .chunks_mut(21)
        .zip((-35..=35).cycle().step_by(7))
    {
        let factor = 10f32.powi(exponent);
        for n in row {
            *n *= factor;
        }
    }
    for case in [alike, different] {
        dropped_rows_leave_every_other_row_alone(case);
    }
}

fn dropped_rows_leave_every_other_row_alone(mut case: Case) {
    let expected = case.oracle();
    let bad: Vec<usize> = (0..300)
        .filter(|r| r % 5 == 0 || (128..140).contains(r))
        .collect();
    for &r in &bad {
        case.rows[r * 21 + r % 21] = f32::NAN;
    }
    for (threads, batch_rows) in [(1, None), (2, Some(17)), (3, Some(1))] {
        let options = EngineOptions {
            threads: Some(threads),
            batch_rows,
            nonfinite: atomscope::engine::Nonfinite::Skip,
            scores: true,
            ..EngineOptions::default()
        };
        let found = encode(&case, &options);
        case.assert_scored(&found.fires, &format!("{options:?}"));
        assert_eq!(found.fires.dropped(), bad);
        let mut kept = 0;
        for (r, atoms) in found.fires.iter() {
            assert_eq!(atoms, &expected[r * 8..(r + 1) * 8], "row {r}, {options:?}");
            kept += 1;
        }
        assert_eq!(kept, 300 - bad.len());
    }
}

/// Blocks in which rows differ: what belongs to one of them fits no other.
#[test]
fn rows_of_a_block_keep_what_is_their_own() {
    // What rounding takes away: nothing of the weights and of the first block's rows, much of the
    // others'.
    let mut rounded = plain_case(50, 240, 64, 300, 9);
    let to_bfloat16 = |n: &mut f32| *n = f32::from_bits(n.to_bits() & 0xffff_0000);
    rounded.weight.iter_mut().for_each(to_bfloat16);
    rounded.rows[..40 * 64].iter_mut().for_each(to_bfloat16);
    // Norms, where scores are decided far below binary32.
    let mut norms = hostile::near_ties();
    // Rows that are scaled, behind one that is not, and so large that products overflow.
    let mut scaled = hostile::near_ties();
    let mut some_scaled = plain_case(51, 30, 40, 200, 7);
    for (case, first, others) in [
        (&mut norms, 2f32.powi(-15), 2f32.powi(12)),
        (&mut scaled, 1e37, 3e37),
        (&mut some_scaled, 1.0, 1e30),
    ] {
        for (r, row) in case.rows.chunks_mut(case.d).enumerate() {
            let factor = if r == 0 { first } else { others };
            for n in row {
                *n *= factor;
            }
        }
    }
    for case in [rounded, norms, scaled, some_scaled] {
        let expected = case.oracle();
        for screen in screens() {
            let options = EngineOptions {
                threads: Some(1),
                batch_rows: Some(40),
                cpu: CpuOptions { screen },
                ..EngineOptions::default()
            };
            case.assert_exact(&expected, &encode(&case, &options), &format!("{options:?}"));
        }
    }
}

#[test]
fn scores_that_rise_with_the_index_overflow_no_buffer() {
    let mut case = hostile::rising();
    case.f = 40_000;
    case.weight = (0..40_000 * 4).map(|i| (i / 4) as f32 * 1e-3).collect();
    case.bias = vec![0.0; 40_000];
    let expected = case.oracle();
    for simd in Simd::all() {
        for screen in screens() {
            let options = EngineOptions {
                simd: Some(simd),
                cpu: CpuOptions { screen },
                ..EngineOptions::default()
            };
            let found = encode(&case, &options);
            case.assert_exact(&expected, &found, &format!("{options:?}"));
            let certificate = found.tally.certificate();
            assert_eq!(certificate.rows_rescored_in_full, 0, "{options:?}");
        }
    }
}

#[test]
fn many_threads_and_few_rows_do_not_wait_for_each_other() {
    // Packing and measuring go on while blocks do, on more threads than there are processors.
    let case = random_case(60, 64, 3000, 64, 4);
    let expected = case.oracle();
    for round in 0..40 {
        for screen in [CpuScreen::Auto, CpuScreen::Single] {
            let options = EngineOptions {
                threads: Some(16),
                batch_rows: Some(1),
                cpu: CpuOptions { screen },
                ..EngineOptions::default()
            };
            let way = format!("round {round}, {options:?}");
            case.assert_exact(&expected, &encode(&case, &options), &way);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_case_equals_the_oracle(
        seed in any::<u64>(),
        count in 1usize..40,
        d in 1usize..80,
        f in 1usize..400,
        k in 1usize..50,
        levels in prop_oneof![Just(0u32), 1u32..4, Just(40)],
        exponent in -30i32..30,
    ) {
        let mut case = random_case(seed, count, d, f, k.min(f));
        if levels > 0 {
            // A few levels only: exact ties everywhere.
            case.round_to(levels);
        }
        case.weight.iter_mut().for_each(|n| *n *= 10f32.powi(exponent));
        check(&case);
    }
}
