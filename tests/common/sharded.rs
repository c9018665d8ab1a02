//! One simulated cohort in one file and in several, and the program run on them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use atomscope::control::Control;
use atomscope::engine::{CpuEngine, Engine, EngineOptions};
use atomscope::fires::FiringSets;
use atomscope::read::{read_cohort, read_model};
use atomscope::tally::Strata;
use tempfile::TempDir;

use super::{atomscope, contents};

/// The cohort's model and files, and room for results.
pub(crate) struct Sharded {
    pub(crate) folder: TempDir,
    pub(crate) rows: usize,
}

/// The program's arguments, of text and paths.
#[macro_export]
macro_rules! args {
    ($($arg:expr),* $(,)?) => {
        [$(std::ffi::OsString::from(&$arg)),*]
    };
}

/// Runs the program, which must succeed.
pub(crate) fn succeed(args: &[OsString]) -> Output {
    let output = atomscope(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    output
}

/// Files of a folder of results but the record, whose seconds differ from run to run.
pub(crate) fn results(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = contents(folder);
    files.retain(|(name, _)| name != "run.json");
    files
}

/// A run's record.
pub(crate) fn record(folder: &Path) -> serde_json::Value {
    let json = fs::read(folder.join("run.json")).expect("run.json");
    serde_json::from_slice(&json).expect("JSON")
}

/// Demands that two tables of atoms have the same figures. Sums over strata depend on their order in the
/// last digits, and p-values of homogeneity are drawn stratum by stratum: these are left out.
pub(crate) fn assert_same_atoms(found: &str, expected: &str) {
    let rows = |text: &str| -> Vec<Vec<String>> {
        let row = |line: &str| line.split('\t').map(str::to_owned).collect();
        text.lines().map(row).collect()
    };
    let (found, expected) = (rows(found), rows(expected));
    let names = &expected[0];
    assert!(found.len() == expected.len() && found[0] == *names && found.len() > 20);
    for (found, expected) in found.iter().zip(&expected).skip(1) {
        for ((name, a), b) in names.iter().zip(found).zip(expected) {
            let same = match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(a), Ok(b)) if a.is_finite() => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
                _ => a == b,
            };
            assert!(
                same || name.starts_with("bd_"),
                "{name}: {a} {b}, atom {}",
                found[0]
            );
        }
    }
}

impl Sharded {
    pub(crate) fn new(rows: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sharded = Self { folder, rows };
        sharded.simulate(1);
        sharded
    }

    fn simulate(&self, pieces: usize) {
        let mut args = args!["simulate", "-q", "--input-dim", "24", "--features", "96"].to_vec();
        args.extend(args![
            "--k",
            "6",
            "--seed",
            "3",
            "--rows",
            self.rows.to_string()
        ]);
        args.extend(args![
            "--pieces",
            pieces.to_string(),
            "--out",
            self.folder_of(pieces)
        ]);
        succeed(&args);
    }

    fn folder_of(&self, pieces: usize) -> PathBuf {
        self.path(&format!("in-{pieces}"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.folder_of(1).join("sae.pt")
    }

    /// The cohort in one file.
    pub(crate) fn whole(&self) -> PathBuf {
        self.folder_of(1).join("embeddings.pt")
    }

    /// The cohort in so many files, simulated when they are asked for first.
    pub(crate) fn pieces(&self, count: usize) -> Vec<PathBuf> {
        let folder = self.folder_of(count);
        if !folder.exists() {
            self.simulate(count);
        }
        let names = atomscope::simulate::piece_names(count);
        names.into_iter().map(|name| folder.join(name)).collect()
    }

    /// `analyze`'s arguments over some files.
    pub(crate) fn analyze_args(
        &self,
        embeddings: &[PathBuf],
        out: &Path,
        more: &[&str],
    ) -> Vec<OsString> {
        let mut args = args!["analyze", "-q", "--save-fires", "--model", self.model()].to_vec();
        args.extend(
            embeddings
                .iter()
                .flat_map(|path| args!["--embeddings", path]),
        );
        args.extend(args!["--out", out]);
        args.extend(more.iter().map(OsString::from));
        args
    }

    /// Analyzes files; the results.
    pub(crate) fn analyze(
        &self,
        embeddings: &[PathBuf],
        out: &str,
        more: &[&str],
    ) -> Vec<(String, Vec<u8>)> {
        let out = self.path(out);
        succeed(&self.analyze_args(embeddings, &out, more));
        results(&out)
    }

    /// `tally`'s arguments.
    pub(crate) fn tally_args(&self, embeddings: &Path, out: &Path, more: &[&str]) -> Vec<OsString> {
        let mut args = args!["tally", "-q", "--model", self.model(), "--out", out].to_vec();
        args.extend(args!["--embeddings", embeddings]);
        args.extend(more.iter().map(OsString::from));
        args
    }

    /// Counts a shard, with its firing sets.
    pub(crate) fn tally(&self, embeddings: &Path, out: &str, more: &[&str]) -> PathBuf {
        let out = self.path(out);
        let mut args = self.tally_args(embeddings, &out, more);
        args.push("--fires".into());
        succeed(&args);
        out
    }

    /// The whole cohort's firing sets with their scores, as one run over all rows finds them.
    pub(crate) fn scored(&self) -> FiringSets {
        let options = EngineOptions {
            scores: true,
            ..EngineOptions::default()
        };
        let model = read_model(&self.model()).expect("a model");
        let cohort = read_cohort(&self.whole()).expect("a cohort");
        CpuEngine::new(&model.sae, &options)
            .and_then(|mut engine| {
                let strata = Strata::of_calls(&cohort.calls);
                engine.encode(&cohort.rows, &strata, &Control::default())
            })
            .expect("an answer")
            .fires
    }

    /// Merges tallies.
    pub(crate) fn merge(&self, tallies: &[PathBuf], out: &str) -> PathBuf {
        let out = self.path(out);
        let mut args = args!["merge", "-q", "--out", out].to_vec();
        args.extend(tallies.iter().map(OsString::from));
        succeed(&args);
        out
    }

    /// Reports from a tally and its model, with the firing sets in its folder and in those named.
    pub(crate) fn report(&self, tally: &Path, out: &str, more: &[&str]) -> Vec<(String, Vec<u8>)> {
        let (out, model) = (self.path(out), self.model());
        let mut args = args!["report", "-q", tally, "--out", out, "--model", model].to_vec();
        args.extend(more.iter().map(OsString::from));
        succeed(&args);
        results(&out)
    }
}
