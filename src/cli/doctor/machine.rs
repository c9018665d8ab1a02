//! The machine without its GPU.

use std::fs;
use std::path::Path;

use super::check::Check;
use super::{Report, VERSION};
use crate::cli::threads::cores;
use crate::engine::Simd;
use crate::engine::cuda::nvrtc::{KERNELS_DIGEST, cache_folder};
use crate::error::Result;
use crate::tally::CohortTally;

/// Looks at the program, the system, the CPU, and the folder for compiled kernels.
pub(super) fn look(report: &mut Report) -> Result<()> {
    report.add(program())?;
    report.add(Check::ok("operating system", operating_system()))?;
    report.add(processor())?;
    report.add(cache())
}

fn program() -> Check {
    let kernels = &KERNELS_DIGEST[..12];
    let definition = CohortTally::DEFINITION;
    let found = format!("{VERSION}, definition {definition} of the answer, kernels {kernels}");
    Check::ok("atomscope", found).with(serde_json::json!({
        "version": VERSION,
        "definition": definition,
        "kernels": KERNELS_DIGEST,
    }))
}

fn operating_system() -> String {
    let kind = format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH);
    match value_of(Path::new("/etc/os-release"), "PRETTY_NAME", '=') {
        Some(name) => format!("{name} ({kind})"),
        None => kind,
    }
}

fn processor() -> Check {
    let threads = cores();
    let simd: Vec<_> = Simd::all().iter().map(ToString::to_string).collect();
    let model = value_of(Path::new("/proc/cpuinfo"), "model name", ':');
    let found = format!(
        "{}{threads} threads; code for {}",
        model.as_ref().map(|m| format!("{m}, ")).unwrap_or_default(),
        simd.join(", ")
    );
    Check::ok("processor", found).with(serde_json::json!({
        "model": model,
        "threads": threads,
        "instructions": simd,
    }))
}

/// The first value of a name in a text of lines.
fn value_of(file: &Path, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(separator)?;
        let value = value.trim().trim_matches('"');
        (key.trim() == name && !value.is_empty()).then(|| value.to_owned())
    })
}

/// Checks whether compiled kernels can be kept. If not, each run compiles them.
fn cache() -> Check {
    const WHAT: &str = "cache folder";
    let again = "each run compiles the GPU's kernels anew; set ATOMSCOPE_CACHE to a folder that \
        can be written";
    let Some(folder) = cache_folder() else {
        return Check::note(WHAT, format!("no home folder is known: {again}"));
    };
    let shown = folder.display();
    let tried = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
    match tried {
        Ok(_) => Check::ok(WHAT, format!("{shown}, can be written")),
        Err(error) => Check::note(
            WHAT,
            format!("{shown} cannot be written ({error}): {again}"),
        ),
    }
}
