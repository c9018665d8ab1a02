//! What each stage cannot do without, and what bounds the rate of that.

use atomscope::engine::{CpuScreen, Encoded};

use crate::floors::{Floors, Rate};
use crate::lines::Line;
use crate::shapes::Shape;

/// A stage of a run, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Whiten,
    Product,
    Select,
    Resolve,
    Score,
    Encode,
}

impl Stage {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("whiten", Self::Whiten),
        ("product", Self::Product),
        ("select", Self::Select),
        ("resolve", Self::Resolve),
        ("score", Self::Score),
        ("encode", Self::Encode),
    ];

    /// What of a run the stage took.
    pub(crate) fn seconds(self, run: &Encoded) -> f64 {
        let threads = run.seconds.threads;
        match self {
            Self::Whiten => threads.whiten,
            Self::Product => threads.product,
            Self::Select => threads.select,
            Self::Resolve => threads.resolve,
            Self::Score => threads.score,
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
            Self::Resolve => 2.0 * dim * open_atoms,
            // The atoms that fire, scored in binary64.
            Self::Score => 2.0 * dim * shape.k as f64,
        }
    }

    fn floor(self, floors: &Floors, screen: CpuScreen) -> Rate {
        match self {
            Self::Whiten => floors.copy_in_memory,
            Self::Product | Self::Encode => floors.product(screen),
            Self::Select => floors.copy_in_cache,
            Self::Resolve => floors.binary32(),
            Self::Score => floors.binary64(),
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
        let order = |a: &&Encoded, b: &&Encoded| self.seconds(a).total_cmp(&self.seconds(b));
        let fastest = runs.iter().min_by(order).expect("at least one run");
        let rows = fastest.fires.rows() as f64;
        let open_atoms = fastest.tally.certificate().ambiguous_atoms as f64 / rows;
        Line {
            name,
            row_seconds: self.seconds(fastest) / rows,
            row_work: self.row_work(shape, open_atoms),
            floor: self.floor(floors, screen),
            note: self.note(fastest),
        }
    }

    /// What else is to be said of a run.
    fn note(self, run: &Encoded) -> String {
        let (seconds, certificate) = (run.seconds.threads, run.tally.certificate());
        match self {
            Self::Resolve => format!(
                "{:.1} atoms open, {:.2} after the second screen",
                certificate.ambiguous_atoms as f64 / certificate.rows as f64,
                certificate.canonical_scores as f64 / certificate.rows as f64
            ),
            Self::Score => {
                let others = run.seconds.encode - seconds.score;
                format!("{:.0} % of all else", 100.0 * seconds.score / others)
            }
            Self::Encode => format!(
                "select and resolve: {:.0} % of product",
                100.0 * (seconds.select + seconds.resolve) / seconds.product
            ),
            _ => String::new(),
        }
    }
}
