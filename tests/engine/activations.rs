//! Every activation gives the sets, scores and counts of a naive oracle, whatever the screen, the
//! instructions, the threads, the batches and the split of rows; and is certified, not scored anew.

use crate::common::activations::{Expected, case_of_empty_sets, tied_case};
use crate::common::case::{Case, plain_case, random_case};
use crate::common::hostile;
use crate::exactness::screens;
use atomscope::control::Control;
use atomscope::engine::{
    CpuEngine, CpuOptions, CpuScreen, Cuts, Encoded, Engine, EngineOptions, Simd,
};
use atomscope::rows::SliceRows;
use atomscope::sae::Activation;
use atomscope::tally::{Certificate, Strata};
use proptest::prelude::*;

/// Encodes some of the case's rows.
fn encode(
    case: &Case,
    (activation, cuts): (&Activation, Option<&Cuts>),
    rows: std::ops::Range<usize>,
    options: &EngineOptions,
) -> Encoded {
    let sae = case.sae_of(activation.clone());
    let numbers = &case.rows[rows.start * case.d..rows.end * case.d];
    let of_slice = SliceRows::new(numbers, case.d).expect("whole rows");
    let strata = case.strata();
    let strata = if rows.len() == case.count() {
        strata
    } else {
        Strata::single(rows.len())
    };
    let mut engine = CpuEngine::new(&sae, options).expect("a screen that is here");
    let cuts = cuts.map(|cuts| cuts.from_row(rows.start as u64));
    engine
        .encode_cut(&of_slice, &strata, cuts.as_ref(), &Control::default())
        .expect("finite rows")
}

fn options(screen: CpuScreen, threads: usize, batch_rows: Option<usize>) -> EngineOptions {
    EngineOptions {
        threads: Some(threads),
        batch_rows,
        cpu: CpuOptions { screen },
        scores: true,
        ..EngineOptions::default()
    }
}

/// Every screen with all instructions, then numbers of threads and rows of batches.
fn ways() -> Vec<EngineOptions> {
    let mut ways = Vec::new();
    for screen in screens() {
        ways.extend(Simd::all().into_iter().map(|simd| EngineOptions {
            simd: Some(simd),
            ..options(screen, 1, None)
        }));
        ways.push(options(screen, 2, Some(17)));
    }
    for (threads, batch) in [(7, None), (2, Some(1)), (2, Some(4096))] {
        ways.push(options(CpuScreen::Auto, threads, batch));
    }
    ways
}

/// The counters add up: each row is resolved in one way, and no atom is looked at that was not open.
fn assert_adds_up(certificate: Certificate, rows: usize, way: &str) {
    let Certificate {
        rows_certified_outright: certified,
        rows_rescored_in_full: full,
        ambiguous_atoms: ambiguous,
        most_ambiguous_in_a_row: most,
        ..
    } = certificate;
    assert_eq!(certificate.rows, rows as u64, "{way}");
    let open = certificate.rows - certified - full;
    assert!(
        ambiguous >= open && ambiguous <= open * most,
        "{certificate:?}, {way}"
    );
    assert!(
        certificate.second_scores <= ambiguous,
        "{certificate:?}, {way}"
    );
    assert!(
        certificate.canonical_scores <= ambiguous,
        "{certificate:?}, {way}"
    );
}

fn check_way(case: &Case, expected: &Expected, options: &EngineOptions) {
    let way = format!("{:?}, {options:?}", kind(&expected.activation));
    let rule = (&expected.activation, expected.cuts.as_ref());
    let found = encode(case, rule, 0..case.count(), options);
    case.assert_sets(&expected.sets, &found, &way);
    case.assert_scored(&found.fires, &way);
    assert_adds_up(found.tally.certificate(), case.count(), &way);
}

/// The activation without its thresholds, for messages.
fn kind(activation: &Activation) -> String {
    let words = format!("{activation:?}");
    words.chars().take(60).collect()
}

/// Every activation in all ways; or each in some of them, in turn.
fn check(case: &Case, all: bool) {
    let (scores, ways) = (case.all_scores(), ways());
    for (i, activation) in case.activations(&scores).into_iter().enumerate() {
        let expected = Expected::new(activation, &scores, 7);
        for (j, way) in ways.iter().enumerate() {
            if all || j % 4 == i % 4 {
                check_way(case, &expected, way);
            }
        }
    }
}

#[test]
fn activations_of_ragged_shapes_give_the_definition_in_every_way() {
    for (seed, (count, d, f, k)) in (0..).zip([
        (1, 1, 1, 1),
        (2, 7, 1, 1),
        (5, 33, 70, 70),
        (40, 31, 257, 8),
        (9, 24, 2100, 20),
    ]) {
        check(&random_case(seed, count, d, f, k), true);
    }
}

#[test]
fn activations_of_hostile_numbers_give_the_definition() {
    for (_, case) in hostile::all() {
        // The others take minutes.
        if case.f <= 3000 && case.f * case.count() * case.d < 1 << 21 {
            check(&case, false);
        }
    }
}

#[test]
fn activations_of_ties_give_the_definition_in_every_way() {
    check(&tied_case(), true);
}

#[test]
fn activations_of_rows_on_which_nothing_fires_give_empty_sets() {
    check(&case_of_empty_sets(), true);
}

#[test]
fn atoms_without_weights_are_not_scored_anew_where_they_cannot_fire() {
    let mut case = random_case(14, 60, 12, 6000, 200);
    case.weight[100 * 12..].fill(0.0);
    case.bias[100..].fill(0.0);
    let scores = case.all_scores();
    for activation in [
        Activation::TopK { k: 200, relu: true },
        Activation::GroupMax { groups: 200 },
        Activation::BatchTopK { k: 200 },
        Activation::relu(6000),
    ] {
        let expected = Expected::new(activation, &scores, 60);
        for screen in screens() {
            let options = options(screen, 1, None);
            check_way(&case, &expected, &options);
            let rule = (&expected.activation, expected.cuts.as_ref());
            let certificate = encode(&case, rule, 0..60, &options).tally.certificate();
            let way = format!("{}, {certificate:?}", kind(rule.0));
            assert_eq!(certificate.rows_rescored_in_full, 0, "{way}");
            assert!(certificate.canonical_scores < 10, "{way}");
        }
    }
}

#[test]
fn activations_of_rows_in_any_split_give_the_same_sets() {
    let case = random_case(12, 50, 30, 300, 6);
    let scores = case.all_scores();
    for activation in case.activations(&scores) {
        let expected = Expected::new(activation, &scores, 8);
        for split in [1, 8, 21, 49] {
            let mut sets = Vec::new();
            for rows in [0..split, split..50] {
                let rule = (&expected.activation, expected.cuts.as_ref());
                let found = encode(&case, rule, rows, &options(CpuScreen::Auto, 2, None));
                sets.extend(found.fires.iter().map(|(_, atoms)| atoms.to_vec()));
            }
            assert_eq!(
                sets,
                expected.sets,
                "{split}, {}",
                kind(&expected.activation)
            );
        }
    }
}

#[test]
fn activations_on_ordinary_rows_are_certified_and_not_scored_anew() {
    let case = plain_case(3, 300, 96, 1500, 12);
    let scores = case.all_scores();
    let few = |activation: &Activation| match activation {
        Activation::TopK { k, .. } | Activation::TopKWithTies { k } | Activation::AbsTopK { k } => {
            *k < 1500
        }
        Activation::GroupMax { groups } => *groups < 1500,
        _ => true,
    };
    for activation in case.activations(&scores).into_iter().filter(few) {
        let has_ties = activation
            == Activation::Threshold {
                thresholds: crate::common::activations::hostile_thresholds(&scores),
            };
        let expected = Expected::new(activation, &scores, 300);
        for screen in [CpuScreen::Single, CpuScreen::Bfloat16] {
            let rule = (&expected.activation, expected.cuts.as_ref());
            let found = encode(&case, rule, 0..300, &options(screen, 1, None));
            let certificate = found.tally.certificate();
            let way = format!("{screen}, {}, {certificate:?}", kind(rule.0));
            assert_eq!(certificate.rows_rescored_in_full, 0, "{way}");
            if screen == CpuScreen::Single && !has_ties {
                assert!(certificate.rows_certified_outright > 270, "{way}");
            }
            // Of 1500 atoms a row few are open, and hardly any behind the second screen.
            assert!(certificate.ambiguous_atoms < 300 * 60, "{way}");
            let most = if has_ties { 300 * 6 } else { 60 };
            assert!(certificate.canonical_scores < most, "{way}");
        }
    }
}

#[test]
fn rows_with_too_many_open_atoms_are_scored_in_full_and_counted() {
    // Atoms that are all the same, and a threshold that is their score: each is open.
    let mut case = plain_case(2, 6, 10, 6000, 7);
    case.rows.fill(1.0);
    case.weight.fill(0.3);
    case.bias.fill(0.25);
    let scores = case.all_scores();
    for (threshold, firings) in [(scores[0][0], 0), (scores[0][0].next_down(), 6000)] {
        let activation = Activation::thresholds(6000, threshold);
        let expected = Expected::new(activation, &scores, 1);
        assert_eq!(expected.sets[0].len(), firings);
        for screen in screens() {
            let options = options(screen, 2, None);
            check_way(&case, &expected, &options);
            let rule = (&expected.activation, None);
            let certificate = encode(&case, rule, 0..6, &options).tally.certificate();
            assert_eq!(certificate.rows_rescored_in_full, 6, "{screen}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn activations_of_any_case_give_the_definition(
        seed in any::<u64>(),
        (count, d, f, k) in (1usize..30, 1usize..70, 1usize..300, 1usize..40),
        levels in prop_oneof![Just(0u32), 1u32..4],
        (exponent, of_rows) in (-30i32..30, -30i32..30),
    ) {
        let mut case = random_case(seed, count, d, f, k.min(f));
        if levels > 0 {
            case.round_to(levels);
        }
        case.weight.iter_mut().for_each(|n| *n *= 10f32.powi(exponent));
        case.rows.iter_mut().for_each(|n| *n *= 10f32.powi(of_rows));
        check(&case, false);
    }
}
