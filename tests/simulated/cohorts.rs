//! Simulated cohorts: the same bytes again, shapes of any kind, files that hold what they say,
//! and a truth that an analysis with no code in common with ours finds.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;

use atomscope::cohort::{Label, Number};
use atomscope::control::Control;
use atomscope::simulate::{
    EMBEDDINGS, MODEL, ReportedAtom, Role, SimulateOptions, Simulated, Simulator, TRUTH, Truth,
    simulate, simulate_in_memory,
};
use sha2::{Digest, Sha256};

type Outcome = Result<(), Box<dyn Error>>;

fn files(folder: &Path, options: &SimulateOptions) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    simulate(folder, options, &Control::default())?;
    let read = |name: &&str| fs::read(folder.join(name));
    Ok([EMBEDDINGS, MODEL, TRUTH]
        .iter()
        .map(read)
        .collect::<Result<_, _>>()?)
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool of threads").install(work)
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() -> Outcome {
    let options = SimulateOptions::new(333, 37, 131, 5, 7);
    let folder = tempfile::tempdir()?;
    let run = |name: &str, threads| {
        let folder = folder.path().join(name);
        on_threads(threads, || {
            files(&folder, &options).map_err(|e| e.to_string())
        })
    };
    let one = run("one", 1)?;
    assert!(one == run("two", 2)? && one == run("seven", 7)? && one == run("one", 2)?);

    let other = SimulateOptions { seed: 8, ..options };
    let other = files(&folder.path().join("other"), &other)?;
    for (a, b) in one.iter().zip(&other) {
        assert!(a != b, "another seed changes every file");
    }
    Ok(())
}

#[test]
fn shapes_at_the_edge_are_simulated() -> Outcome {
    for (rows, dim, features, k) in [
        (1, 1, 1, 1),
        (3, 1, 5, 2),
        (2, 64, 1, 1),
        (5, 16, 24, 24),
        (5, 16, 24, 23),
        (7, 4, 3, 1),
        (9, 33, 129, 1),
        (4, 100, 77, 13),
    ] {
        let options = SimulateOptions::new(rows, dim, features, k, 3);
        let Simulated {
            sae,
            embeddings,
            calls,
            truth,
        } = simulate_in_memory(&options)?;
        assert_eq!(
            (sae.input_dim(), sae.feature_dim(), sae.top_k().unwrap()),
            (dim, features, k)
        );
        assert_eq!((embeddings.len(), calls.len()), (rows * dim, rows));
        assert!(embeddings.iter().all(|x| x.is_finite()));
        assert_eq!(truth.null_atoms + truth.planted.len(), features);
        let folder = tempfile::tempdir()?;
        assert_eq!(
            simulate(folder.path(), &options, &Control::default())?,
            truth
        );
    }
    Ok(())
}

#[test]
fn options_out_of_range_are_errors_that_name_them() {
    let message = |rows, dim, features, k| {
        let options = SimulateOptions::new(rows, dim, features, k, 1);
        let error = Simulator::new(&options).err().map(|e| e.to_string());
        error.unwrap_or_default()
    };
    assert!(message(0, 1, 1, 1).starts_with("rows: found 0, expected a number from 1 to "));
    assert!(message(1, 0, 1, 1).starts_with("input_dim: found 0"));
    assert!(message(1, 1, 0, 1).starts_with("features: found 0"));
    assert!(message(1, 1, 4, 0).starts_with("k: found 0, expected a number from 1 to 4"));
    assert!(message(1, 1, 4, 5).starts_with("k: found 5, expected a number from 1 to 4"));
    assert!(message(1, usize::MAX, usize::MAX, 1).starts_with("input_dim: found 18446744"));
    assert!(message(1, 1 << 20, 1 << 24, 1).starts_with("features x input_dim: found 175921"));
}

#[test]
fn simulate_that_is_cancelled_leaves_no_file() -> Outcome {
    let folder = tempfile::tempdir()?;
    let options = SimulateOptions::new(10, 8, 8, 2, 1);
    let control = Control::default().cancel_when(&|| true);
    let stopped = simulate(folder.path(), &options, &control);
    assert!(matches!(stopped, Err(atomscope::error::Error::Cancelled)));
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

// Pins the numbers: what differs here differs from one machine, or one version, to the next.
#[test]
fn the_numbers_are_the_same_on_every_machine() -> Outcome {
    let simulated = simulate_in_memory(&SimulateOptions::new(100, 37, 131, 5, 7))?;
    let digest = |numbers: &[f32]| {
        let mut hash = Sha256::new();
        for x in numbers {
            hash.update(x.to_le_bytes());
        }
        hash.finalize()[..4].to_vec()
    };
    assert_eq!(digest(&simulated.embeddings), [253, 69, 163, 153]);
    assert_eq!(digest(simulated.sae.weight()), [15, 74, 227, 146]);
    assert_eq!(
        digest(simulated.sae.whitening().unwrap().1),
        [230, 193, 86, 31],
        "σ + 1e-6"
    );
    let call = simulated.calls.get(99);
    assert_eq!(
        (call.chrom, call.pos, call.svlen),
        (Some("chrX"), Number::Int(128_694_544), Number::Int(292))
    );
    Ok(())
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_that_names_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let options = SimulateOptions::new(10, 8, 8, 2, 1);
    let taken = folder.path().join("taken");
    fs::write(&taken, "a file")?;
    let message = |out: &Path| {
        let error = simulate(out, &options, &Control::default()).err();
        error.map(|e| e.to_string()).unwrap_or_default()
    };
    assert!(message(&taken).contains("taken: cannot create the folder"));
    fs::create_dir(folder.path().join(EMBEDDINGS))?;
    // CountAndFirst before the work, as all that is no file of an earlier run.
    assert!(message(folder.path()).contains("embeddings.pt: the output: found a folder"));
    assert_eq!(
        fs::read_dir(folder.path())?.count(),
        2,
        "nothing is left behind"
    );
    Ok(())
}

/// One entry of a zip archive: stored, at a multiple of 64 bytes, with the right checksum (which
/// the `zip` crate checks as it reads to the end).
fn entry(file: &Path, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut archive = zip::ZipArchive::new(fs::File::open(file)?)?;
    let mut entry = archive.by_name(name)?;
    assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
    assert_eq!(
        entry.data_start().ok_or("no data")? % 64,
        0,
        "{name} is aligned"
    );
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    bytes.chunks_exact(4).map(number).collect()
}

#[test]
fn the_files_hold_what_is_in_memory() -> Outcome {
    let options = SimulateOptions::new(57, 12, 40, 3, 2);
    let simulated = simulate_in_memory(&options)?;
    let folder = tempfile::tempdir()?;
    simulate(folder.path(), &options, &Control::default())?;

    let file = folder.path().join(EMBEDDINGS);
    assert_eq!(
        floats(&entry(&file, "archive/data/0")?),
        simulated.embeddings
    );
    assert_eq!(entry(&file, "archive/version")?, b"3\n");
    assert_eq!(entry(&file, "archive/byteorder")?, b"little");
    let pickle = entry(&file, "archive/data.pkl")?;
    let ids = pickle
        .windows(8)
        .filter(|w| w.ends_with(b"00000056"))
        .count();
    assert_eq!(ids, 1, "each call is there once");

    let file = folder.path().join(MODEL);
    let storages = [0, 1, 2, 3, 4].map(|i| entry(&file, &format!("archive/data/{i}")));
    let [mean, std, weight, bias, decoder] = storages.map(|bytes| bytes.map(|b| floats(&b)));
    let decoder = decoder?;
    let whitening = simulated.sae.whitening().unwrap();
    let divisors: Vec<f32> = std?.iter().map(|std| std + 1e-6).collect();
    assert_eq!((&*mean?, &*divisors), whitening);
    assert_eq!(weight?, simulated.sae.weight());
    assert_eq!(bias?, simulated.sae.bias());
    for (i, weights) in simulated.sae.weight().chunks_exact(12).enumerate() {
        let norm = weights.iter().map(|x| x * x).sum::<f32>().sqrt();
        for (d, weight) in weights.iter().enumerate() {
            assert!((decoder[d * 40 + i] * norm - weight).abs() < 1e-5);
        }
    }

    let truth: Truth = serde_json::from_slice(&fs::read(folder.path().join(TRUTH))?)?;
    assert_eq!(truth.options, options);
    assert_eq!(truth.planted.len(), simulated.truth.planted.len());
    for (read, planted) in truth.planted.iter().zip(&simulated.truth.planted) {
        assert_eq!((read.atom, read.role), (planted.atom, planted.role));
        assert!((read.odds / planted.odds - 1.0).abs() < 1e-12);
    }
    Ok(())
}

/// How often each atom fires on true and on false calls, by the plainest binary64 arithmetic.
fn count(simulated: &Simulated) -> (Vec<[f64; 2]>, [f64; 2]) {
    let sae = &simulated.sae;
    let (dim, features) = (sae.input_dim(), sae.feature_dim());
    let (mean, divisors) = sae.whitening().unwrap();
    let mut on = vec![[0.0; 2]; features];
    let mut total = [0.0; 2];
    for (row, embedding) in simulated.embeddings.chunks_exact(dim).enumerate() {
        let class = usize::from(simulated.calls.label(row) == Label::Fp);
        total[class] += 1.0;
        let x: Vec<f64> = (0..dim)
            .map(|i| f64::from((embedding[i] - mean[i]) / divisors[i]))
            .collect();
        let mut scores: Vec<(f64, usize)> = (0..features)
            .map(|f| {
                let weights = &sae.weight()[f * dim..][..dim];
                let product: f64 = weights.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum();
                (product + f64::from(sae.bias()[f]), f)
            })
            .collect();
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        for &(_, f) in &scores[..sae.top_k().unwrap()] {
            on[f][class] += 1.0;
        }
    }
    (on, total)
}

/// Pearson's χ² of a fourfold table, one degree of freedom: its upper tail.
fn p_value([tp_on, fp_on]: [f64; 2], [tp, fp]: [f64; 2]) -> f64 {
    let (tp_off, fp_off) = (tp - tp_on, fp - fp_on);
    let difference = tp_on * fp_off - fp_on * tp_off;
    let margins = tp * fp * (tp_on + fp_on) * (tp_off + fp_off);
    libm::erfc((difference * difference * (tp + fp) / margins / 2.0).sqrt())
}

#[test]
fn planted_atoms_are_found_and_the_others_are_null() -> Outcome {
    let (mut nulls, mut low, mut strong, mut strong_found) = (0, 0, 0, 0);
    for seed in 1..=4 {
        let options = SimulateOptions::new(4000, 64, 256, 8, seed);
        let simulated = simulate_in_memory(&options)?;
        let (on, total) = count(&simulated);
        let p: Vec<f64> = on.iter().map(|&on| p_value(on, total)).collect();
        let reported = |atom: usize| ReportedAtom {
            atom: atom as u32,
            significant: p[atom] < 0.05 / 256.0,
            odds: on[atom][0] * (total[1] - on[atom][1])
                / (on[atom][1] * (total[0] - on[atom][0])).max(1.0),
        };
        let recovery = simulated.truth.recovery((0..256).map(reported));
        assert!(
            recovery.others_called <= 1 && recovery.reversed == 0,
            "{recovery}"
        );

        let planted = &simulated.truth.planted;
        for planted in planted {
            let share = (on[planted.atom as usize][0] + on[planted.atom as usize][1]) / 4000.0;
            let strata = simulated.truth.strata.iter().zip(&planted.rates);
            let expected: f64 = strata.map(|(stratum, rate)| stratum.share * rate).sum();
            let error = (expected * (1.0 - expected) / 4000.0).sqrt();
            assert!(
                (share - expected).abs() < 5.0 * error,
                "{share}, {expected}"
            );
            let label_biased = matches!(planted.role, Role::TpBiased | Role::FpBiased);
            if label_biased && !(0.4..2.5).contains(&planted.odds) {
                strong += 1;
                strong_found += usize::from(reported(planted.atom as usize).significant);
            }
        }
        for atom in 0..256 {
            let is_planted = planted.iter().any(|planted| planted.atom as usize == atom);
            if !is_planted && on[atom][0] + on[atom][1] >= 5.0 {
                nulls += 1;
                low += usize::from(p[atom] < 0.05);
            }
        }
    }
    assert!(
        strong >= 16 && strong_found == strong,
        "{strong_found} of {strong} found"
    );
    assert!(
        nulls > 800,
        "the others fire too: {nulls} of 992 at least five times"
    );
    assert!(
        low * 100 <= nulls * 8,
        "{low} of {nulls} null atoms have p < 0.05"
    );
    Ok(())
}
