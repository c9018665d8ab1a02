//! Files that should be libraries, looked at before the loader maps them.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folders in a folder whose names start so, in the order of their names.
pub(super) fn subfolders(folder: &Path, start: &str) -> Vec<PathBuf> {
    entries(folder, start)
        .into_iter()
        .filter(|path| path.is_dir())
        .collect()
}

/// The files in a folder that are a version of a library.
pub(super) fn versions(folder: &Path, stem: &str) -> Vec<PathBuf> {
    let mut versions = entries(folder, &format!("{DLL_PREFIX}{stem}{DLL_SUFFIX}"));
    if cfg!(windows) {
        versions.extend(entries(folder, &format!("{stem}64_")));
    }
    versions
}

fn entries(folder: &Path, start: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

/// Refuses what a loader would refuse in stranger words, and a file that was cut short, as by a
/// download that broke off: to map that would end the process.
pub(super) fn check_whole(path: &Path) -> Result<(), String> {
    let said = |what: String| Err(format!("{}: {what}", path.display()));
    let mut header = Vec::new();
    let opened = File::open(path).and_then(|file| {
        let length = file.metadata()?.len();
        file.take(64).read_to_end(&mut header)?;
        Ok(length)
    });
    let length = match opened {
        Ok(length) => length,
        Err(error) => return said(format!("cannot read it: {error}")),
    };
    if length == 0 {
        return said("it is an empty file".to_owned());
    }
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    match Elf::of(&header) {
        None => said("it is no library of this system (no 64-bit ELF header)".to_owned()),
        Some(elf) if elf.machine != Elf::THIS_MACHINE => said(format!(
            "it is for another kind of processor (ELF machine {})",
            elf.machine
        )),
        Some(elf) if elf.end > length => said(format!(
            "it is cut short: {length} bytes of at least {}",
            elf.end
        )),
        Some(_) => Ok(()),
    }
}

/// The facts in the header of a library of the 64-bit little-endian kind.
struct Elf {
    machine: u16,
    /// The end of the table of sections, in bytes: linkers put it last.
    end: u64,
}

impl Elf {
    /// The number of this CPU's kind in the ELF specification.
    const THIS_MACHINE: u16 = if cfg!(target_arch = "aarch64") {
        183
    } else {
        62
    };

    fn of(header: &[u8]) -> Option<Self> {
        let starts = header.starts_with(b"\x7fELF\x02\x01");
        let u16_at = |at: usize| Some(u16::from_le_bytes(*header.get(at..)?.first_chunk()?));
        let sections = u64::from_le_bytes(*header.get(40..)?.first_chunk()?);
        let table = u64::from(u16_at(58)?) * u64::from(u16_at(60)?);
        starts.then_some(Self {
            machine: u16_at(18)?,
            end: sections.saturating_add(table),
        })
    }
}

/// Says whether the loader's `reason` means that there is a library `name` that it cannot load,
/// rather than that there is none.
pub(super) fn is_damage(name: &str, reason: &str) -> bool {
    cfg!(target_os = "linux")
        && !(reason.contains(&format!("{name}:")) && reason.contains("No such file"))
}

/// The loader's own words, in one line.
pub(super) fn reason(error: &libloading::Error) -> String {
    let words = error
        .source()
        .map_or(error.to_string(), ToString::to_string);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
