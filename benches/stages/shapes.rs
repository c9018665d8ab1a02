//! The models and cohorts that stages are timed on.

use std::cell::{OnceCell, RefCell};
use std::fmt;

use atomscope::control::Control;
use atomscope::engine::{CpuEngine, CpuOptions, CpuScreen, Encoded, Engine, EngineOptions};
use atomscope::error::Result;
use atomscope::fires::FiringSets;
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::simulate::{SimulateOptions, Simulated, simulate_in_memory};
use atomscope::tally::Strata;

use crate::definition::firing_sets;

/// Rows whose firing sets are found by the definition alone.
const DEFINED_ROWS: usize = 4;

/// Sizes of a model, and rows enough for the blocks of the fastest screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    /// D.
    pub(crate) dim: usize,
    /// F.
    pub(crate) features: usize,
    pub(crate) k: usize,
}

pub(crate) const SHAPES: [Shape; 4] = [
    // As in the study that the notebook is of.
    shape(2048, 768, 3072, 32),
    shape(1024, 4096, 4096, 64),
    shape(256, 4096, 32_768, 64),
    shape(16_384, 64, 512, 8),
];

const fn shape(rows: usize, dim: usize, features: usize, k: usize) -> Shape {
    Shape {
        rows,
        dim,
        features,
        k,
    }
}

impl Shape {
    /// Rows that are timed: fewer with slower screens, which have smaller blocks as well.
    pub(crate) fn timed_rows(self, screen: CpuScreen) -> usize {
        let slower = match screen {
            CpuScreen::Bfloat16Tiles => 1,
            CpuScreen::Bfloat16Plain => 32,
            _ => 4,
        };
        (self.rows / slower).max(32)
    }

    pub(crate) fn simulate(self) -> Simulated {
        let Self {
            rows,
            dim,
            features,
            k,
        } = self;
        simulate_in_memory(&SimulateOptions::new(rows, dim, features, k, 1)).expect("a good shape")
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}", self.dim, self.features)
    }
}

/// A shape's cohort, and its answer: made when they are first asked for, since most benchmarks may
/// be filtered out.
pub(crate) struct Case {
    pub(crate) shape: Shape,
    cohort: OnceCell<Simulated>,
    expected: OnceCell<FiringSets>,
}

/// An engine that gives the expected answer.
pub(crate) struct Checked<'a> {
    engine: RefCell<CpuEngine>,
    cohort: &'a Simulated,
}

impl Case {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            cohort: OnceCell::new(),
            expected: OnceCell::new(),
        }
    }

    /// The engine with a screen, on one thread, after its firing sets of all rows were compared.
    /// `scores`: whether the atoms that fire are scored as well.
    pub(crate) fn engine(&self, screen: CpuScreen, scores: bool) -> Checked<'_> {
        let cohort = self.cohort.get_or_init(|| self.shape.simulate());
        let checked = Checked {
            engine: RefCell::new(
                engine(&cohort.sae, screen, scores).expect("a screen that is here"),
            ),
            cohort,
        };
        let fires = checked.encode(self.shape.rows).fires;
        // The first screen's sets are those of the definition on some rows, and all screens' sets
        // are the same on all rows.
        let expected = self.expected.get_or_init(|| {
            let defined = &cohort.embeddings[..DEFINED_ROWS * self.shape.dim];
            let sets = firing_sets(&cohort.sae, defined);
            assert_eq!(fires.atoms()[..sets.len()], sets, "{}", self.shape);
            fires.clone()
        });
        assert_eq!(fires.rows(), self.shape.rows);
        assert!(
            fires.atoms() == expected.atoms(),
            "{screen} on {}",
            self.shape
        );
        checked
    }
}

impl Checked<'_> {
    /// Encodes the first rows.
    pub(crate) fn encode(&self, rows: usize) -> Encoded {
        let dim = self.cohort.sae.input_dim();
        let numbers = &self.cohort.embeddings[..rows * dim];
        let of_slice = SliceRows::new(numbers, dim).expect("whole rows");
        self.engine
            .borrow_mut()
            .encode(&of_slice, &Strata::single(rows), &Control::default())
            .expect("finite rows")
    }
}

fn engine(sae: &Sae, screen: CpuScreen, scores: bool) -> Result<CpuEngine> {
    let options = EngineOptions {
        threads: Some(1),
        cpu: CpuOptions { screen },
        scores,
        ..EngineOptions::default()
    };
    CpuEngine::new(sae, &options)
}

/// The screens that this machine has, without those that only choose among them; of the others it
/// is said that they are not here.
pub(crate) fn screens() -> Vec<CpuScreen> {
    let small = shape(1, 1, 1, 1).simulate();
    let mut here = Vec::new();
    for (name, screen) in CpuScreen::NAMES {
        if matches!(screen, CpuScreen::Auto | CpuScreen::Bfloat16) {
            continue;
        }
        match engine(&small.sae, screen, false) {
            Ok(_) => here.push(screen),
            Err(error) => println!("The screen {name} is not on this machine: {error}"),
        }
    }
    here
}
