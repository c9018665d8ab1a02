//! Launches `kernels/select.cu`: scores to certain atoms and open pairs, where the k largest fire.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::driver::{DeviceInfo, Function, Module, Shape, Stream};
use super::fault::Fault;

/// The state of a row after selection: `RowState` of `kernels/records.cuh`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct RowState {
    /// Atoms that fire for certain.
    pub certain: u32,
    /// Pairs that the bound leaves open.
    pub open: u32,
    /// The index of the first of these pairs.
    pub first_pair: u32,
    /// [`ROW_OPEN`], [`ROW_OVERFLOW`] or [`ROW_BAD`].
    pub status: u32,
    /// The most of these pairs that fire, those of the largest scores.
    pub slots_left: u32,
}

/// A row with certain atoms, and with pairs that canonical scores decide.
pub const ROW_OPEN: u32 = 0;
/// A row that is to be scored in full.
pub const ROW_OVERFLOW: u32 = 1;
/// A row with a NaN or an infinity: it has no firing set.
pub const ROW_BAD: u32 = 2;

/// Of the k largest scores, those above 0 fire.
pub const RULE_ABOVE_ZERO: u32 = 1;
/// Magnitudes of scores are compared.
pub const RULE_MAGNITUDE: u32 = 2;
/// Every score fires that equals the k-th largest.
pub const RULE_TIES: u32 = 4;
/// The largest score of each of k groups of atoms fires, with [`RULE_ABOVE_ZERO`].
pub const RULE_GROUPS: u32 = 8;

/// A row and an atom whose canonical score decides: `RowAtom` of `kernels/records.cuh`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct RowAtom {
    /// The row; `u32::MAX` where no pair stands.
    pub row: u32,
    /// The atom.
    pub atom: u32,
    /// The number of pairs of the same atom that came before it.
    pub rank: u32,
}

/// Counters of a run: `Counters` of `kernels/records.cuh`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Counters {
    /// Rows that were selected.
    pub rows: u64,
    /// Rows whose set the screen alone resolved.
    pub certified_outright: u64,
    /// Atoms that the bound left open, over all rows.
    pub ambiguous_atoms: u64,
    /// The most of them in one row.
    pub most_ambiguous: u64,
    /// Rows to be scored in full.
    pub overflowed: u64,
}

/// The kernel's argument: `SelectArgs`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub struct SelectArgs {
    /// \[rows, stride\].
    pub scores: u64,
    /// \[stride\].
    pub biases: u64,
    /// \[features\], pairs of P and V.
    pub margins: u64,
    /// Facts of all rows of the batch.
    pub facts: u64,
    /// \[batch, width\] out.
    pub fires: u64,
    /// \[batch\] out.
    pub states: u64,
    /// \[`pair_capacity`\] out.
    pub pairs: u64,
    /// One number: pairs asked for.
    pub pair_count: u64,
    /// \[features\].
    pub atom_pairs: u64,
    /// \[batch\] out.
    pub overflowed: u64,
    /// One number.
    pub overflow_count: u64,
    /// The run's.
    pub counters: u64,
    /// Rows of this tile.
    pub rows: u32,
    /// The tile's first row in the batch.
    pub first_row: u32,
    /// F.
    pub features: u32,
    /// Numbers from one row of scores to the next, a multiple of 4.
    pub stride: u32,
    /// The number of atoms with the largest scores that fire, where these do; the number of groups.
    pub k: u32,
    /// Candidates that a block has room for.
    pub capacity: u32,
    /// Pairs that there is room for.
    pub pair_capacity: u32,
    /// Atoms of a row that there is room for.
    pub width: u32,
    /// [`RULE_ABOVE_ZERO`], [`RULE_MAGNITUDE`], [`RULE_TIES`] and [`RULE_GROUPS`], added up.
    pub rule: u32,
    /// Keeps the size a multiple of 8.
    pub unused: u32,
}

const _: () = assert!(size_of::<RowState>() == 20);
const _: () = assert!(size_of::<RowAtom>() == 12);
const _: () = assert!(size_of::<Counters>() == 40);
const _: () = assert!(size_of::<SelectArgs>() == 136);

/// The kernels, and how they are launched for a model.
#[derive(Debug)]
pub struct Select {
    one: Function,
    four: Function,
    sixteen: Function,
    overflow: Function,
    most_capacity: u32,
}

/// Bytes of shared memory a candidate.
const CANDIDATE_BYTES: u32 = 16;
/// Shared memory that kernels declare themselves, and the system's own, rounded up.
pub(super) const STATIC_BYTES: u32 = 2048;
/// The buffer is never larger: places in it are 16-bit numbers, and larger ones leave too few
/// blocks on a multiprocessor.
const MOST_CAPACITY: u32 = 4096;

impl Select {
    /// The family's kernels, for a device.
    ///
    /// # Errors
    /// A module that lacks one; a device with too little shared memory.
    pub fn new(module: &Arc<Module>, device: &DeviceInfo) -> Result<Self, Fault> {
        let room = device.shared_bytes.saturating_sub(STATIC_BYTES) / CANDIDATE_BYTES;
        let most_capacity = room.min(MOST_CAPACITY);
        let bytes = most_capacity * CANDIDATE_BYTES;
        Ok(Self {
            one: module.function("select_1", bytes)?,
            four: module.function("select_4", bytes)?,
            sixteen: module.function("select_16", bytes)?,
            overflow: module.function("overflow_rows", 0)?,
            most_capacity,
        })
    }

    /// Candidates that a block has room for where `k` atoms fire: eight times as many, within what
    /// the device has.
    pub fn capacity(&self, k: u32) -> u32 {
        let wanted = k.saturating_mul(8).clamp(512, MOST_CAPACITY);
        wanted.next_power_of_two().min(self.most_capacity)
    }

    /// Says whether rows of this model are screened. If not, they are scored in full.
    pub fn can_select(&self, k: usize) -> bool {
        u32::try_from(k).is_ok_and(|k| k <= self.capacity(k) / 4)
    }

    /// Threads of a block that selects among so many features.
    pub(super) fn threads(features: u32) -> u32 {
        match features {
            0..=2048 => 128,
            2049..=16_384 => 256,
            _ => 512,
        }
    }

    /// Selects a tile's rows on the stream.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(&self, stream: &Stream, args: &SelectArgs) -> Result<(), Fault> {
        let threads = Self::threads(args.features);
        // Four group maxima for each atom that fires make a close threshold.
        let function = match (4 * args.k).div_ceil(threads) {
            0..=1 => &self.one,
            2..=4 => &self.four,
            _ => &self.sixteen,
        };
        let shape = Shape {
            blocks: args.rows,
            threads,
            shared_bytes: args.capacity * CANDIDATE_BYTES,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { function.launch(stream, shape, args) }
    }

    /// Sends all rows to be scored in full.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch_overflow(&self, stream: &Stream, args: &SelectArgs) -> Result<(), Fault> {
        let shape = Shape {
            blocks: args.rows.div_ceil(128),
            threads: 128,
            shared_bytes: 0,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.overflow.launch(stream, shape, args) }
    }
}
