//! `kernels/select_threshold.cu`: exactly what intervals say, whatever scores and thresholds.

use atomscope::engine::Cut;
use atomscope::engine::cuda::driver::Buffer;
use atomscope::engine::cuda::select::SelectArgs;
use atomscope::engine::cuda::select_threshold::{RowCut, ThresholdArgs};
use proptest::prelude::*;
use rand::RngExt;

use super::machine::Work;
use super::select::{COURSES, Course, case};
use super::select_case::{Case, Overflow};
use crate::twins::numbers::random;
use crate::twins::select::{Classes, Interval, classify_above};

/// Thresholds, of atoms or of rows.
#[derive(Debug, Clone)]
pub(crate) struct Above {
    /// Those of atoms are folded into the biases, and have these margins.
    shift_margins: Option<Vec<f32>>,
    cuts: Option<Vec<RowCut>>,
    weight_exponent: i32,
    largest_whole: f32,
}

/// Nearest from below, and from above, in binary32.
fn around(x: f64) -> Interval {
    let nearest = x as f32;
    let wide = f64::from(nearest);
    Interval {
        lower: if wide > x {
            nearest.next_down()
        } else {
            nearest
        },
        upper: if wide < x { nearest.next_up() } else { nearest },
    }
}

impl Above {
    fn any_infinite(&self, case: &Case) -> bool {
        let margins = self.shift_margins.iter().flatten();
        self.shift_margins.is_some() && margins.chain(&case.biases).any(|x| x.is_infinite())
    }

    /// Says whether shifts are what they are taken for on a row.
    pub(crate) fn holds(&self, case: &Case, row: usize) -> bool {
        let facts = &case.facts[row];
        let far = f64::from(facts.bias_scale) * 2f64.powi(60);
        let product = f64::from(facts.whole) * f64::from(self.largest_whole);
        self.shift_margins.is_none()
            || (facts.bias_scale >= f32::MIN_POSITIVE
                && (!self.any_infinite(case) || far > 4.0 * product))
    }

    /// What a row's intervals say.
    pub(crate) fn classes(&self, case: &Case, row: usize) -> Classes {
        let facts = &case.facts[row];
        let mut intervals: Vec<Interval> = Vec::new();
        for (atom, (estimate, mut margin)) in case.estimates(row).into_iter().enumerate() {
            if let Some(margins) = &self.shift_margins {
                margin += margins[atom] * facts.bias_scale;
            }
            intervals.push(Interval {
                lower: estimate - margin,
                upper: estimate + margin,
            });
        }
        let mut limit = Interval {
            lower: f32::from_bits(1),
            upper: 0.0,
        };
        if let Some(cuts) = &self.cuts {
            let unit = facts.exponent + self.weight_exponent;
            let cut = around(cuts[row].score * 2f64.powi(-unit));
            limit.lower = limit.lower.max(cut.lower);
            limit.upper = limit.upper.max(cut.upper);
        }
        classify_above(&intervals, limit)
    }

    /// Launches the kernel.
    pub(crate) fn launch(&self, work: &Work, case: &Case, select: SelectArgs) {
        let margins = self.shift_margins.as_ref();
        let largest = margins.into_iter().flatten().copied().fold(0.0, f32::max);
        let margins = margins.map(|margins| work.upload(margins));
        let cuts = self.cuts.as_ref().map(|cuts| work.upload(cuts));
        let args = ThresholdArgs {
            select,
            shift_margins: margins.as_ref().map_or(0, Buffer::address),
            cuts: cuts.as_ref().map_or(0, Buffer::address),
            largest_shift_margin: largest,
            largest_whole: self.largest_whole,
            weight_exponent: self.weight_exponent,
            any_infinite: u32::from(self.any_infinite(case)),
        };
        let kernel = &work.kernels.select_threshold;
        // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for
        // before they go.
        unsafe { kernel.launch(&work.stream, &args) }.expect("a launch");
        work.wait();
    }
}

/// Rows of these courses above which `share` of the largest score is a threshold: in units that differ
/// from row to row.
fn above(seed: u64, features: usize, courses: &[Course], share: f32, relative: f32) -> Case {
    let mut case = case(seed, features, 1, courses, relative);
    let mut rng = random(seed ^ 0x7357);
    case.width = features.min(4096);
    case.biases = (0..features)
        .map(|_| -share * rng.random_range(0.5..1.5))
        .collect();
    let mut margins: Vec<f32> = (0..features)
        .map(|_| relative * rng.random_range(0.0..0.3))
        .collect();
    let both = case.biases.iter_mut().zip(&mut margins);
    for (f, (bias, margin)) in both.enumerate() {
        match (f * 7 + seed as usize) % 41 {
            0 => (*bias, *margin) = (f32::INFINITY, 0.0),
            1 => (*bias, *margin) = (f32::NEG_INFINITY, 0.0),
            2 => *margin = f32::INFINITY,
            _ => {}
        }
    }
    for (row, facts) in case.facts.iter_mut().enumerate() {
        let scores = &case.scores[row * features..(row + 1) * features];
        let largest = scores.iter().fold(0.0f32, |most, q| most.max(q.abs()));
        facts.bias_scale = 2f32.powi(libm::frexpf(largest).1.max(-120));
        facts.exponent = rng.random_range(-9..9);
    }
    case.above = Some(Above {
        shift_margins: Some(margins),
        cuts: None,
        weight_exponent: -2,
        largest_whole: 0.0,
    });
    case.resolve_finite_coarse();
    case.overflow = Overflow::Never;
    case.name = format!("shifts, share {share}, {}", case.name);
    case
}

/// The same with a threshold of each row, and biases as they are.
fn cut(seed: u64, features: usize, courses: &[Course], share: f32, relative: f32) -> Case {
    let mut case = case(seed, features, 1, courses, relative);
    let mut rng = random(seed ^ 0xc0c0);
    case.width = features.min(4096);
    let mut cuts = Vec::new();
    for row in 0..case.rows() {
        case.facts[row].exponent = rng.random_range(-9..9);
        let estimates = case.estimates(row);
        let largest = estimates.iter().fold(0.0f32, |most, &(q, _)| most.max(q));
        // Some are those of an atom, to the bit; some are no binary32 numbers.
        let score = match row % 3 {
            0 => f64::from(largest * share) * (1.0 + 1e-9),
            1 => f64::from(estimates[features / 2].0.max(0.0)),
            _ => 0.0,
        };
        let place = Cut {
            score: score * 2f64.powi(case.facts[row].exponent - 2),
            row: 5,
            atom: 3,
        };
        cuts.push(RowCut::new((row as u64, place)));
    }
    case.above = Some(Above {
        shift_margins: None,
        cuts: Some(cuts),
        weight_exponent: -2,
        largest_whole: 0.0,
    });
    case.overflow = Overflow::Never;
    case.name = format!("cuts, share {share}, {}", case.name);
    case
}

impl Case {
    /// States what selection relies on where estimates may be infinite.
    fn resolve_finite_coarse(&mut self) {
        let biases = self.biases.clone();
        for bias in self.biases.iter_mut().filter(|bias| bias.is_infinite()) {
            *bias = 0.0;
        }
        self.resolve_coarse();
        self.biases = biases;
    }
}

#[test]
fn thresholds_all_sizes() {
    let Some(work) = Work::new() else { return };
    let features = [
        1, 2, 3, 4, 5, 31, 127, 129, 513, 2047, 2049, 4100, 8193, 16_385,
    ];
    for (seed, features) in (0..).zip(features) {
        let courses = [
            Course::Smooth,
            Course::Rising,
            Course::Falling,
            Course::Levels,
        ];
        for make in [above, cut] {
            // Nearly all fire, some do, none does.
            for share in [-2.0, 0.7, 3.0] {
                let mut case = make(seed, features, &courses, share, 1e-4);
                case.tile_rows = 3;
                case.check(&work);
            }
        }
    }
}

proptest! {
    #![proptest_config(super::machine::cases(60))]

    #[test]
    fn thresholds_any_row(
        seed in any::<u64>(),
        features in prop_oneof![1usize..300, 1usize..5000],
        courses in prop::collection::vec(prop::sample::select(&COURSES), 1..5),
        share in prop::sample::select(&[-1.0f32, 0.0, 0.3, 0.9]),
        relative in prop::sample::select(&[0.0f32, 3e-7, 1e-5, 1e-3, 0.03, 0.5]),
        tile_rows in 1usize..5,
        width in prop_oneof![1usize..40, Just(4096)],
        of_rows in any::<bool>(),
    ) {
        let Some(work) = Work::new() else { return Ok(()) };
        let make = if of_rows { cut } else { above };
        let mut case = make(seed, features, &courses, share, relative);
        case.tile_rows = tile_rows;
        case.width = width.min(features);
        case.check(&work);
    }
}

#[test]
fn thresholds_that_equal_scores_are_open() {
    let Some(work) = Work::new() else { return };
    let mut case = cut(3, 70, &[Course::Levels; 3], 0.5, 0.0);
    case.biases.fill(0.0);
    let mut cuts = Vec::new();
    for (r, scores) in case.scores.chunks_mut(70).enumerate() {
        let score = scores[9].abs() + 1.0;
        scores[9..12].copy_from_slice(&[score, score.next_up(), score.next_down()]);
        cuts.push(RowCut {
            score: f64::from(score) * 2f64.powi(case.facts[r].exponent - 2),
            ..RowCut::default()
        });
    }
    if let Some(above) = &mut case.above {
        above.cuts = Some(cuts);
    }
    let found = case.check(&work);
    for state in &found.states {
        let first = state.first_pair as usize;
        let open = &found.pairs[first..first + state.open as usize];
        assert!(open.iter().any(|pair| pair.atom == 9));
        assert!(open.iter().all(|pair| pair.atom != 10 && pair.atom != 11));
        assert!(state.certain > 0);
    }
}

#[test]
fn thresholds_of_rows_without_room_overflow() {
    let Some(work) = Work::new() else { return };
    let roomy = above(4, 700, &[Course::Smooth; 12], 0.3, 0.03);
    let asked = roomy.check(&work).pair_count as usize;
    assert!(asked > 50, "enough pairs to run out of room: {asked}");
    for pair_capacity in [0, 7, asked / 2, asked - 1, asked] {
        let mut case = roomy.clone();
        case.pair_capacity = pair_capacity;
        case.tile_rows = 5;
        let found = case.check(&work);
        assert_eq!(found.overflowed.is_empty(), pair_capacity == asked);
    }
}

#[test]
fn thresholds_that_may_be_finite_beside_a_row_overflow() {
    let Some(work) = Work::new() else { return };
    let mut case = above(6, 300, &[Course::Smooth; 6], 0.5, 1e-3);
    for (row, facts) in case.facts.iter_mut().enumerate() {
        // Shifts that underflow; a product that reaches what is taken for infinite, or nearly.
        match row {
            0 => facts.bias_scale = 2f32.powi(-127),
            1 => facts.whole = facts.bias_scale * 2f32.powi(50),
            2 => facts.whole = facts.bias_scale * 2f32.powi(48).next_down(),
            3 => facts.finite = 0,
            _ => {}
        }
    }
    if let Some(above) = &mut case.above {
        above.largest_whole = 1024.0;
    }
    let found = case.check(&work);
    assert_eq!(found.overflowed, [0, 1]);
    assert_eq!(found.counters.rows, 5);
}
