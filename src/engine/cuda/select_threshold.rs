//! Launches `kernels/select_threshold.cu`: scores to certain atoms and open pairs, where those above a
//! threshold fire.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::driver::{Function, Module, Shape, Stream};
use super::fault::Fault;
use super::select::{Select, SelectArgs};
use crate::engine::Cut;

/// Where the scores of a row end that fire: `RowCut` of `kernels/records.cuh`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
pub struct RowCut {
    /// A score above it fires, if it is above 0.
    pub score: f64,
    /// An equal score fires of the atoms below this.
    pub ties: u32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

impl RowCut {
    /// The cut of a batch as it is for its row with this number.
    pub fn new((row, cut): (u64, Cut)) -> Self {
        let ties = match row.cmp(&cut.row) {
            std::cmp::Ordering::Less => u32::MAX,
            std::cmp::Ordering::Equal => cut.atom.saturating_add(1),
            std::cmp::Ordering::Greater => 0,
        };
        Self {
            score: cut.score,
            ties,
            unused: 0,
        }
    }
}

/// The kernel's argument: `ThresholdArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct ThresholdArgs {
    /// As for `kernels/select.cu`; its biases are shifts where atoms have thresholds.
    pub select: SelectArgs,
    /// \[features\]; 0 where atoms have no thresholds of their own.
    pub shift_margins: u64,
    /// [`RowCut`]s of all rows of the batch; 0 where they have none.
    pub cuts: u64,
    /// The largest of the shifts' margins; 0 where there are none.
    pub largest_shift_margin: f32,
    /// The largest `P` of all features.
    pub largest_whole: f32,
    /// `B`: weights are multiplied by `2^−B`.
    pub weight_exponent: i32,
    /// 1 where a shift, or its margin, is infinite.
    pub any_infinite: u32,
}

const _: () = assert!(size_of::<RowCut>() == 16);
const _: () = assert!(size_of::<ThresholdArgs>() == 168);

/// The kernel.
#[derive(Debug)]
pub struct SelectThreshold {
    select: Function,
}

impl SelectThreshold {
    /// The most atoms of a row that there may be room for, in shared memory and for the kernel that
    /// puts them in order.
    pub const MOST_WIDTH: usize = 4096;

    /// The family's kernel.
    ///
    /// # Errors
    /// A module that lacks it.
    pub fn new(module: &Arc<Module>) -> Result<Self, Fault> {
        let bytes = Self::MOST_WIDTH as u32 * 4;
        Ok(Self {
            select: module.function("select_threshold", bytes)?,
        })
    }

    /// Selects a tile's rows on the stream.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(&self, stream: &Stream, args: &ThresholdArgs) -> Result<(), Fault> {
        let shape = Shape {
            blocks: args.select.rows,
            threads: Select::threads(args.select.features),
            shared_bytes: args.select.width * 4,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.select.launch(stream, shape, args) }
    }
}
