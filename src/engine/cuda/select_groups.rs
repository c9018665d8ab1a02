//! Launches `kernels/select_groups.cu`: scores to certain atoms and open pairs, where the largest of each
//! group fires.

use std::sync::Arc;

use super::driver::{DeviceInfo, Function, Module, Shape, Stream};
use super::fault::Fault;
use super::select::{STATIC_BYTES, Select, SelectArgs};

/// The kernel.
#[derive(Debug)]
pub struct SelectGroups {
    select: Function,
    /// Shared memory of a block, for what is not the kernel's own.
    room: u32,
}

/// Bytes of shared memory a candidate, and a group.
const CANDIDATE_BYTES: u32 = 12;
const GROUP_BYTES: u32 = 4;
/// Larger buffers leave too few blocks on a multiprocessor.
const MOST_CAPACITY: u32 = 4096;
const MOST_GROUPS: u32 = MOST_CAPACITY / 2;

impl SelectGroups {
    /// The family's kernel, for a device.
    ///
    /// # Errors
    /// A module that lacks it; a device with too little shared memory.
    pub fn new(module: &Arc<Module>, device: &DeviceInfo) -> Result<Self, Fault> {
        let most = MOST_CAPACITY * CANDIDATE_BYTES + MOST_GROUPS * GROUP_BYTES;
        let room = device.shared_bytes.saturating_sub(STATIC_BYTES).min(most);
        Ok(Self {
            select: module.function("select_groups", room)?,
            room,
        })
    }

    /// Candidates that a block has room for with so many groups: four a group, within what the device
    /// has.
    pub fn capacity(&self, groups: u32) -> u32 {
        let wanted = groups.saturating_mul(4).clamp(512, MOST_CAPACITY);
        let left = self.room.saturating_sub(groups.saturating_mul(GROUP_BYTES));
        wanted.next_power_of_two().min(left / CANDIDATE_BYTES)
    }

    /// Says whether rows of a model with so many groups are screened. If not, they are scored in full.
    pub fn can_select(&self, groups: usize) -> bool {
        let groups = u32::try_from(groups).unwrap_or(u32::MAX);
        groups <= MOST_GROUPS && groups <= self.capacity(groups) / 2
    }

    /// Selects a tile's rows on the stream.
    ///
    /// # Safety
    /// As for [`Function::launch`].
    ///
    /// # Errors
    /// Those of the launch.
    pub unsafe fn launch(&self, stream: &Stream, args: &SelectArgs) -> Result<(), Fault> {
        let shape = Shape {
            blocks: args.rows,
            threads: Select::threads(args.features),
            shared_bytes: args.capacity * CANDIDATE_BYTES + args.k * GROUP_BYTES,
        };
        // SAFETY: the argument is this kernel's struct; buffers are the caller's.
        unsafe { self.select.launch(stream, shape, args) }
    }
}
