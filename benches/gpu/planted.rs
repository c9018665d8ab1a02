//! Faults on purpose: that a sanitizer finds nothing elsewhere means something only where it finds
//! these.

use atomscope::engine::cuda::driver::{Buffer, Device, Stream};
use atomscope::engine::cuda::kernels::Kernels;
use atomscope::engine::cuda::whiten::{RowFacts, RowUnits, WhitenArgs};
use atomscope::rows::ElementType;
use serde_json::json;

use crate::{Outcome, say};

/// Which fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The kernel reads one row more than there is; the memory beyond belongs to this process.
    Bounds,
    /// The kernel reads rows that nobody wrote.
    Unwritten,
}

pub(crate) fn run(fault: Fault) -> Outcome {
    const DIM: usize = 64;
    const ROWS: usize = 4;
    let device = Device::open(0)?;
    let kernels = Kernels::load(&device)?;
    let stream = Stream::new(&device)?;
    let short = usize::from(fault == Fault::Bounds);
    let rows = Buffer::<f32>::new(&device, (ROWS - short) * DIM, "rows")?;
    let operand = Buffer::<u16>::new(&device, ROWS * DIM, "operands")?;
    let facts = Buffer::<RowFacts>::new(&device, ROWS, "facts")?;
    let args = WhitenArgs {
        rows: rows.address(),
        operand: operand.address(),
        facts: facts.address(),
        units: RowUnits::default(),
        count: ROWS as u32,
        dim: DIM as u32,
        padded: DIM as u32,
        ..WhitenArgs::default()
    };
    // SAFETY: all buffers are held until the stream was waited for. `rows` is a row short where
    // that is the point: allocations of a device are larger than what is asked for here, so that
    // the read stays within this process's memory.
    unsafe {
        if fault == Fault::Bounds {
            stream.zero(&rows, rows.len())?;
        }
        kernels.whiten.launch(&stream, ElementType::F32, &args)?;
    }
    stream.synchronize()?;
    say("planted", json!({ "fault": format!("{fault:?}") }));
    Ok(true)
}
