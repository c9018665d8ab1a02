//! Pairs of atoms that fire together, counted on a device.

use std::sync::Arc;

use super::CudaOptions;
use super::coactivate::{Coactivate, CoactivateArgs};
use super::driver::{Buffer, Device, PageLocked, Stream};
use super::fault::{Fault, FaultKind};
use super::kernels::Kernels;
use super::run::Stop;
use crate::error::Result as RunResult;
use crate::fires::pairs::{count_pairs, pair_count};
use crate::fires::{CountPairs, FiringSets, PairCounts};

/// Firing sets that are on the device at once.
const PIECE_BYTES: usize = 64 << 20;
/// Rows that may be counted in 32 bits.
const MOST_COUNTED_ROWS: usize = 1 << 31;

/// The parts of a device that counting needs.
#[derive(Clone, Copy)]
pub(super) struct On<'a> {
    pub(super) device: &'a Arc<Device>,
    pub(super) stream: &'a Stream,
    pub(super) kernel: &'a Coactivate,
}

/// Counts all pairs of atoms on a device. The device is taken into use for that alone, when an
/// engine is done.
pub struct CudaPairs {
    device: Arc<Device>,
    stream: Stream,
    kernel: Coactivate,
    /// The most memory of the device, in bytes.
    memory: u64,
    /// The device as it was asked for, which errors name.
    asked: String,
}

impl CudaPairs {
    /// Takes a device into use; errors name it as it was `asked` for.
    ///
    /// # Errors
    /// A library or a device that is missing or fails.
    pub fn open(ordinal: u32, options: &CudaOptions, asked: &str) -> RunResult<Self> {
        let open = || -> Result<Self, Fault> {
            let device = Device::open(ordinal)?;
            let (free, _) = device.memory()?;
            Ok(Self {
                stream: Stream::new(&device)?,
                kernel: Kernels::load_coactivate(&device)?,
                memory: options.memory.unwrap_or(free / 10 * 9),
                device,
                asked: asked.to_owned(),
            })
        };
        open().map_err(|fault| fault.on(ordinal).of_device(asked))
    }
}

/// Returns the device's bytes for the counts of all pairs of `features` atoms, and for firing sets.
fn bytes(features: usize, fires: &FiringSets) -> u64 {
    let sets = fires.atoms().len().min(PIECE_BYTES / size_of::<u32>());
    let numbers = pair_count(features)
        .saturating_add(features)
        .saturating_add(sets);
    (numbers as u64).saturating_mul(size_of::<u32>() as u64)
}

/// More than the budget is a device without room.
fn check(bytes: u64, budget: u64) -> Result<(), Fault> {
    if bytes <= budget {
        return Ok(());
    }
    Err(Fault {
        kind: FaultKind::NoMemory,
        what: format!(
            "the counts of all pairs take {bytes} bytes of the device, and {budget} are to be had"
        ),
        action: "use --device cpu, which gives the same answer",
    })
}

impl CountPairs for CudaPairs {
    fn device(&self) -> String {
        format!("cuda:{}", self.device.info().ordinal)
    }

    fn count_all_pairs(&mut self, fires: &FiringSets, feature_dim: usize) -> RunResult<PairCounts> {
        let on = On {
            device: &self.device,
            stream: &self.stream,
            kernel: &self.kernel,
        };
        let counted = match check(bytes(feature_dim, fires), self.memory) {
            Ok(()) => count(on, fires, feature_dim),
            Err(fault) => Err(fault.into()),
        };
        counted.map_err(|stop| stop.of_device(&self.asked))
    }
}

/// Counts all pairs of atoms. Counts take 4 bytes a pair on the device.
pub(super) fn count(
    on: On<'_>,
    fires: &FiringSets,
    feature_dim: usize,
) -> Result<PairCounts, Stop> {
    // The kernel takes rows of one size that fits its shared memory.
    let uniform = fires
        .uniform_size()
        .filter(|&width| width <= Coactivate::MOST_K);
    let Some(width) = uniform else {
        return Ok(count_pairs(fires, feature_dim)?);
    };
    fires.check(feature_dim)?;
    let pairs = pair_count(feature_dim);
    let mut sums: Vec<u64> = crate::memory::filled(pairs, 1, "the counts of pairs", || 0)?;
    if pairs == 0 || fires.rows() == 0 {
        return Ok(PairCounts::new(feature_dim, sums));
    }
    for rows in fires
        .atoms()
        .chunks(MOST_COUNTED_ROWS.saturating_mul(width))
    {
        add(on, rows, (width, feature_dim), &mut sums)?;
    }
    Ok(PairCounts::new(feature_dim, sums))
}

fn add(
    on: On<'_>,
    rows: &[u32],
    (width, features): (usize, usize),
    sums: &mut [u64],
) -> Result<(), Stop> {
    let On {
        device,
        stream,
        kernel,
    } = on;
    device.bind()?;
    let piece = (PIECE_BYTES / 4 / width).max(1) * width;
    let counts = Buffer::<u32>::new(device, sums.len(), "the counts of pairs")?;
    let sets = Buffer::<u32>::new(device, piece.min(rows.len()), "firing sets")?;
    let found = PageLocked::<u32>::new(device, sums.len(), "the counts of pairs")?;
    // SAFETY: every buffer is as large as the kernel's header says, and the stream is waited for
    // before any of them, or what is copied to them, can go.
    unsafe {
        stream.zero(&counts, sums.len())?;
        for rows in rows.chunks(piece) {
            stream.copy_slice_in(&sets, 0, rows)?;
            let args = CoactivateArgs {
                fires: sets.address(),
                slots: 0,
                counts: counts.address(),
                rows: (rows.len() / width) as u32,
                k: width as u32,
                chosen: features as u32,
                unused: 0,
            };
            kernel.launch(stream, &args)?;
        }
        stream.copy_out(&found, &counts, sums.len())?;
    }
    stream.synchronize()?;
    // SAFETY: the copy is done.
    for (sum, &more) in sums.iter_mut().zip(unsafe { found.as_slice() }) {
        *sum += u64::from(more);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_the_budget_is_a_lack_of_memory() {
        let fires = FiringSets::uniform(2, vec![0, 1, 0, 2], vec![]);
        // Three pairs, three places, four firings.
        assert_eq!(bytes(3, &fires), 4 * (3 + 3 + 4));
        assert!(check(40, 40).is_ok());
        let fault = check(41, 40).expect_err("a byte too many");
        assert_eq!(fault.kind, FaultKind::NoMemory);
        assert!(fault.what.contains("41 bytes"), "{fault}");
    }
}
