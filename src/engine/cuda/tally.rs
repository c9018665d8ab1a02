//! Launches `kernels/tally.cu`: firing sets resolved, put in order, and counted.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::driver::{DeviceInfo, Function, Module, Shape, Stream};
use super::fault::Fault;
use super::select::RULE_GROUPS;

/// The kernels' argument: `TallyArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct TallyArgs {
    /// \[rows, width\], or \[listed, width\].
    pub fires: u64,
    /// \[rows\].
    pub states: u64,
    /// The pairs that were open.
    pub pairs: u64,
    /// Their canonical scores, or \[listed, features\] for whole rows.
    pub score: u64,
    /// \[rows\], 16-bit.
    pub strata: u64,
    /// \[strata, features\], 32-bit.
    pub counts: u64,
    /// Rows scored in full.
    pub listed: u64,
    /// \[features\], binary64; 0 where atoms have no thresholds of their own.
    pub thresholds: u64,
    /// [`RowCut`](super::select_threshold::RowCut)s of all rows; 0 where they have none.
    pub cuts: u64,
    /// \[rows\] out, or \[listed\]: atoms of a row that fire; 0 where they are as many for all.
    pub lengths: u64,
    /// The number of listed rows.
    pub listed_count: u32,
    /// The number of rows.
    pub rows: u32,
    /// F.
    pub features: u32,
    /// The number of atoms with the largest scores that fire, or of groups; where others fire, the most
    /// that may.
    pub k: u32,
    /// Atoms of a row that there is room for.
    pub width: u32,
    /// The power of two from `width` on.
    pub sort_width: u32,
    /// The number of strata.
    pub strata_count: u32,
    /// 1: blocks count in shared memory first. [`Resolve::launch`] sets it.
    pub private_counts: u32,
    /// As [`SelectArgs`](super::select::SelectArgs) has it.
    pub rule: u32,
    /// 1: sets of listed rows stand in the order of the list, and the scores of their atoms come
    /// first among the row's.
    pub by_slot: u32,
}

const _: () = assert!(size_of::<TallyArgs>() == 120);

/// The kernels.
#[derive(Debug)]
pub struct Resolve {
    rows: Function,
    listed: Function,
    listed_above: Function,
    listed_groups: Function,
    multiprocessors: u32,
    private_bytes: u32,
}

impl Resolve {
    const RESOLVE_THREADS: u32 = 128;
    const CHOOSE_THREADS: u32 = 1024;
    /// Shared counters larger than this would leave too few blocks on a multiprocessor.
    const MOST_PRIVATE_BYTES: u32 = 48 << 10;

    /// The family's kernels, for a device.
    ///
    /// # Errors
    /// A module that lacks one; a device with too little shared memory.
    pub fn new(module: &Arc<Module>, device: &DeviceInfo) -> Result<Self, Fault> {
        let private_bytes = Self::MOST_PRIVATE_BYTES.min(device.shared_bytes);
        Ok(Self {
            rows: module.function("resolve_rows", private_bytes)?,
            listed: module.function("choose_rows", 0)?,
            listed_above: module.function("choose_above", 0)?,
            listed_groups: module.function("choose_groups", 0)?,
            multiprocessors: device.multiprocessors.max(1),
            private_bytes,
        })
    }

    /// Resolves all rows whose certain atoms and scored pairs are known, and counts them.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(&self, stream: &Stream, args: &TallyArgs) -> Result<(), Fault> {
        let sort_bytes = args.sort_width * 4;
        let cells = u64::from(args.strata_count) * u64::from(args.features);
        let counter_bytes = cells * 4;
        let mut shape = Shape {
            blocks: args.rows,
            threads: Self::RESOLVE_THREADS,
            shared_bytes: sort_bytes,
        };
        // A block's own counters pay where they fit, and where it counts more often than it has
        // counters to add up in the end.
        let mut private = u64::from(sort_bytes) + counter_bytes <= u64::from(self.private_bytes);
        if private {
            let shared_bytes = sort_bytes + counter_bytes as u32;
            let resident = self.rows.resident_blocks(shape.threads, shared_bytes)?;
            let persistent = self.multiprocessors * resident;
            let counted = u64::from(args.rows) * u64::from(args.k);
            private = counted > 2 * u64::from(persistent) * cells;
            if private {
                shape.blocks = persistent.min(args.rows);
                shape.shared_bytes = shared_bytes;
            }
        }
        let args = TallyArgs {
            private_counts: u32::from(private),
            ..*args
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.rows.launch(stream, shape, &args) }
    }

    /// Chooses, resolves and counts the listed rows by all their canonical scores.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch_rows(&self, stream: &Stream, args: &TallyArgs) -> Result<(), Fault> {
        let shape = Shape {
            blocks: args.listed_count,
            threads: Self::CHOOSE_THREADS,
            shared_bytes: 0,
        };
        let above = args.thresholds != 0 || args.cuts != 0;
        let kernel = if above {
            &self.listed_above
        } else if args.rule & RULE_GROUPS != 0 {
            &self.listed_groups
        } else {
            &self.listed
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { kernel.launch(stream, shape, args) }
    }
}
