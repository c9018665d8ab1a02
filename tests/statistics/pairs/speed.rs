//! How long it takes: `cargo test --release --test statistics pairs::speed -- --ignored --nocapture
//! --test-threads 1`.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

use atomscope::cohort::{Call, Calls};
use atomscope::control::Control;
use atomscope::fires::FiringSets;
use atomscope::fires::InMemory;
use atomscope::stats::inference::stratified::StratumCounts;
use atomscope::stats::pairs::{Listed, MOST_PAIRS, Pairs, Settings};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CALLS: usize = 100_000;
const K: usize = 64;
const ROW_GROUP: usize = 1 << 17;

/// An atom of each K-th of all: K distinct ones, ascending.
fn even_sets(features: usize) -> Vec<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let each = (features / K) as u32;
    let mut atoms = Vec::with_capacity(CALLS * K);
    for _ in 0..CALLS {
        atoms.extend((0..K as u32).map(|part| part * each + random.random_range(0..each)));
    }
    atoms
}

/// Atoms drawn until K are distinct, the r-th most frequent one (in any place) in proportion to
/// 1/(r + 10); on calls of one label, the even ranks twice as often again.
fn skewed_sets(features: usize, is_tp: &[bool]) -> Vec<u32> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut places: Vec<u32> = (0..features as u32).collect();
    for i in (1..features).rev() {
        places.swap(i, random.random_range(0..=i));
    }
    let sums = |tp: bool| {
        let mut sum = 0.0;
        let weight = |rank: usize| {
            let lean = if tp && rank.is_multiple_of(2) {
                2.0
            } else {
                1.0
            };
            sum += lean / (rank + 10) as f64;
            sum
        };
        (0..features).map(weight).collect::<Vec<f64>>()
    };
    let sums = [sums(false), sums(true)];
    let mut atoms = Vec::with_capacity(CALLS * K);
    let mut set = Vec::new();
    for &is_tp in is_tp {
        let sums = &sums[usize::from(is_tp)];
        set.clear();
        while set.len() < K {
            let at = random.random_range(0.0..sums[features - 1]);
            let atom = places[sums.partition_point(|&sum| sum <= at).min(features - 1)];
            if !set.contains(&atom) {
                set.push(atom);
            }
        }
        set.sort_unstable();
        atoms.extend_from_slice(&set);
    }
    atoms
}

/// Moments of this process, and what lies between two.
#[derive(Clone, Copy)]
struct Moment {
    wall: Instant,
    /// Seconds of all processors together, which others on the machine lengthen less; 0 where the
    /// system does not tell.
    processors: f64,
}

impl Moment {
    fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
        let ticks = fields
            .skip(12)
            .take(2)
            .filter_map(|x| x.parse::<f64>().ok());
        Self {
            wall: Instant::now(),
            processors: ticks.sum::<f64>() / 100.0,
        }
    }

    fn since(self, earlier: Self) -> String {
        format!(
            "{:.2} s ({:.2})",
            (self.wall - earlier.wall).as_secs_f64(),
            self.processors - earlier.processors
        )
    }
}

/// The most memory that the process had so far, in KiB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn calls_of(is_tp: &[bool]) -> Calls {
    let call = |&is_tp: &bool| Call {
        truvari_class: Some(if is_tp { "TP" } else { "FP" }),
        ..Call::default()
    };
    is_tp.iter().map(call).collect()
}

fn measure(name: &str, features: usize, is_tp: &[bool], atoms: &[u32], thresholds: &[u64]) {
    println!(
        "{name}: {CALLS} calls, k = {K}, F = {features}, {} threads; seconds (of processors)",
        rayon::current_num_threads()
    );
    let mut on = [vec![0; features], vec![0; features]];
    for (set, &is_tp) in atoms.chunks_exact(K).zip(is_tp) {
        for &atom in set {
            on[usize::from(!is_tp)][atom as usize] += 1;
        }
    }
    let tp = is_tp.iter().filter(|&&is_tp| is_tp).count() as u64;
    let counts = StratumCounts {
        tp_on: &on[0],
        fp_on: &on[1],
        tp,
        fp: CALLS as u64 - tp,
    };
    let details = InMemory {
        calls: &calls_of(is_tp),
        sets: &FiringSets::uniform(K, atoms.to_vec(), Vec::new()),
    };
    for &min_coactivation in thresholds {
        for memory in [1 << 29, 1 << 26] {
            let settings = Settings {
                min_coactivation,
                most_pairs: MOST_PAIRS,
                listed: Listed::All,
                memory,
            };
            measure_one(&details, &counts, &settings);
        }
    }
}

fn measure_one(details: &InMemory<'_>, counts: &StratumCounts<'_>, settings: &Settings) {
    let moments = Mutex::new(vec![Moment::now()]);
    let asked = || {
        moments.lock().unwrap().push(Moment::now());
        false
    };
    let control = Control::default().cancel_when(&asked);
    let pairs = Pairs::count(details, counts, settings, &control).unwrap();
    control.check().unwrap();
    let moments = moments.into_inner().unwrap();
    // Two families each are the last that is asked for.
    let [.., counted, _, tested] = moments[..] else {
        unreachable!("it is asked for families");
    };
    for begin in (0..pairs.len()).step_by(ROW_GROUP) {
        black_box(pairs.chunk(begin..pairs.len().min(begin + ROW_GROUP)));
    }
    let end = Moment::now();
    println!(
        "  at least {} ({} MiB): {} pairs, {} kept (at least {}); counting {}, p and FDR {}, \
         chunks {}, in all {}; {} MiB so far",
        settings.min_coactivation,
        settings.memory >> 20,
        pairs.pairs_at_the_threshold_asked(),
        pairs.len(),
        pairs.threshold_used(),
        counted.since(moments[0]),
        tested.since(counted),
        end.since(tested),
        end.since(moments[0]),
        peak_memory() >> 10,
    );
}

fn labels() -> Vec<bool> {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    (0..CALLS).map(|_| random.random_bool(0.6)).collect()
}

#[test]
#[ignore = "a measurement"]
fn speed_4096() {
    let is_tp = labels();
    measure("even", 4096, &is_tp, &even_sets(4096), &[5, 10, 20, 50]);
    let skewed = skewed_sets(4096, &is_tp);
    measure("skewed", 4096, &is_tp, &skewed, &[5, 10, 20, 50]);
}

#[test]
#[ignore = "a measurement"]
fn speed_65536() {
    let is_tp = labels();
    measure("even", 65_536, &is_tp, &even_sets(65_536), &[1, 5]);
    let skewed = skewed_sets(65_536, &is_tp);
    measure("skewed", 65_536, &is_tp, &skewed, &[1, 5, 10, 20, 50]);
}
