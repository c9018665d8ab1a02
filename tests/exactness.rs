//! Every firing set equals that of a naive oracle which shares no code with the engine, on
//! friendly and on hostile numbers, for every instruction set, thread count and batch.

use atomscope::cohort::{Call, Calls};
use atomscope::engine::{Control, CpuEngine, Encoded, Engine, EngineOptions, Simd};
use atomscope::rows::SliceRows;
use atomscope::sae::{Sae, SaeParts};
use atomscope::tally::Strata;
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A cohort and a model, small enough to be scored naively.
#[derive(Debug, Clone)]
struct Case {
    d: usize,
    f: usize,
    k: usize,
    rows: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Case {
    fn sae(&self) -> Sae {
        Sae::new(SaeParts {
            name: "case".into(),
            input_dim: self.d,
            feature_dim: self.f,
            k: self.k,
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            mean: self.mean.clone(),
            std: self.std.clone(),
        })
        .unwrap()
    }

    fn count(&self) -> usize {
        self.rows.len() / self.d
    }

    /// The definition, read literally.
    fn oracle(&self) -> Vec<u32> {
        let k = self.k.min(self.f);
        let mut sets = Vec::new();
        for row in self.rows.chunks(self.d) {
            let x: Vec<f32> = (0..self.d)
                .map(|i| {
                    let centred = row[i] - self.mean[i];
                    centred / (self.std[i] + 1e-6f32)
                })
                .collect();
            let mut scored: Vec<(f64, usize)> = (0..self.f)
                .map(|f| {
                    let mut lanes = [0.0f64; 32];
                    for i in 0..self.d {
                        lanes[i % 32] += x[i] as f64 * self.weight[f * self.d + i] as f64;
                    }
                    for step in [16, 8, 4, 2, 1] {
                        let old = lanes;
                        for l in 0..32 {
                            lanes[l] = old[l] + old[l ^ step];
                        }
                    }
                    (lanes[0] + self.bias[f] as f64, f)
                })
                .collect();
            scored.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
            let mut set: Vec<u32> = scored[..k].iter().map(|s| s.1 as u32).collect();
            set.sort_unstable();
            sets.extend(set);
        }
        sets
    }

    fn encode(&self, options: &EngineOptions) -> Encoded {
        let sae = self.sae();
        let rows = SliceRows::new(&self.rows, self.d).unwrap();
        let calls: Calls = (0..self.count())
            .map(|i| Call {
                truvari_class: Some(if i % 3 == 0 { "TP" } else { "FP" }),
                svtype: [Some("INS"), Some("DEL"), None][i % 3],
                ..Call::default()
            })
            .collect();
        let strata = Strata::of_calls(&calls);
        CpuEngine::new(&sae, options)
            .unwrap()
            .encode(&rows, &strata, &Control::default())
            .unwrap()
    }

    /// All ways of running give the oracle's sets and counts.
    fn check(&self) {
        let expected = self.oracle();
        let mut ways = Vec::new();
        for simd in Simd::all() {
            ways.push((Some(simd), 1, None));
        }
        for threads in [2, 7] {
            ways.push((None, threads, None));
        }
        for batch in [1, 17, 4096] {
            ways.push((None, 2, Some(batch)));
        }
        let mut first: Option<Encoded> = None;
        for (simd, threads, batch_rows) in ways {
            let options = EngineOptions {
                threads: Some(threads),
                batch_rows,
                simd,
                ..EngineOptions::default()
            };
            let found = self.encode(&options);
            for (i, (got, want)) in found
                .fires
                .atoms()
                .chunks(found.fires.k())
                .zip(expected.chunks(found.fires.k()))
                .enumerate()
            {
                assert_eq!(got, want, "row {i}, {options:?}");
            }
            assert_eq!(found.fires.rows(), self.count());
            if let Some(first) = &first {
                assert_eq!(found.tally.rows(), first.tally.rows());
                for s in 0..found.tally.table().len() {
                    assert_eq!(found.tally.counts(s), first.tally.counts(s));
                }
            }
            let naive = (0..self.f as u32)
                .map(|atom| expected.iter().filter(|&&a| a == atom).count() as u64)
                .collect::<Vec<_>>();
            assert_eq!(found.tally.counts_where(|_| true), naive);
            first.get_or_insert(found);
        }
    }
}

fn gaussian(rng: &mut impl Rng) -> f32 {
    let u: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
    let v: f64 = rng.random_range(0.0..std::f64::consts::TAU);
    ((-2.0 * u.ln()).sqrt() * v.cos()) as f32
}

fn random_case(seed: u64, count: usize, d: usize, f: usize, k: usize) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = |n: usize| (0..n).map(|_| gaussian(&mut rng)).collect::<Vec<_>>();
    Case {
        d,
        f,
        k,
        rows: normal(count * d),
        weight: normal(f * d),
        bias: normal(f).iter().map(|b| b * 0.1).collect(),
        mean: normal(d),
        std: normal(d).iter().map(|s| s.abs() + 0.1).collect(),
    }
}

/// A case whose whitening does nothing but divide by 1 (0.999999 + 1e-6 rounds to 1).
fn plain_case(seed: u64, count: usize, d: usize, f: usize, k: usize) -> Case {
    let mut case = random_case(seed, count, d, f, k);
    case.mean.fill(0.0);
    case.std.fill(0.999_999);
    assert_eq!(case.std[0] + 1e-6, 1.0);
    case
}

#[test]
fn ragged_shapes() {
    let shapes = [
        (1, 1, 1, 1),
        (3, 1, 5, 2),
        (2, 7, 1, 1),
        (5, 33, 70, 70),
        (5, 33, 70, 69),
        (40, 31, 257, 8),
        (130, 64, 2049, 32),
        (17, 100, 4100, 64),
        (3, 5, 9000, 3),
        (2, 40, 5000, 600),
        (2, 3, 3000, 2500),
    ];
    for (i, (count, d, f, k)) in shapes.into_iter().enumerate() {
        random_case(i as u64, count, d, f, k).check();
    }
}

#[test]
fn k_beyond_the_features_is_clamped() {
    random_case(9, 4, 6, 5, 40).check();
}

#[test]
fn exact_ties_go_to_the_lowest_index() {
    // Every atom is there eight times, far apart.
    let mut case = plain_case(1, 20, 48, 800, 13);
    for f in 100..800 {
        let (from, to) = ((f % 100) * 48, f * 48);
        case.weight.copy_within(from..from + 48, to);
        case.bias[f] = case.bias[f % 100];
    }
    case.check();
}

#[test]
fn all_equal_rows_and_scores() {
    let mut case = plain_case(2, 6, 10, 3000, 7);
    case.bias.fill(0.25);
    case.rows.fill(0.0);
    case.check();
    case.rows.fill(1.0);
    case.weight.fill(0.5);
    case.check();
}

#[test]
fn scores_that_rise_with_the_index() {
    // The worst order for a threshold that rises from tile to tile.
    let mut case = plain_case(3, 3, 4, 12_000, 16);
    for f in 0..12_000 {
        case.weight[f * 4..f * 4 + 4].fill(f as f32 * 1e-3);
    }
    case.rows.fill(1.0);
    case.bias.fill(0.0);
    case.check();
}

#[test]
fn near_ties_far_below_binary32() {
    // Large terms cancel; what decides is 2^-40 of them.
    let mut case = plain_case(4, 10, 64, 300, 20);
    for f in 0..300 {
        for i in 0..32 {
            case.weight[f * 64 + 2 * i + 1] = case.weight[f * 64 + 2 * i];
        }
    }
    for row in case.rows.chunks_mut(64) {
        for i in 0..32 {
            row[2 * i + 1] = -row[2 * i] * (1.0 + 1.2e-7);
        }
    }
    case.bias.fill(0.0);
    case.check();
}

#[test]
fn denormals_and_wild_scales() {
    for (i, (x, w, b)) in [
        (1e-30f32, 1e30f32, 1.0f32),
        (1e30, 1e30, 1e30),
        (1e-30, 1e-30, 1e-38),
        (1e-44, 1e-44, 0.0),
        (1e-44, 1.0, 1e-44),
        (1e38, 1e-44, 0.0),
        (1e30, 1e-30, 1e30),
        (1e-20, 1e-20, 1e30),
        (3e38, 0.9e38, 3e38),
        (1.0, 0.0, 1e-40),
        (0.0, 1.0, 0.0),
    ]
    .into_iter()
    .enumerate()
    {
        let mut case = plain_case(10 + i as u64, 20, 37, 500, 9);
        case.rows
            .iter_mut()
            .for_each(|n| *n = n.clamp(-1.0, 1.0) * x);
        case.weight
            .iter_mut()
            .for_each(|n| *n = n.clamp(-1.0, 1.0) * w);
        case.bias
            .iter_mut()
            .for_each(|n| *n = n.clamp(-1.0, 1.0) * b);
        case.check();
    }
}

#[test]
fn dropped_rows_leave_every_other_row_its_own_set() {
    // Rows of very different scales, so that what belongs to one row fits no other.
    let mut case = plain_case(40, 300, 21, 333, 8);
    for (row, exponent) in case.rows.chunks_mut(21).zip((-35..=35).cycle().step_by(7)) {
        let factor = 10f32.powi(exponent);
        for n in row {
            *n *= factor;
        }
    }
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
            ..EngineOptions::default()
        };
        let found = case.encode(&options);
        assert_eq!(found.fires.dropped(), bad);
        let mut kept = 0;
        for (r, atoms) in found.fires.iter() {
            assert_eq!(atoms, &expected[r * 8..(r + 1) * 8], "row {r}, {options:?}");
            kept += 1;
        }
        assert_eq!(kept, 300 - bad.len());
    }
}

#[test]
fn scales_mixed_within_a_row_and_among_features() {
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let mut case = plain_case(30, 30, 50, 400, 11);
    let mut scale = |n: &mut f32| *n *= 10f32.powi(rng.random_range(-30..=30));
    case.rows.iter_mut().for_each(&mut scale);
    case.weight.chunks_mut(50).for_each(|w| {
        let mut factor = 1.0;
        scale(&mut factor);
        for n in w {
            *n *= factor;
        }
    });
    case.bias.iter_mut().for_each(&mut scale);
    case.check();
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
            let coarse = |n: &mut f32| *n = (*n * levels as f32).round() / levels as f32;
            case.rows.iter_mut().for_each(coarse);
            case.weight.iter_mut().for_each(coarse);
            case.bias.iter_mut().for_each(coarse);
            case.mean.fill(0.0);
            case.std.fill(0.999_999);
        }
        case.weight.iter_mut().for_each(|n| *n *= 10f32.powi(exponent));
        case.check();
    }
}
