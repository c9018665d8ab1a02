//! Launches `kernels/rescore.cu`: canonical scores of open pairs, of those that fire, and of whole
//! rows.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::driver::{DeviceInfo, Function, Module, Shape, Stream};
use super::fault::Fault;

/// The kernels' argument: `RescoreArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct RescoreArgs {
    /// \[rows, dim\], whitened.
    pub x: u64,
    /// \[features, dim\].
    pub weight: u64,
    /// \[features\], unscaled.
    pub bias: u64,
    /// \[`pair_capacity`\].
    pub pairs: u64,
    /// One number: pairs asked for.
    pub pair_count: u64,
    /// \[features\]: counts, replaced by offsets.
    pub atom_pairs: u64,
    /// \[`pair_capacity`\].
    pub order: u64,
    /// One number: pairs in order.
    pub ordered: u64,
    /// \[`pair_capacity`\] binary64 out, or \[listed, features\] for whole rows.
    pub score: u64,
    /// Rows to score in full.
    pub listed: u64,
    /// The number of listed rows.
    pub listed_count: u32,
    /// Numbers a row.
    pub dim: u32,
    /// F.
    pub features: u32,
    /// Pairs that there is room for.
    pub pair_capacity: u32,
}

const _: () = assert!(size_of::<RescoreArgs>() == 96);

/// The argument of the kernel that lists the pairs that fire: `FiredArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct FiredArgs {
    /// \[rows, width\], resolved.
    pub fires: u64,
    /// \[rows\].
    pub states: u64,
    /// \[rows\]: atoms of a row; 0 where all have `width`.
    pub lengths: u64,
    /// \[rows, width\] out.
    pub pairs: u64,
    /// One number out: rows · width, which must be below 2^32.
    pub pair_count: u64,
    /// \[features\]: counts; zero before.
    pub atom_pairs: u64,
    /// The number of rows.
    pub rows: u32,
    /// Atoms of a row that there is room for.
    pub width: u32,
    /// 1: rows that overflowed are resolved too.
    pub with_overflowed: u32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

const _: () = assert!(size_of::<FiredArgs>() == 64);

/// The kernels.
#[derive(Debug)]
pub struct Rescore {
    fired: Filling,
    offsets: Function,
    order: Filling,
    pairs: Filling,
    rows: Filling,
}

/// A kernel that finds out on the device how much there is to do, with a grid that fills it.
#[derive(Debug)]
struct Filling {
    function: Function,
    shape: Shape,
}

impl Filling {
    fn new(function: Function, device: &DeviceInfo, threads: u32) -> Result<Self, Fault> {
        let resident = function.resident_blocks(threads, 0)?;
        let shape = Shape {
            blocks: device.multiprocessors.max(1) * resident,
            threads,
            shared_bytes: 0,
        };
        Ok(Self { function, shape })
    }
}

impl Rescore {
    const THREADS: u32 = 256;
    const SCAN_THREADS: u32 = 1024;

    /// The family's kernels, for a device.
    ///
    /// # Errors
    /// A module that lacks one; a device with too little shared memory.
    pub fn new(module: &Arc<Module>, device: &DeviceInfo) -> Result<Self, Fault> {
        let filling = |name| Filling::new(module.function(name, 0)?, device, Self::THREADS);
        Ok(Self {
            fired: filling("fired_pairs")?,
            offsets: module.function("pair_offsets", 0)?,
            order: filling("order_pairs")?,
            pairs: filling("rescore_pairs")?,
            rows: filling("score_rows")?,
        })
    }

    /// Lists the pairs that fire, to be scored by [`launch_pairs`](Self::launch_pairs).
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch_fired(&self, stream: &Stream, args: &FiredArgs) -> Result<(), Fault> {
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.fired.function.launch(stream, self.fired.shape, args) }
    }

    /// Scores the pairs, grouped by atom.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launches.
    pub unsafe fn launch_pairs(&self, stream: &Stream, args: &RescoreArgs) -> Result<(), Fault> {
        let scan = Shape {
            blocks: 1,
            threads: Self::SCAN_THREADS,
            shared_bytes: 0,
        };
        // SAFETY: the argument is these kernels' struct; buffers are the caller's.
        unsafe {
            self.offsets.launch(stream, scan, args)?;
            self.order.function.launch(stream, self.order.shape, args)?;
            self.pairs.function.launch(stream, self.pairs.shape, args)
        }
    }

    /// Scores all features of the listed rows.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch_rows(&self, stream: &Stream, args: &RescoreArgs) -> Result<(), Fault> {
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.rows.function.launch(stream, self.rows.shape, args) }
    }
}
