//! Pairs of atoms that fire together, counted on a device.

use super::coactivate::{Coactivate, CoactivateArgs};
use super::driver::{Buffer, PageLocked};
use super::run::Stop;
use super::worker::Worker;
use crate::engine::PairCounts;
use crate::engine::coactivation::{check_sets, count_pairs, pair_count, slots};
use crate::fires::FiringSets;

/// Firing sets that are on the device at once.
const PIECE_BYTES: usize = 64 << 20;
/// Rows that may be counted in 32 bits.
const MOST_COUNTED_ROWS: usize = 1 << 31;

/// Counts all pairs of `chosen` atoms, or of all. Counts take 4 bytes a pair on the device.
pub(super) fn count(
    worker: &Worker,
    fires: &FiringSets,
    feature_dim: usize,
    chosen: Option<&[u32]>,
) -> Result<PairCounts, Stop> {
    let k = fires.k();
    if k > Coactivate::MOST_K {
        return Ok(count_pairs(fires, feature_dim, chosen)?);
    }
    check_sets(fires, feature_dim)?;
    let (atoms, slots) = slots(feature_dim, chosen)?;
    let pairs = pair_count(atoms.len());
    let mut sums: Vec<u64> = crate::memory::filled(pairs, 1, "the counts of pairs", || 0)?;
    if pairs == 0 || fires.rows() == 0 {
        return Ok(PairCounts::new(atoms, sums));
    }
    for rows in fires.atoms().chunks(MOST_COUNTED_ROWS.saturating_mul(k)) {
        add(worker, rows, k, &slots, atoms.len(), &mut sums)?;
    }
    Ok(PairCounts::new(atoms, sums))
}

fn add(
    worker: &Worker,
    rows: &[u32],
    k: usize,
    slots: &[u32],
    chosen: usize,
    sums: &mut [u64],
) -> Result<(), Stop> {
    let (device, stream) = (&worker.device, &worker.stream);
    let piece = (PIECE_BYTES / 4 / k).max(1) * k;
    let counts = Buffer::<u32>::new(device, sums.len(), "the counts of pairs")?;
    let places = Buffer::<u32>::new(device, slots.len(), "the chosen atoms")?;
    let sets = Buffer::<u32>::new(device, piece.min(rows.len()), "firing sets")?;
    let found = PageLocked::<u32>::new(device, sums.len(), "the counts of pairs")?;
    // SAFETY: every buffer is as large as the kernel's header says, and the stream is waited for
    // before any of them, or what is copied to them, can go.
    unsafe {
        stream.zero(&counts, sums.len())?;
        stream.copy_slice_in(&places, 0, slots)?;
        for rows in rows.chunks(piece) {
            stream.copy_slice_in(&sets, 0, rows)?;
            let args = CoactivateArgs {
                fires: sets.address(),
                slots: places.address(),
                counts: counts.address(),
                rows: (rows.len() / k) as u32,
                k: k as u32,
                chosen: chosen as u32,
                unused: 0,
            };
            worker.kernels.coactivate.launch(stream, &args)?;
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
