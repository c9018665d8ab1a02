//! Builds the libraries that stand in for the CUDA driver, cuBLAS and NVRTC, and that run the
//! kernels on the CPU (`tests/emulator`).
//!
//! They are built once for each state of the sources, by the C++ compiler of the machine, and kept
//! beside the test programs. Without a compiler the tests that need them print a line that says
//! that they were skipped; with `ATOMSCOPE_REQUIRE_EMULATOR=1` they fail.
//!
//! What the libraries read from the environment when the program under test starts:
//!
//! | variable | meaning |
//! |---|---|
//! | `ATOMSCOPE_EMULATOR_SEED` | order of threads, blocks and streams; 0: as written; default 1 |
//! | `ATOMSCOPE_EMULATOR_MEMORY` | bytes of a device; default 8 GiB |
//! | `ATOMSCOPE_EMULATOR_DEVICES` | how many devices; default 1 |
//! | `ATOMSCOPE_EMULATOR_CC` | compute capability times ten; default 90 |
//! | `ATOMSCOPE_EMULATOR_FAULT` | `no-device`, `init`, `driver-too-old`, `driver-of-12`, `module`, `launch:N`, `lost:N` (from the N-th launch or stream synchronisation on), `blas`, `gemm`, `compile` |

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use emulator_compiler::{Compiler, FLAGS, WATCH, Work};

#[path = "emulator_compiler.rs"]
mod emulator_compiler;

/// Libraries that `AddressSanitizer` watches: every access beyond an allocation ends the program,
/// with a report on stderr.
pub(crate) struct Watched {
    /// Where the libraries are.
    pub(crate) folder: PathBuf,
    /// The sanitizer's own library, which a program must be started with (`LD_PRELOAD`).
    pub(crate) preload: PathBuf,
}

impl Watched {
    /// Makes a program start with the sanitizer. Leaks are not its business here.
    pub(crate) fn watch<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("LD_PRELOAD", &self.preload)
            .env("ASAN_OPTIONS", "detect_leaks=0")
    }
}

/// The folder of `libcuda.so.1`, `libcublas.so.13` and `libnvrtc.so.13` with the project's
/// kernels; `None` where they cannot be built.
pub(crate) fn libraries() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| build(Kernels::OfTheProject, false))
        .as_deref()
}

/// The same under `AddressSanitizer`, for programs started by [`Watched::watch`].
pub(crate) fn libraries_with_address_sanitizer() -> Option<&'static Watched> {
    static WATCHED: OnceLock<Option<Watched>> = OnceLock::new();
    WATCHED
        .get_or_init(|| watched(Kernels::OfTheProject))
        .as_ref()
}

/// The folder of the program `selftest`, with libraries that have the self-test's kernels.
pub(crate) fn self_test() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| build(Kernels::OfTheSelfTest, false))
        .as_deref()
}

/// The same under `AddressSanitizer`.
pub(crate) fn self_test_with_address_sanitizer() -> Option<&'static Watched> {
    static WATCHED: OnceLock<Option<Watched>> = OnceLock::new();
    WATCHED
        .get_or_init(|| watched(Kernels::OfTheSelfTest))
        .as_ref()
}

#[derive(Clone, Copy, PartialEq)]
enum Kernels {
    OfTheProject,
    OfTheSelfTest,
}

fn watched(kernels: Kernels) -> Option<Watched> {
    let compiler = compiler()?;
    let preload = compiler.library("libasan.so");
    if preload.is_none() {
        skip("there is no AddressSanitizer beside the C++ compiler");
    }
    Some(Watched {
        preload: preload?,
        folder: build(kernels, true)?,
    })
}

/// Prints why tests are skipped; fails where they must not be.
fn skip(why: &str) {
    let required = std::env::var_os("ATOMSCOPE_REQUIRE_EMULATOR").is_some_and(|value| value == "1");
    assert!(!required, "ATOMSCOPE_REQUIRE_EMULATOR=1, but {why}");
    super::skipped("tests on an emulated GPU", why);
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files that the libraries are made of, in order.
fn sources() -> Vec<PathBuf> {
    let emulator = repository().join("tests/emulator");
    let folders = [
        emulator.join("language"),
        emulator.join("selftest"),
        emulator,
    ];
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in folders.iter().chain([&repository().join("kernels")]) {
        let entries = std::fs::read_dir(folder).expect("the folder of sources");
        files.extend(entries.map(|entry| entry.expect("a readable folder").path()));
    }
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// The `.cu` files that a library runs: their paths and their families.
fn kernel_files(kernels: Kernels) -> Vec<(PathBuf, String)> {
    let folder = match kernels {
        Kernels::OfTheProject => repository().join("kernels"),
        Kernels::OfTheSelfTest => repository().join("tests/emulator/selftest"),
    };
    let of_folder = sources()
        .into_iter()
        .filter(|path| path.parent() == Some(&folder));
    of_folder
        .filter(|path| path.extension().is_some_and(|extension| extension == "cu"))
        .map(|path| {
            let family = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (path, family)
        })
        .collect()
}

/// The machine's C++ compiler, if it has one that can be started.
fn compiler() -> Option<&'static Compiler> {
    static COMPILER: OnceLock<Option<Compiler>> = OnceLock::new();
    let found = COMPILER.get_or_init(|| {
        let arch = std::env::consts::ARCH;
        if !cfg!(target_os = "linux") || !["x86_64", "aarch64"].contains(&arch) {
            skip("the emulator is for Linux on x86-64 and arm64");
            return None;
        }
        let compiler = Compiler::find(&format!("{arch}-unknown-linux-gnu"));
        if compiler.is_none() {
            skip("there is no C++ compiler");
        }
        compiler
    });
    found.as_ref()
}

/// The folder of finished libraries, which is named after all that they depend on.
fn build(kernels: Kernels, watch: bool) -> Option<PathBuf> {
    let compiler = compiler()?;
    let mut hash = Sha256::new();
    hash.update(&compiler.version);
    hash.update(format!(
        "{} {FLAGS} {WATCH} {watch}",
        compiler.tool.path().display()
    ));
    for path in sources() {
        hash.update(path.to_string_lossy().as_bytes());
        hash.update(std::fs::read(&path).expect("a source"));
    }
    let digest = hash.finalize();
    let name = u64::from_le_bytes(digest[..8].try_into().expect("eight bytes"));
    let set = if kernels == Kernels::OfTheProject {
        "emulator"
    } else {
        "emulator-selftest"
    };
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = parent.join(format!("{set}-{name:016x}"));
    if folder.is_dir() {
        return Some(folder);
    }
    // Another process may be at the same: whoever is done first names the folder.
    let unfinished = tempfile::Builder::new()
        .prefix("emulator-unfinished-")
        .tempdir_in(parent);
    let unfinished = unfinished.expect("a folder for what is built");
    Work {
        compiler,
        watch,
        folder: unfinished.path(),
    }
    .all(&kernel_files(kernels), kernels == Kernels::OfTheSelfTest);
    let moved = std::fs::rename(unfinished.path(), &folder);
    assert!(
        moved.is_ok() || folder.is_dir(),
        "the libraries cannot be moved: {moved:?}"
    );
    Some(folder)
}
