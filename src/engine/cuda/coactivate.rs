//! Launches `kernels/coactivate.cu`: on how many rows two atoms fire together.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::driver::{Function, Module, Shape, Stream};
use super::fault::Fault;

/// The kernel's argument: `CoactivateArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct CoactivateArgs {
    /// \[rows, k\].
    pub fires: u64,
    /// \[features\], or 0 where all atoms are chosen.
    pub slots: u64,
    /// The triangle of pairs.
    pub counts: u64,
    /// The number of rows.
    pub rows: u32,
    /// The number of atoms that fire on a row.
    pub k: u32,
    /// The number of atoms that are chosen.
    pub chosen: u32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

const _: () = assert!(size_of::<CoactivateArgs>() == 40);

/// The kernel.
#[derive(Debug)]
pub struct Coactivate {
    rows: Function,
}

impl Coactivate {
    const THREADS: u32 = 128;
    /// The most atoms of a row: 4 bytes each, within what a block gets without asking.
    pub const MOST_K: usize = 12_000;

    /// The family's kernel.
    ///
    /// # Errors
    /// A module that lacks it.
    pub fn new(module: &Arc<Module>) -> Result<Self, Fault> {
        Ok(Self {
            rows: module.function("coactivate_rows", 0)?,
        })
    }

    /// Counts pairs on the stream.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(&self, stream: &Stream, args: &CoactivateArgs) -> Result<(), Fault> {
        let shape = Shape {
            blocks: args.rows,
            threads: Self::THREADS,
            shared_bytes: args.k * 4,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.rows.launch(stream, shape, args) }
    }
}
