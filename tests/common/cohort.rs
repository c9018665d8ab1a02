//! Cohorts in temporary folders, simulated or written to be spoiled, and the program run on them.

use std::path::{Path, PathBuf};

use atomscope::write::pickle::Value;
use atomscope::write::torch::{Tensor, save};
use tempfile::TempDir;

use super::{assert_refused, atomscope, contents};

/// A small simulated cohort in a folder of its own.
pub(crate) struct Cohort {
    pub(crate) folder: TempDir,
}

impl Cohort {
    pub(crate) fn simulated(rows: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_str().expect("UTF-8");
        let (rows, seed) = (rows.to_string(), "3");
        let shape = ["--input-dim", "24", "--features", "96", "--k", "6"];
        let mut args = vec![
            "simulate", "-q", "--out", path, "--rows", &rows, "--seed", seed,
        ];
        args.extend(shape);
        let output = atomscope(args);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.path("results")
    }

    /// Runs `analyze` on two files, the simulated ones by default.
    pub(crate) fn analyze(
        &self,
        embeddings: Option<&Path>,
        model: Option<&Path>,
        more: &[&str],
    ) -> std::process::Output {
        let embeddings = embeddings.map_or_else(|| self.path("embeddings.pt"), Path::to_owned);
        let model = model.map_or_else(|| self.path("sae.pt"), Path::to_owned);
        let mut args = vec![
            "analyze".into(),
            "--embeddings".into(),
            embeddings.into_os_string(),
        ];
        args.extend(["--model".into(), model.into_os_string()]);
        args.extend(["--out".into(), self.out().into_os_string()]);
        args.extend(more.iter().map(|&arg| arg.into()));
        atomscope(args)
    }

    /// Demands that the run is refused, and that an earlier run's files stay as they were.
    pub(crate) fn assert_refused(
        &self,
        embeddings: Option<&Path>,
        model: Option<&Path>,
        more: &[&str],
        words: &[&str],
    ) {
        let first = self.analyze(None, None, &["-q"]);
        assert!(
            first.status.success(),
            "{}",
            String::from_utf8_lossy(&first.stderr)
        );
        let before = contents(&self.out());
        assert_eq!(before.len(), 15);
        assert_refused(&self.analyze(embeddings, model, more), words);
        assert!(
            contents(&self.out()) == before,
            "an earlier run's files were touched"
        );
        std::fs::remove_dir_all(self.out()).expect("removable");
        assert_refused(&self.analyze(embeddings, model, more), words);
        assert!(
            !self.out().exists(),
            "an output folder was made for nothing"
        );
    }
}

/// The numbers of a cohort to be written as a file, each to be spoiled.
pub(crate) struct Spoilable {
    pub(crate) embeddings: Vec<f32>,
    pub(crate) classes: Vec<&'static str>,
    pub(crate) svtypes: [&'static str; 2],
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) mean: Vec<f32>,
    pub(crate) std: Vec<f32>,
    pub(crate) k: i64,
}

pub(crate) const ROWS: usize = 30;
pub(crate) const DIM: usize = 4;
pub(crate) const FEATURES: usize = 8;

impl Spoilable {
    pub(crate) fn new() -> Self {
        let wave =
            |n: usize, step: f32| (0..n).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
        Self {
            embeddings: wave(ROWS * DIM, 1.7),
            classes: (0..ROWS)
                .map(|i| if i % 3 == 0 { "FP" } else { "TP" })
                .collect(),
            svtypes: ["INS", "DEL"],
            weight: wave(FEATURES * DIM, 2.3),
            bias: wave(FEATURES, 0.9),
            mean: wave(DIM, 0.1),
            std: vec![1.0; DIM],
            k: 2,
        }
    }

    pub(crate) fn write_cohort(&self, path: &Path) {
        let (classes, svtypes) = (self.classes.clone(), self.svtypes);
        let calls = Value::List(
            self.classes.len() as u64,
            Box::new(move |i| {
                Value::Dict(vec![
                    ("svtype", Value::name(svtypes[i as usize % 2])),
                    ("truvari_class", Value::name(classes[i as usize])),
                ])
            }),
        );
        let rows = self.embeddings.len() / DIM;
        let package = Value::Dict(vec![
            (
                "embeddings",
                Value::Tensor(Tensor::new(&[rows, DIM], &self.embeddings)),
            ),
            ("sv_info", calls),
        ]);
        save(path, package, 10_000)
            .and_then(atomscope::write::whole::WholeFile::publish)
            .expect("written");
    }

    pub(crate) fn write_model(&self, path: &Path) {
        let tensor = |shape: &[usize], numbers| Value::Tensor(Tensor::new(shape, numbers));
        let package = Value::Dict(vec![
            (
                "config",
                Value::Dict(vec![
                    ("input_dim", Value::Int(DIM.cast_signed() as i64)),
                    ("feature_dim", Value::Int(FEATURES.cast_signed() as i64)),
                    ("k", Value::Int(self.k)),
                    ("μ", tensor(&[self.mean.len()], &self.mean)),
                    ("σ", tensor(&[self.std.len()], &self.std)),
                ]),
            ),
            (
                "model_state_dict",
                Value::OrderedDict(vec![
                    (
                        "encoder.weight",
                        tensor(&[self.weight.len() / DIM, DIM], &self.weight),
                    ),
                    ("encoder.bias", tensor(&[self.bias.len()], &self.bias)),
                ]),
            ),
        ]);
        save(path, package, 10_000)
            .and_then(atomscope::write::whole::WholeFile::publish)
            .expect("written");
    }

    pub(crate) fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (cohort, model) = (
            folder.join("spoiled-cohort.pt"),
            folder.join("spoiled-model.pt"),
        );
        self.write_cohort(&cohort);
        self.write_model(&model);
        (cohort, model)
    }
}
