//! Atoms compared by their scores: the figures of one atom against scipy and statsmodels, whole
//! comparisons against a naive product, and the program's table for any threads, memory and shards.

use std::path::Path;

use crate::common::{assert_refused, atomscope};
use atomscope::control::Control;
use atomscope::engine::DenseScores;
use atomscope::rows::SliceRows;
use atomscope::sae::{Activation, Sae, SaeParts, whitening};
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::stats::score_comparison::{LabelledCalls, Part, RowsAgain, blocks, compare};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f64>,
    is_tp: Vec<bool>,
    stratum: Vec<u32>,
    mean: [Option<f64>; 2],
    auroc: Option<f64>,
    auroc_within: Option<f64>,
    z: Option<f64>,
    p: Option<f64>,
    difference: Option<f64>,
    interval: Option<[f64; 2]>,
}

fn assert_near(what: &str, found: Option<f64>, expected: Option<f64>, within: f64) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            let size = expected.abs().max(1e-9);
            let far = (found - expected).abs() > within * size;
            assert!(!far, "{what}: {found}, expected {expected}");
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

/// A model of one atom whose score is the call's one number.
fn identity() -> Sae {
    let sae = Sae::new(SaeParts {
        name: "identity".to_owned(),
        input_dim: 1,
        feature_dim: 1,
        activation: Activation::TopK { k: 1, relu: false },
        weight: vec![1.0],
        bias: vec![0.0],
        input: whitening(vec![0.0], &[1.0]),
        ..SaeParts::default()
    });
    sae.expect("a model")
}

#[test]
fn one_atoms_figures_are_those_of_scipy_and_statsmodels() {
    let text = include_str!("../golden/scores/comparison.json");
    let cases: Vec<Case> = serde_json::from_str(text).expect("the goldens");
    assert_eq!(cases.len(), 12);
    let sae = identity();
    for case in cases {
        // Whitening divides by 1 + 1e-6 in binary32: scores are nearly the embeddings.
        let rows = SliceRows::new(&case.scores, 1).expect("whole rows");
        let part = Part {
            rows: &rows,
            dropped: &[],
        };
        let calls = LabelledCalls::new(case.is_tp.clone(), case.stratum.clone());
        let dense = DenseScores::new(&sae, None);
        let control = Control::default();
        let found = compare(&dense, 1, &part, &calls, 1 << 20, &control).expect("compared");
        let (means, ranks) = (found.atoms[0].means, found.atoms[0].ranks);
        let name = |what: &str| format!("{}, {what}", case.name);
        // Ranks are the same but for scores that binary32 makes equal; there are none.
        assert_near(&name("auroc"), ranks.auroc, case.auroc, 1e-12);
        assert_near(
            &name("within"),
            ranks.auroc_within,
            case.auroc_within,
            1e-12,
        );
        let test = ranks.test;
        assert_near(&name("z"), test.map(|test| test.statistic), case.z, 1e-11);
        assert_near(&name("p"), test.map(|test| test.p.p()), case.p, 1e-9);
        for label in 0..2 {
            assert_near(&name("mean"), means.mean[label], case.mean[label], 3e-5);
        }
        // Differences of scores near 40 lose what binary32 rounds there.
        let size = case
            .scores
            .iter()
            .fold(1.0_f64, |size, x| size.max(x.abs()));
        let near = |what, found: Option<f64>, expected: Option<f64>| {
            let scaled = |x: Option<f64>| x.map(|x| x + 10.0 * size);
            assert_near(&name(what), scaled(found), scaled(expected), 1e-6);
        };
        near("difference", means.difference, case.difference);
        for end in 0..2 {
            let of = |interval: Option<[f64; 2]>| interval.map(|ends| ends[end]);
            near("interval", of(means.interval), of(case.interval));
        }
    }
}

#[test]
fn few_calls_and_many_ties_are_told_to_be_rough() {
    let sae = identity();
    let rough = |scores: &[f64], false_calls: usize| {
        let rows = SliceRows::new(scores, 1).expect("whole rows");
        let part = Part {
            rows: &rows,
            dropped: &[],
        };
        let is_tp = (0..scores.len()).map(|call| call >= false_calls).collect();
        let calls = LabelledCalls::new(is_tp, vec![0; scores.len()]);
        let dense = DenseScores::new(&sae, None);
        let control = Control::default();
        let found = compare(&dense, 1, &part, &calls, 1 << 20, &control).expect("compared");
        found.atoms[0].ranks.is_rough
    };
    let distinct: Vec<f64> = (0..400).map(|i| f64::from(i * 7 % 400)).collect();
    assert!(rough(&distinct, 1) && rough(&distinct, 5) && !rough(&distinct, 20));
    let tied: Vec<f64> = (0..400).map(|i| f64::from(i32::from(i % 5 == 0))).collect();
    assert!(rough(&tied, 200));
}

/// The rows of two slices, one after the other.
struct Two<'a>(Part<'a>, Part<'a>);

impl RowsAgain for Two<'_> {
    fn parts(
        &self,
        take: &mut dyn FnMut(Part<'_>) -> atomscope::error::Result<()>,
    ) -> atomscope::error::Result<()> {
        take(self.0)?;
        take(self.1)
    }
}

#[test]
fn every_atom_is_compared_by_its_own_scores_whatever_blocks_and_parts() {
    let (dim, features) = (33, 41);
    let cohort = simulate_in_memory(&SimulateOptions::new(700, dim, features, 4, 5)).unwrap();
    let sae = &cohort.sae;
    let dropped = [0, 9, 350, 699];
    let kept: Vec<usize> = (0..700).filter(|row| !dropped.contains(row)).collect();
    let is_tp: Vec<bool> = (kept.iter())
        .map(|&row| cohort.calls.label(row) == atomscope::cohort::Label::Tp)
        .collect();
    let stratum: Vec<u32> = kept.iter().map(|&row| (row * 7 % 5) as u32).collect();
    let calls = LabelledCalls::new(is_tp.clone(), stratum);
    let dense = DenseScores::new(sae, None);
    let control = Control::default();
    let cut = 351;
    let (before, after) = cohort.embeddings.split_at(cut * dim);
    let slices = [before, after].map(|numbers| SliceRows::new(numbers, dim).unwrap());
    let two = Two(
        Part {
            rows: &slices[0],
            dropped: &[0, 9, 350],
        },
        Part {
            rows: &slices[1],
            dropped: &[699 - cut],
        },
    );
    let rows = SliceRows::new(&cohort.embeddings, dim).unwrap();
    let one = Part {
        rows: &rows,
        dropped: &dropped,
    };
    let found = compare(&dense, features, &one, &calls, u64::MAX, &control).unwrap();
    assert_eq!((found.passes, found.atoms.len()), (1, features));
    // The scores as the model says, each a plain sum.
    let (mean, divisors) = sae.whitening().unwrap();
    for (atom, scores) in found.atoms.iter().enumerate() {
        let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
        for (&row, &is_tp) in kept.iter().zip(&is_tp) {
            let score: f64 = (0..dim)
                .map(|i| {
                    let x = cohort.embeddings[row * dim + i] - mean[i];
                    let white = x / divisors[i];
                    f64::from(white) * f64::from(sae.weight()[atom * dim + i])
                })
                .sum();
            sums[usize::from(!is_tp)] += score + f64::from(sae.bias()[atom]);
            counts[usize::from(!is_tp)] += 1.0;
        }
        for label in 0..2 {
            let expected = sums[label] / counts[label];
            let mean = scores.means.mean[label].unwrap();
            assert!(
                (mean - expected).abs() < 1e-12 * (1.0 + expected.abs()),
                "{atom}"
            );
        }
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap();
    for memory in [1, 40_000, 70_000, u64::MAX] {
        let again = pool.install(|| compare(&dense, features, &two, &calls, memory, &control));
        let again = again.unwrap();
        let bits = |found: &atomscope::stats::score_comparison::ScoreComparison| {
            format!("{:?}", (&found.atoms, &found.adjusted.by))
        };
        assert!(bits(&again) == bits(&found), "{memory} bytes");
        assert_eq!(again.passes == 1, memory == u64::MAX);
    }
    let short = Part {
        rows: &slices[0],
        dropped: &[],
    };
    let error = compare(&dense, features, &short, &calls, 1 << 20, &control).unwrap_err();
    assert!(error.to_string().contains("one for each call"), "{error}");
}

#[test]
fn blocks_cover_all_atoms_and_fit_the_memory() {
    for (atoms, calls, memory) in [(10, 100, 3000), (7, 1000, 1), (4096, 20_000, 256 << 20)] {
        let blocks = blocks(atoms, calls, memory);
        let covered: Vec<usize> = blocks.iter().cloned().flatten().collect();
        assert_eq!(covered, (0..atoms).collect::<Vec<_>>());
        let most = blocks
            .iter()
            .map(std::iter::ExactSizeIterator::len)
            .max()
            .unwrap();
        assert!(most == 1 || (most * calls * 8) as u64 <= memory);
    }
}

fn run(folder: &Path, out: &str, more: &[&str]) -> (Vec<u8>, String) {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut args = vec!["analyze", "--permutations", "0", "--bootstrap", "0"];
    args.extend(["--compare", "scores"]);
    let (model, out) = (at("sae.pt"), at(out));
    args.extend(["--model", &model, "--out", &out]);
    args.extend(more);
    let output = atomscope(&args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let table = std::fs::read(Path::new(&out).join("atom_scores.parquet")).unwrap();
    (table, stderr)
}

#[test]
fn the_table_has_the_same_bytes_for_any_threads_memory_and_shards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let at = |name: &str| path.join(name).display().to_string();
    for (out, pieces) in [("one", "1"), ("three", "3")] {
        let out = at(out);
        let shape = [
            "--rows",
            "5000",
            "--input-dim",
            "20",
            "--features",
            "50",
            "--k",
            "4",
        ];
        let mut args = vec!["simulate", "-q", "--pieces", pieces, "--out", &out];
        args.extend(shape);
        assert!(atomscope(args).status.success());
    }
    std::fs::copy(path.join("one/sae.pt"), path.join("sae.pt")).unwrap();
    let (one, three) = (at("one/embeddings.pt"), at("three/embeddings-*.pt"));
    let (first, stderr) = run(path, "a", &["--embeddings", &one]);
    assert!(stderr.contains("50 atoms by the CPU") && stderr.contains("(1 in all)"));
    let small = [
        "--embeddings",
        &one,
        "--threads",
        "1",
        "--memory",
        "1MB",
        "--simd",
        "portable",
    ];
    let (again, stderr) = run(path, "b", &small);
    assert!(again == first && !stderr.contains("(1 in all)"), "{stderr}");
    let shards = [
        "--embeddings",
        &three,
        "--threads",
        "3",
        "--batch-rows",
        "7",
    ];
    assert!(run(path, "c", &shards).0 == first);

    let report = std::fs::read_to_string(path.join("a/report.txt")).unwrap();
    assert!(
        report.contains("Scores without competition (--compare scores)"),
        "{report}"
    );
    let record = std::fs::read_to_string(path.join("b/run.json")).unwrap();
    assert!(record.contains("scores_compared"), "{record}");
    // A later run without it leaves no table of an earlier one.
    let (out, model) = (at("a"), at("sae.pt"));
    let plain = [
        "analyze",
        "-q",
        "--permutations",
        "0",
        "--out",
        &out,
        "--model",
        &model,
    ];
    assert!(
        atomscope(plain.into_iter().chain(["--embeddings", &one]))
            .status
            .success()
    );
    assert!(!path.join("a/atom_scores.parquet").exists());
}

#[test]
fn dropped_rows_have_no_scores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut spoilable = crate::common::cohort::Spoilable::new();
    spoilable.embeddings[5 * crate::common::cohort::DIM] = f32::NAN;
    let (cohort, model) = spoilable.write(path);
    std::fs::copy(model, path.join("sae.pt")).unwrap();
    let cohort = cohort.display().to_string();
    let (_, stderr) = run(path, "a", &["--embeddings", &cohort, "--nonfinite", "skip"]);
    assert!(stderr.contains("1 of 30 calls were dropped"), "{stderr}");
}

#[test]
fn without_embeddings_scores_are_refused_in_one_line() {
    let report = atomscope([
        "report",
        "x.tally",
        "--out",
        "nowhere",
        "--compare",
        "scores",
    ]);
    assert_refused(&report, &["--compare", "atomscope analyze"]);
    let mut args = vec![
        "tally",
        "--embeddings",
        "x.npy",
        "--model",
        "x.pt",
        "--out",
        "x.tally",
    ];
    args.extend(["--compare", "scores"]);
    assert_refused(&atomscope(args), &["--compare", "atomscope analyze"]);
    let mut args = vec![
        "analyze",
        "--embeddings",
        "x.npy",
        "--model",
        "x.pt",
        "--out",
        "x",
    ];
    args.extend(["--compare", "scores", "--tables", "notebook"]);
    assert_refused(&atomscope(args), &["--compare", "--tables all"]);
}
