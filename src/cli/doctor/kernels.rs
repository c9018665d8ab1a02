//! The kernels: whether they compile, how long it takes, and what each takes of a GPU.

use std::fmt::Write;
use std::time::Instant;

use rayon::prelude::*;

use super::Report;
use super::check::Check;
use crate::cli::progress;
use crate::engine::cuda::Fault;
use crate::engine::cuda::driver::DeviceInfo;
use crate::engine::cuda::nvrtc::{self, FAMILIES, Resources};
use crate::engine::cuda::probe;
use crate::error::{Error, Result};

/// The result of a call of the CUDA part.
type Faulty<T> = std::result::Result<T, Fault>;

/// The architectures compiled for if there is no device: one of each generation.
const GENERATIONS: [u32; 5] = [75, 80, 90, 100, 120];

/// Compiles every family for each device's architecture, or for every generation that NVRTC
/// knows where there is no device. Gives the architectures for which all could be compiled.
pub(super) fn look(report: &mut Report, devices: &[DeviceInfo]) -> Result<Vec<u32>> {
    let Ok(known) = probe::nvrtc().and_then(|_| nvrtc::supported_architectures()) else {
        return Ok(Vec::new());
    };
    let mut architectures: Vec<u32> = devices.iter().map(DeviceInfo::architecture).collect();
    architectures.sort_unstable();
    architectures.dedup();
    if devices.is_empty() {
        architectures = GENERATIONS
            .into_iter()
            .filter(|g| known.contains(g))
            .collect();
    }
    let checks: Vec<_> = architectures
        .par_iter()
        .map(|&architecture| compile_all(architecture, devices.is_empty()))
        .collect();
    let mut compiled = Vec::new();
    for (architecture, checks) in architectures.into_iter().zip(checks) {
        if checks.iter().all(|check| check.action.is_none()) {
            compiled.push(architecture);
        }
        checks.into_iter().try_for_each(|check| report.add(check))?;
    }
    Ok(compiled)
}

/// One check where every family compiles; else one for each that does not.
fn compile_all(architecture: u32, compilation_only: bool) -> Vec<Check> {
    let what = format!("kernels sm_{architecture}");
    let started = Instant::now();
    let mut seconds = serde_json::Map::new();
    let mut times = Vec::new();
    let mut faults = Vec::new();
    for family in FAMILIES {
        let started = Instant::now();
        match nvrtc::compile(family, architecture) {
            Ok(_) => {
                let time = started.elapsed().as_secs_f64();
                times.push(format!("{} {time:.2}", family.name));
                seconds.insert(family.name.to_owned(), time.into());
            }
            Err(fault) => faults.push(Check::fault(what.clone(), &fault)),
        }
    }
    if !faults.is_empty() {
        // An unknown architecture is the same fault for each family.
        faults.dedup_by(|a, b| a.found == b.found);
        return faults;
    }
    let why = if compilation_only {
        "; a check of compilation only"
    } else {
        ""
    };
    let found = format!(
        "compiled in {:.2} s ({}){why}",
        started.elapsed().as_secs_f64(),
        times.join(", ")
    );
    vec![Check::ok(what, found).with(serde_json::json!({ "seconds": seconds }))]
}

/// A kernel of the table, with the architecture in front of what it takes.
struct Row {
    architecture: u32,
    family: &'static str,
    takes: Resources,
}

/// Prints what each kernel takes; of every generation where no architecture is named. Fails where one spills, after the table.
pub(super) fn print_table(architectures: &[u32]) -> Result<()> {
    let architectures = if architectures.is_empty() {
        &GENERATIONS
    } else {
        architectures
    };
    let device = |fault: Fault| fault.of_device("cuda");
    let version = nvrtc::version().map_err(device)?;
    let rows = rows(architectures).map_err(device)?;
    progress::print(&table(version, architectures, &rows))?;
    let Some(row) = rows.iter().find(|row| row.takes.spills()) else {
        return Ok(());
    };
    Err(Error::input(
        format!("kernels/{}.cu", row.family),
        format!("{} for sm_{}", row.takes.kernel, row.architecture),
        format!(
            "{} bytes stored and {} loaded for want of registers",
            row.takes.spill_store_bytes, row.takes.spill_load_bytes
        ),
        "none",
        "let the kernel use fewer registers, or its blocks have fewer threads",
    ))
}

/// Compiles everything; sorted by kernel, then architecture.
fn rows(architectures: &[u32]) -> Faulty<Vec<Row>> {
    let of_one = |&architecture: &u32| -> Faulty<Vec<Row>> {
        let mut rows = Vec::new();
        for family in FAMILIES {
            let log = nvrtc::compile(family, architecture)?.log;
            rows.extend(nvrtc::resources(&log).into_iter().map(|takes| Row {
                architecture,
                family: family.name,
                takes,
            }));
        }
        Ok(rows)
    };
    let of_each: Vec<_> = architectures
        .par_iter()
        .map(of_one)
        .collect::<Faulty<_>>()?;
    let mut rows: Vec<Row> = of_each.into_iter().flatten().collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.takes.kernel.clone(), row.architecture);
        key(a).cmp(&key(b))
    });
    Ok(rows)
}

fn table(version: (i32, i32), architectures: &[u32], rows: &[Row]) -> String {
    let mut command = "atomscope doctor --kernels".to_owned();
    if architectures != GENERATIONS {
        let list: Vec<_> = architectures.iter().map(ToString::to_string).collect();
        let _ = write!(command, " {}", list.join(","));
    }
    let mut text = format!(
        "# What each kernel takes of a GPU, by NVRTC {}.{}; made by: {command}\n\
         # registers and stack (bytes) are of a thread, shared memory (static, bytes) is of a block\n",
        version.0, version.1
    );
    let width = rows
        .iter()
        .map(|row| row.takes.kernel.len())
        .max()
        .unwrap_or(0)
        .max(6);
    let _ = writeln!(
        text,
        "{:<width$}  arch  registers  shared  stack  spill_stores  spill_loads",
        "kernel"
    );
    for Row {
        architecture,
        takes,
        ..
    } in rows
    {
        let _ = writeln!(
            text,
            "{:<width$}  {architecture:>4}  {:>9}  {:>6}  {:>5}  {:>12}  {:>11}",
            takes.kernel,
            takes.registers,
            takes.shared_bytes,
            takes.stack_bytes,
            takes.spill_store_bytes,
            takes.spill_load_bytes,
        );
    }
    text
}
