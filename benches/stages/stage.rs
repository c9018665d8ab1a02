//! What each stage cannot do without, and what bounds the rate of that.

use atomscope::engine::{CpuScreen, Encoded};

use crate::floors::{Floors, Rate};
use crate::lines::{Line, median};
use crate::shapes::Shape;

/// A stage of a run, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Whiten,
    Product,
    Select,
    Settle,
    Encode,
}

impl Stage {
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("whiten", Self::Whiten),
        ("product", Self::Product),
        ("select", Self::Select),
        ("settle", Self::Settle),
        ("encode", Self::Encode),
    ];

    /// What of a run the stage took.
    pub(crate) fn seconds(self, run: &Encoded) -> f64 {
        let threads = run.seconds.threads;
        match self {
            Self::Whiten => threads.whiten,
            Self::Product => threads.product,
            Self::Select => threads.select,
            Self::Settle => threads.settle,
            Self::Encode => run.seconds.encode,
        }
    }

    /// Operations or bytes of a row.
    fn row_work(self, shape: Shape, open_atoms: f64) -> f64 {
        let (dim, features) = (shape.dim as f64, shape.features as f64);
        match self {
            // Embeddings in, whitened numbers out, in binary32; a screen's operand, which is made
            // of these in passing, is not counted.
            Self::Whiten => 8.0 * dim,
            Self::Product | Self::Encode => 2.0 * dim * features,
            // The scores, read once.
            Self::Select => 4.0 * features,
            // The open atoms, scored in binary32.
            Self::Settle => 2.0 * dim * open_atoms,
        }
    }

    fn floor(self, floors: &Floors, screen: CpuScreen) -> Rate {
        match self {
            Self::Whiten => floors.copy_in_memory,
            Self::Product | Self::Encode => floors.product(screen),
            Self::Select => floors.copy_in_cache,
            Self::Settle => floors.binary32(),
        }
    }

    /// What is said of the runs that were timed.
    pub(crate) fn line(
        self,
        name: String,
        shape: Shape,
        screen: CpuScreen,
        floors: &Floors,
        runs: &[Encoded],
    ) -> Line {
        let rows = runs[0].fires.rows() as f64;
        let certificate = runs[0].tally.certificate();
        let open_atoms = certificate.ambiguous_atoms as f64 / rows;
        let note = match self {
            Self::Settle => format!(
                "{open_atoms:.1} atoms open, {:.1} after the second screen",
                certificate.canonical_scores as f64 / rows
            ),
            Self::Encode => {
                let behind = |run: &Encoded| {
                    let seconds = run.seconds.threads;
                    (seconds.select + seconds.settle) / seconds.product
                };
                let share = 100.0 * median(runs.iter().map(behind).collect());
                format!("select and settle: {share:.0} % of product")
            }
            _ => String::new(),
        };
        Line {
            name,
            row_seconds: median(runs.iter().map(|run| self.seconds(run)).collect()) / rows,
            row_work: self.row_work(shape, open_atoms),
            floor: self.floor(floors, screen),
            note,
        }
    }
}
