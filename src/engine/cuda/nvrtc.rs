//! Compiles the kernels for the device's own architecture, on the user's machine, by NVRTC.
//!
//! NVRTC itself needs no GPU. What it makes (CUBIN, a device's machine code) is kept on disk, so
//! that a machine compiles a version of the program once.

mod cache;
mod calls;
mod program;
mod resources;

use std::ffi::c_int;
use std::fmt::Write;

use cudarc::nvrtc::sys::nvrtcResult;

pub use cache::{cache_folder, cubin};
pub use resources::{Resources, resources};

use super::fault::Fault;
use calls::calls;
use program::Program;

/// Kernels that belong together and are compiled together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name of its file in `kernels/`, without the ending.
    pub name: &'static str,
    /// CUDA C++, whole in itself.
    pub source: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// The options that every kernel is compiled with, besides its architecture. Floating point is
/// IEEE: the answer is defined by it. The last option makes the assembler say what each kernel
/// takes.
const OPTIONS: [&str; 6] = [
    "--std=c++17",
    "--fmad=false",
    "--ftz=false",
    "--prec-div=true",
    "--prec-sqrt=true",
    "--ptxas-options=-v",
];

const NEWER: &str = "install a newer NVRTC (pip install --upgrade 'nvidia-cuda-nvrtc<14'), or use \
    --device cpu, which gives the same answer";
const OLDER: &str = "this device is older than this NVRTC supports: install the NVRTC of \
    CUDA 12, or use --device cpu, which gives the same answer";
const REPORT: &str = "report it with the output of `atomscope doctor`; --device cpu gives the \
    same answer";
const REINSTALL: &str = "install NVRTC again (pip install --force-reinstall 'nvidia-cuda-nvrtc<14'), \
    or use --device cpu, which gives the same answer";

/// A family compiled for one architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The device's machine code.
    pub cubin: Vec<u8>,
    /// The messages of compiler and assembler: [`resources`] reads them.
    pub log: String,
}

/// The version of NVRTC, major and minor: (13, 0).
pub fn version() -> Result<(i32, i32), Fault> {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: it writes to these two.
    let result = unsafe { (calls()?.version)(&raw mut major, &raw mut minor) };
    succeeded(result, "say its version")?;
    Ok((major, minor))
}

/// The architectures that NVRTC compiles for, ascending: 75 is compute capability 7.5.
pub fn supported_architectures() -> Result<Vec<u32>, Fault> {
    let mut count: c_int = 0;
    // SAFETY: it writes to `count`.
    let result = unsafe { (calls()?.count_architectures)(&raw mut count) };
    succeeded(result, "say how many architectures it knows")?;
    let mut known: Vec<c_int> = vec![0; usize::try_from(count).unwrap_or(0)];
    if !known.is_empty() {
        // SAFETY: it writes as many numbers as it said it would.
        let result = unsafe { (calls()?.architectures)(known.as_mut_ptr()) };
        succeeded(result, "say which architectures it knows")?;
    }
    let mut known: Vec<u32> = known
        .into_iter()
        .filter_map(|n| n.try_into().ok())
        .collect();
    known.sort_unstable();
    Ok(known)
}

/// The architecture that is compiled for where the device's is `architecture`: its own, or the
/// next lower one that NVRTC knows of the same generation, whose code the device runs as well.
/// Fails where NVRTC knows none.
pub fn target_architecture(architecture: u32) -> Result<u32, Fault> {
    let known = supported_architectures()?;
    if let Some(target) = nearest(architecture, &known) {
        return Ok(target);
    }
    let (major, minor) = version()?;
    let list: Vec<_> = known.iter().map(ToString::to_string).collect();
    let older = known.first().is_some_and(|&lowest| architecture < lowest);
    Err(Fault::failed(
        format!(
            "NVRTC {major}.{minor} does not know the architecture sm_{architecture}: it knows {}",
            list.join(", ")
        ),
        if older { OLDER } else { NEWER },
    ))
}

fn nearest(architecture: u32, known: &[u32]) -> Option<u32> {
    let same_generation = |&&other: &&u32| other / 10 == architecture / 10 && other <= architecture;
    known.iter().filter(same_generation).max().copied()
}

/// Compiles a family for an architecture (90: compute capability 9.0), whatever the cache has.
pub fn compile(family: &Family, architecture: u32) -> Result<Compiled, Fault> {
    let target = target_architecture(architecture)?;
    let program = Program::new(family)?;
    let result = program.compile(&options(target));
    let log = program.log();
    if result != nvrtcResult::NVRTC_SUCCESS {
        let mut what = format!(
            "kernels/{}.cu cannot be compiled for sm_{target}",
            family.name
        );
        let _ = match first_error(&log) {
            Some(line) => write!(what, ": {line}"),
            None => write!(what, " ({result:?})"),
        };
        return Err(Fault::failed(what, REPORT));
    }
    Ok(Compiled {
        cubin: program.cubin()?,
        log,
    })
}

/// The options for an architecture that NVRTC knows.
fn options(target: u32) -> Vec<String> {
    let mut options = vec![format!("--gpu-architecture=sm_{target}")];
    options.extend(OPTIONS.map(str::to_owned));
    options
}

/// The line of a log that says what is wrong.
fn first_error(log: &str) -> Option<&str> {
    let mut lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .clone()
        .find(|line| line.contains("error"))
        .or_else(|| lines.next())
}

fn succeeded(result: nvrtcResult, doing: &str) -> Result<(), Fault> {
    if result == nvrtcResult::NVRTC_SUCCESS {
        return Ok(());
    }
    Err(Fault::failed(
        format!("NVRTC could not {doing} ({result:?})"),
        REINSTALL,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_takes_the_code_of_its_own_generation_and_not_of_a_later_minor() {
        let known = [75, 80, 86, 87, 89, 90, 100, 103, 120];
        for (device, target) in [
            (75, Some(75)),
            (80, Some(80)),
            (88, Some(87)),
            (90, Some(90)),
            (101, Some(100)),
            (121, Some(120)),
            (70, None),
            (110, None),
            (130, None),
        ] {
            assert_eq!(nearest(device, &known), target, "sm_{device}");
        }
        assert_eq!(nearest(90, &[]), None);
    }

    #[test]
    fn the_embedded_kernels_stand_by_themselves() {
        assert_eq!(KERNELS_DIGEST.len(), 64);
        for family in FAMILIES {
            assert!(family.source.contains("KERNEL("), "{}", family.name);
            assert!(!family.source.contains("#include"), "{}", family.name);
            let first = format!("#line 1 \"{}.cu\"\n", family.name);
            assert!(family.source.starts_with(&first), "{}", family.name);
        }
    }

    #[test]
    fn the_line_that_says_what_is_wrong_is_found() {
        let log = "\nselect.cu(3): warning: x\nselect.cu(7): error: identifier \"y\"\n\n1 error\n";
        assert_eq!(
            first_error(log),
            Some("select.cu(7): error: identifier \"y\"")
        );
        assert_eq!(first_error("out of registers\n"), Some("out of registers"));
        assert_eq!(first_error(" \n"), None);
    }
}
