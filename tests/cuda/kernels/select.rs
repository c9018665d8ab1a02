//! `kernels/select.cu`: exactly what intervals say, whatever the scores.

use atomscope::engine::cuda::select::{RULE_ABOVE_ZERO, RULE_MAGNITUDE, RULE_TIES, SelectArgs};
use atomscope::engine::cuda::whiten::RowFacts;
use proptest::prelude::*;
use rand::{Rng, RngExt};

use super::machine::Work;
use super::select_case::{Case, Overflow};
use crate::twins::numbers::random;

/// How the scores of a row go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    Smooth,
    Rising,
    Falling,
    /// Near −1e38, but for a few.
    Low,
    Denormal,
    /// Few different numbers, of both signs, and zeros of both.
    Levels,
    /// All alike but for their last bits.
    Close,
}

pub(crate) const COURSES: [Course; 7] = [
    Course::Smooth,
    Course::Rising,
    Course::Falling,
    Course::Low,
    Course::Denormal,
    Course::Levels,
    Course::Close,
];

pub(crate) fn course(rng: &mut impl Rng, course: Course, features: usize) -> Vec<f32> {
    let mut score = |f: usize| {
        let unit = rng.random_range(-1.0f32..1.0);
        match course {
            // Roughly Gaussian.
            Course::Smooth => (0..4).map(|_| rng.random_range(-1.0f32..1.0)).sum(),
            Course::Rising => f as f32 + 0.1 * unit,
            Course::Falling => -(f as f32) * 0.01 + 1e-4 * unit,
            Course::Low if unit < 0.9 => -1e38 * (1.0 + 0.05 * unit),
            Course::Low => unit,
            Course::Denormal => f32::from_bits(rng.random_range(0..0x0080_0000)) * unit.signum(),
            Course::Levels => (unit * 3.0).trunc(),
            Course::Close => 1.0 + f32::EPSILON * rng.random_range(0..100u8) as f32,
        }
    };
    (0..features).map(&mut score).collect()
}

pub(crate) fn facts() -> RowFacts {
    RowFacts {
        error: 0.0,
        norm: 0.0,
        low: 0.0,
        whole: 0.0,
        offset: 0.0,
        bias_scale: 0.0,
        coarse: 0.0,
        exponent: 0,
        finite: 1,
        largest: 0.0,
    }
}

/// Rows of a course each; margins of about `relative` of the largest estimate.
pub(crate) fn case(
    seed: u64,
    features: usize,
    k: usize,
    courses: &[Course],
    relative: f32,
) -> Case {
    let mut rng = random(seed);
    let mut case = Case {
        name: format!("seed {seed}, F = {features}, k = {k}, {courses:?}, margins {relative:e}"),
        features,
        k,
        scores: Vec::new(),
        facts: Vec::new(),
        biases: (0..features).map(|_| rng.random_range(-1.0..1.0)).collect(),
        margins: (0..features)
            .map(|_| [rng.random(), rng.random()])
            .collect(),
        tile_rows: courses.len().max(1),
        pair_capacity: courses.len() * features,
        overflow: Overflow::May,
        rule: 0,
        width: k,
        above: None,
    };
    for &of_row in courses {
        let scores = course(&mut rng, of_row, features);
        let largest = scores.iter().fold(0.0f32, |most, q| most.max(q.abs()));
        case.scores.extend(scores);
        case.facts.push(RowFacts {
            error: relative * largest * rng.random_range(0.0..1.0),
            norm: relative * largest,
            offset: relative * largest * 0.01,
            bias_scale: if rng.random() {
                2f32.powi(libm::frexpf(largest).1 - 3)
            } else {
                0.0
            },
            ..facts()
        });
    }
    case.resolve_coarse();
    case
}

/// Every rule of the k largest.
const RULES: [u32; 5] = [
    0,
    RULE_ABOVE_ZERO,
    RULE_TIES,
    RULE_MAGNITUDE,
    RULE_MAGNITUDE | RULE_ABOVE_ZERO,
];

impl Case {
    /// The same with another rule; ties have room for some more atoms than k.
    fn take_rule(&mut self, rule: u32) {
        self.rule = rule;
        let ties = rule & RULE_TIES != 0;
        self.width = (self.k + if ties { 7 } else { 0 }).min(self.features);
        self.name = format!("rule {rule}, {}", self.name);
        self.resolve_coarse();
    }
}

/// The k that launches use for F features, of those wished for.
fn clamp(work: &Work, k: usize, features: usize) -> Option<usize> {
    let k = k.min(features);
    work.kernels.select.can_select(k).then_some(k)
}

#[test]
fn all_sizes() {
    let Some(work) = Work::new() else { return };
    let features = [1, 2, 3, 4, 5, 31, 127, 129, 513, 2047, 2049, 4100, 8193];
    for (seed, features) in (0..).zip(features) {
        for k in [1, 2, 31, 100, 512, features - 1, features] {
            let Some(k) = clamp(&work, k.max(1), features) else {
                continue;
            };
            let courses = [Course::Smooth, Course::Rising, Course::Falling];
            let mut case = case(seed, features, k, &courses, 1e-4);
            case.overflow = Overflow::Never;
            case.tile_rows = 2;
            case.check(&work);
            case.take_rule(RULES[(features + k) % RULES.len()]);
            case.check(&work);
        }
    }
}

#[test]
fn large_rows() {
    let Some(work) = Work::new() else { return };
    for (features, k) in [(16_385, 64), (65_537, 1), (65_537, 300), (65_537, 512)] {
        let mut case = case(k as u64, features, k, &[Course::Smooth], 1e-4);
        case.overflow = Overflow::Never;
        case.check(&work);
        // What a rising row has above the threshold so far is a chunk in the worst case.
        let rising = [Course::Rising, Course::Falling, Course::Levels];
        self::case(k as u64, features, k, &rising, 1e-6).check(&work);
    }
}

proptest! {
    #![proptest_config(super::machine::cases(80))]

    #[test]
    fn any_row(
        seed in any::<u64>(),
        features in prop_oneof![1usize..300, 1usize..5000],
        k in prop_oneof![1usize..20, 1usize..600],
        courses in prop::collection::vec(prop::sample::select(&COURSES), 1..5),
        relative in prop::sample::select(&[0.0f32, 3e-7, 1e-5, 1e-3, 0.03, 0.5]),
        tile_rows in 1usize..5,
        rule in prop::sample::select(&RULES),
    ) {
        let Some(work) = Work::new() else { return Ok(()) };
        let Some(k) = clamp(&work, k, features) else { return Ok(()) };
        let mut case = case(seed, features, k, &courses, relative);
        case.tile_rows = tile_rows;
        case.take_rule(rule);
        if features <= work.kernels.select.capacity(k as u32) as usize {
            case.overflow = Overflow::Never;
        }
        case.check(&work);
    }
}

#[test]
fn equal_scores_are_open_or_overflow() {
    let Some(work) = Work::new() else { return };
    let capacity = work.kernels.select.capacity(8) as usize;
    for features in [9, capacity, capacity + 1, 5000] {
        for (score, relative) in [(0.0f32, 0.0f32), (-0.0, 1e-3), (2.5, 1e-6), (-1e30, 0.0)] {
            let mut case = case(1, features, 8, &[Course::Smooth; 3], relative);
            case.scores.fill(score);
            case.biases.fill(0.0);
            case.resolve_coarse();
            case.overflow = if features > capacity {
                Overflow::Must
            } else {
                Overflow::Never
            };
            case.name = format!("{features} equal scores of {score}");
            let found = case.check(&work);
            let open = if features > capacity { 0 } else { features };
            assert_eq!(found.counters.most_ambiguous, open as u64);
        }
    }
}

#[test]
fn signs_that_are_open_are_for_canonical_scores() {
    let Some(work) = Work::new() else { return };
    // Ten atoms above 0, three whose intervals hold it, the rest below: of 15 places.
    let mut case = case(2, 500, 15, &[Course::Smooth; 2], 0.0);
    case.biases.fill(0.0);
    for (f, score) in case.scores.iter_mut().enumerate() {
        *score = match f % 500 {
            f if f % 50 == 3 => 1.0 + f as f32 * 0.01,
            7 | 90 | 401 => 1e-6 * (f as f32 - 300.0),
            f => -1.0 - f as f32 * 0.01,
        };
    }
    for facts in &mut case.facts {
        facts.offset = 1e-3;
    }
    case.overflow = Overflow::Never;
    case.take_rule(RULE_ABOVE_ZERO);
    let found = case.check(&work);
    for state in &found.states {
        let counts = (state.certain, state.open, state.slots_left);
        assert_eq!(counts, (10, 3, 3));
    }
    // Magnitudes: those below 0 are the largest.
    case.take_rule(RULE_ABOVE_ZERO | RULE_MAGNITUDE);
    let found = case.check(&work);
    assert_eq!((found.states[0].certain, found.states[1].open), (15, 0));
}

#[test]
fn ties_at_the_threshold_outlive_pruning() {
    let Some(work) = Work::new() else { return };
    // Few threads see all that reaches a quarter of the largest, which is tried first as a
    // threshold, chunk after chunk, until the buffer is more than half full. Nothing is above the
    // ties but one atom, and margins are 0.
    let (features, k, chunk, threads) = (3 * 4096, 8, 4096, 7);
    let mut case = case(8, features, k, &[Course::Smooth], 0.0);
    case.biases.fill(0.0);
    for (f, score) in case.scores.iter_mut().enumerate() {
        *score = f32::from(u8::from(f % chunk % 1024 / 4 < threads));
    }
    case.scores[4 * threads] = 4.0;
    case.overflow = Overflow::Never;
    let found = case.check(&work);
    assert_eq!(found.states[0].certain, 1);
    assert_eq!(found.states[0].open as usize, 3 * 16 * threads);
}

#[test]
fn rows_without_room_for_their_pairs_overflow() {
    let Some(work) = Work::new() else { return };
    let courses = [Course::Smooth; 12];
    let roomy = case(4, 700, 20, &courses, 0.03);
    let asked = roomy.check(&work).pair_count as usize;
    assert!(asked > 100, "enough pairs to run out of room: {asked}");
    for pair_capacity in [0, 1, 7, asked / 2, asked - 1, asked] {
        let mut case = roomy.clone();
        case.pair_capacity = pair_capacity;
        case.overflow = Overflow::Never;
        case.tile_rows = 5;
        let found = case.check(&work);
        assert_eq!(found.pair_count as usize, asked);
        assert_eq!(found.overflowed.is_empty(), pair_capacity == asked);
    }
}

#[test]
fn rows_that_are_not_finite_are_passed_over() {
    let Some(work) = Work::new() else { return };
    let mut case = case(5, 300, 7, &[Course::Smooth; 9], 1e-3);
    for row in [0, 3, 4, 8] {
        case.facts[row].finite = 0;
        case.scores[row * 300..(row + 1) * 300].fill(f32::NAN);
    }
    case.overflow = Overflow::Never;
    case.tile_rows = 4;
    let found = case.check(&work);
    assert_eq!(found.counters.rows, 5);
}

#[test]
fn large_grids_have_every_row() {
    let Some(work) = Work::new() else { return };
    // More rows than a grid's second side could have; most of them are passed over, which is fast.
    let (rows, features) = (66_000, 5);
    let mut case = case(6, features, 2, &[], 1e-3);
    for row in 0..rows {
        let finite = row % 97 == 0 || row + 3 > rows;
        case.scores
            .extend((0..features).map(|f| ((row * 7 + f * 3) % 11) as f32));
        case.facts.push(RowFacts {
            norm: 0.3,
            finite: u32::from(finite),
            ..facts()
        });
    }
    case.resolve_coarse();
    (case.tile_rows, case.pair_capacity) = (rows, 5 * rows);
    case.overflow = Overflow::Never;
    case.check(&work);
}

#[test]
fn rows_that_are_not_screened_are_all_listed() {
    let Some(work) = Work::new() else { return };
    let mut case = case(7, 5, 2, &[Course::Smooth; 1000], 1e-3);
    for row in (0..1000).step_by(13) {
        case.facts[row].finite = 0;
    }
    let facts = work.upload(&case.facts);
    let states = work.output::<[u32; 5]>(1000);
    let listed = work.output::<u32>(1000);
    let count = work.output_from(&[0u32], 1);
    let counters = work.output_from(&[[0u64; 5]], 1);
    for (first_row, rows) in [(0, 300), (300, 700)] {
        let args = SelectArgs {
            facts: facts.address(),
            states: states.address(),
            overflowed: listed.address(),
            overflow_count: count.address(),
            counters: counters.address(),
            rows,
            first_row,
            ..SelectArgs::default()
        };
        // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for
        // before they go.
        unsafe { work.kernels.select.launch_overflow(&work.stream, &args) }.expect("a launch");
    }
    work.wait();
    let finite = |row: u32| !row.is_multiple_of(13);
    let expected: Vec<u32> = (0..1000).filter(|&row| finite(row)).collect();
    let mut listed = work.take(&listed);
    assert_eq!(work.take(&count), [expected.len() as u32]);
    listed.truncate(expected.len());
    listed.sort_unstable();
    assert_eq!(listed, expected);
    for (row, state) in (0..).zip(work.take(&states)) {
        assert_eq!(state, [0, 0, 0, if finite(row) { 1 } else { 2 }, 0]);
    }
    let all = expected.len() as u64;
    assert_eq!(work.take(&counters), [[all, 0, 0, 0, all]]);
}
