//! `kernels/select_groups.cu`: exactly what intervals say of each group, whatever the scores.

use atomscope::engine::cuda::select::{RULE_ABOVE_ZERO, RULE_GROUPS};
use proptest::prelude::*;

use super::machine::Work;
use super::select::{COURSES, Course, case};
use super::select_case::{Case, Overflow};

/// Rows of these courses, of `groups` groups of `size` atoms.
fn grouped(seed: u64, (groups, size): (usize, usize), courses: &[Course], relative: f32) -> Case {
    let mut case = case(seed, groups * size, groups, courses, relative);
    case.rule = RULE_ABOVE_ZERO | RULE_GROUPS;
    case.name = format!("{groups} groups of {size}, {}", case.name);
    case
}

/// The same where every atom may be a candidate.
fn roomy(mut case: Case, work: &Work) -> Case {
    if case.features <= work.kernels.select_groups.capacity(case.k as u32) as usize {
        case.overflow = Overflow::Never;
    }
    case
}

#[test]
fn groups_all_sizes() {
    let Some(work) = Work::new() else { return };
    let sizes = [1, 2, 3, 5, 31, 64, 127, 128, 129, 300, 512, 2050];
    for (seed, size) in (0..).zip(sizes) {
        for groups in [1, 2, 7, 64, 2047, 2048] {
            if groups * size > 70_000 {
                continue;
            }
            let courses = [Course::Smooth, Course::Rising, Course::Levels];
            let mut case = grouped(seed, (groups, size), &courses, 1e-4);
            case.tile_rows = 2;
            roomy(case, &work).check(&work);
        }
    }
}

#[test]
fn groups_on_ordinary_rows_have_room() {
    let Some(work) = Work::new() else { return };
    for (groups, size) in [(64, 512), (200, 20), (2048, 16), (1, 40_000)] {
        let mut case = grouped(5, (groups, size), &[Course::Smooth; 3], 1e-4);
        case.overflow = Overflow::Never;
        let found = case.check(&work);
        let certain: u32 = found.states.iter().map(|state| state.certain).sum();
        assert!(
            certain as usize > 2 * groups,
            "{certain} of {groups} groups"
        );
    }
}

#[test]
fn groups_that_have_too_many_are_not_screened() {
    let Some(work) = Work::new() else { return };
    let kernel = &work.kernels.select_groups;
    for groups in [1, 64, 1024, 2048] {
        assert!(kernel.can_select(groups), "{groups}");
        assert!(kernel.capacity(groups as u32) as usize >= 2 * groups);
    }
    for groups in [2049, 1 << 20, usize::MAX] {
        assert!(!kernel.can_select(groups), "{groups}");
    }
}

proptest! {
    #![proptest_config(super::machine::cases(80))]

    #[test]
    fn groups_any_row(
        seed in any::<u64>(),
        groups in prop_oneof![1usize..20, 1usize..300],
        size in prop_oneof![1usize..9, 1usize..200],
        courses in prop::collection::vec(prop::sample::select(&COURSES), 1..5),
        relative in prop::sample::select(&[0.0f32, 3e-7, 1e-5, 1e-3, 0.03, 0.5]),
        tile_rows in 1usize..5,
    ) {
        let Some(work) = Work::new() else { return Ok(()) };
        let size = size.min(5000 / groups);
        let mut case = grouped(seed, (groups, size), &courses, relative);
        case.tile_rows = tile_rows;
        roomy(case, &work).check(&work);
    }
}

#[test]
fn groups_of_equal_scores_are_open_or_overflow() {
    let Some(work) = Work::new() else { return };
    let capacity = work.kernels.select_groups.capacity(8) as usize;
    for size in [1, 9, capacity / 8, capacity / 8 + 1] {
        for (score, relative) in [(2.5f32, 1e-6f32), (2.5, 0.0), (0.0, 0.0), (-3.0, 0.0)] {
            let mut case = grouped(1, (8, size), &[Course::Smooth; 3], relative);
            case.scores.fill(score);
            case.biases.fill(0.0);
            case.resolve_coarse();
            let crowded = score > 0.0 && 8 * size > capacity;
            case.overflow = if crowded {
                Overflow::Must
            } else {
                Overflow::Never
            };
            case.name = format!("8 groups of {size} equal scores of {score}");
            let found = case.check(&work);
            let open = if score > 0.0 && !crowded && size > 1 {
                8 * size
            } else {
                0
            };
            assert_eq!(found.counters.most_ambiguous, open as u64, "{}", case.name);
        }
    }
}

#[test]
fn groups_whose_sign_is_open_are_for_canonical_scores() {
    let Some(work) = Work::new() else { return };
    // By turns: one atom clearly above 0; its interval holds 0; all below 0; two that are close.
    let mut case = grouped(2, (12, 40), &[Course::Smooth; 2], 0.0);
    case.biases.fill(0.0);
    for (f, score) in case.scores.iter_mut().enumerate() {
        *score = match (f / 40 % 4, f % 40) {
            (0, 39) | (3, 7) => 1.0,
            (1, 0) => -1e-6,
            (3, 30) => 0.9995,
            _ => -1.0,
        };
    }
    for facts in &mut case.facts {
        facts.offset = 1e-3;
    }
    case.resolve_coarse();
    case.overflow = Overflow::Never;
    for state in case.check(&work).states {
        assert_eq!((state.certain, state.open, state.slots_left), (3, 9, 9));
    }
}

#[test]
fn groups_of_rows_without_room_for_their_pairs_overflow() {
    let Some(work) = Work::new() else { return };
    let roomy = grouped(4, (20, 35), &[Course::Smooth; 12], 0.03);
    let asked = roomy.check(&work).pair_count as usize;
    assert!(asked > 100, "enough pairs to run out of room: {asked}");
    for pair_capacity in [0, 1, asked / 2, asked - 1, asked] {
        let mut case = roomy.clone();
        case.pair_capacity = pair_capacity;
        case.overflow = Overflow::Never;
        case.tile_rows = 5;
        let found = case.check(&work);
        assert_eq!(found.overflowed.is_empty(), pair_capacity == asked);
    }
}

#[test]
fn groups_of_rows_that_are_not_finite_are_passed_over() {
    let Some(work) = Work::new() else { return };
    let mut case = grouped(5, (7, 43), &[Course::Smooth; 9], 1e-3);
    for row in [0, 3, 4, 8] {
        case.facts[row].finite = 0;
        case.scores[row * 301..(row + 1) * 301].fill(f32::NAN);
    }
    case.overflow = Overflow::Never;
    case.tile_rows = 4;
    assert_eq!(case.check(&work).counters.rows, 5);
}
