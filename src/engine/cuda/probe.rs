//! Finds the CUDA libraries that are there, and checks that they have all that is called.
//!
//! NVRTC and cuBLAS are called through the addresses that are found here (`Found::function`), so
//! that the library which is named is the one that is used, whatever else lies on the loader's path.
//!
//! The driver is called by cudarc, which loads it by name when it is first used, and panics where
//! it is missing or lacks a function. So it is looked for here first, with its functions, and
//! nothing of cudarc is called before that has succeeded. One that the system's loader does not find
//! by itself is loaded by its path and stays loaded: the loader then gives it to all who ask for it
//! by name. Where a folder is named whose driver the loader would not give, that is an error.

mod files;
mod folders;
mod wanted;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use libloading::Library;

use super::fault::Fault;
pub(super) use wanted::ELAPSED;
use wanted::{CUBLAS, DRIVER, NVRTC, Wanted};

/// Folders that are looked in first, separated as in `PATH`.
pub const FOLDERS_VARIABLE: &str = "ATOMSCOPE_CUDA_LIBRARIES";

/// A library that has every function that is called. It stays loaded.
#[derive(Debug)]
pub struct Found {
    /// The path or the name that it was loaded by.
    pub name: String,
    library: &'static Library,
}

impl Found {
    /// Keeps a library for good: functions of it are held for as long as the process runs.
    fn keep(library: Library, name: String) -> Self {
        Self {
            name,
            library: Box::leak(Box::new(library)),
        }
    }

    /// Returns the first of these functions that the library has.
    ///
    /// # Safety
    /// `T` is the type of a pointer to the function, and all of the names have that type.
    ///
    /// # Errors
    /// A library that has none of them.
    pub(super) unsafe fn function<T: Copy>(&self, names: &[&str]) -> Result<T, Fault> {
        for name in names {
            // SAFETY: the type is right, says the caller, and the library stays loaded.
            if let Ok(symbol) = unsafe { self.library.get::<T>(*name) } {
                return Ok(*symbol);
            }
        }
        let what = format!("{} has no function {}", self.name, names.join(" or "));
        Err(Fault::missing(what, wanted::UPDATE_LIBRARIES))
    }
}

/// Looks in this folder first. To be called before anything else of this module: what was found
/// once stays.
pub fn use_libraries(folder: &Path) {
    first_folders()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(folder.to_owned());
}

/// The driver, `libcuda`. Fails with [`FaultKind::Missing`](super::FaultKind::Missing)
/// where it is not there, cannot be loaded, or lacks a function; so do the others.
pub fn driver() -> Result<&'static Found, Fault> {
    static FOUND: OnceLock<Result<Found, Fault>> = OnceLock::new();
    remembered(&FOUND, &DRIVER)
}

/// The compiler of kernels, `libnvrtc`.
pub fn nvrtc() -> Result<&'static Found, Fault> {
    static FOUND: OnceLock<Result<Found, Fault>> = OnceLock::new();
    static DRIVER: OnceLock<Result<(), Fault>> = OnceLock::new();
    let found = remembered(&FOUND, &NVRTC)?;
    DRIVER.get_or_init(driver_of_nvrtc).clone()?;
    Ok(found)
}

/// The matrix product, `libcublas`.
pub fn cublas() -> Result<&'static Found, Fault> {
    static FOUND: OnceLock<Result<Found, Fault>> = OnceLock::new();
    remembered(&FOUND, &CUBLAS)
}

fn first_folders() -> &'static Mutex<Vec<PathBuf>> {
    static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    &FOLDERS
}

fn remembered(
    found: &'static OnceLock<Result<Found, Fault>>,
    wanted: &Wanted,
) -> Result<&'static Found, Fault> {
    found
        .get_or_init(|| look_for(wanted))
        .as_ref()
        .map_err(Clone::clone)
}

/// NVRTC asks for the driver by name, needs none, but ends the process where there is one without
/// the functions that it calls.
fn driver_of_nvrtc() -> Result<(), Fault> {
    // What this leaves loaded is what NVRTC will be given.
    let _ = driver();
    let name = if cfg!(windows) {
        "nvcuda.dll"
    } else {
        "libcuda.so.1"
    };
    // SAFETY: as in `known_to_loader`.
    let Ok(library) = (unsafe { Library::new(name) }) else {
        return Ok(());
    };
    let mut called = ["cuInit", "cuGetExportTable"].into_iter();
    match called.find(|function| address(&library, function).is_none()) {
        None => Ok(()),
        Some(function) => Err(Fault::missing(
            format!("NVRTC cannot be used: {name} has no function {function}, which NVRTC calls"),
            DRIVER.install,
        )),
    }
}

/// Looks in the folders that were named, where something broken ends the search; then asks the
/// loader; then looks where toolkits and Python environments have their libraries.
fn look_for(wanted: &Wanted) -> Result<Found, Fault> {
    let mut first = first_folders()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    first.extend(folders::of_variable(FOLDERS_VARIABLE));
    let fault = |what| Fault::missing(what, wanted.install);
    for folder in &first {
        if let Some(tried) = try_folder(wanted, folder) {
            return tried.map_err(fault);
        }
    }
    let mut broken = match known_to_loader(wanted) {
        Ok(Some((library, name))) => return Ok(Found::keep(library, name)),
        Ok(None) => None,
        Err(problem) => Some(problem),
    };
    let others = if wanted.toolkit {
        folders::of_toolkits()
    } else {
        folders::of_drivers()
    };
    for folder in others {
        match try_folder(wanted, &folder) {
            Some(Ok(found)) => return Ok(found),
            Some(Err(problem)) => broken = broken.or(Some(problem)),
            None => {}
        }
    }
    Err(fault(broken.unwrap_or_else(|| not_found(wanted, &first))))
}

fn not_found(wanted: &Wanted, first: &[PathBuf]) -> String {
    let mut places: Vec<_> = first.iter().map(|f| f.display().to_string()).collect();
    places.push("the system's library path".to_owned());
    if wanted.toolkit {
        places.push("CUDA_PATH, CUDA_HOME, /usr/local/cuda".to_owned());
        places.push("the active Python environment".to_owned());
    }
    format!("{} is not found in {}", wanted.title, places.join(", "))
}

/// Loads the library from a folder; `None` where the folder has none.
fn try_folder(wanted: &Wanted, folder: &Path) -> Option<Result<Found, String>> {
    let mut broken = None;
    for path in names(wanted).map(|name| folder.join(name)) {
        // A link that leads nowhere is there, and broken.
        if path.symlink_metadata().is_err() {
            continue;
        }
        match load_path(wanted, &path) {
            Ok(found) => return Some(Ok(found)),
            Err(problem) => broken = broken.or(Some(problem)),
        }
    }
    broken.map(Err)
}

/// Loads the library from a path; it stays loaded with its companions. One that cudarc calls must
/// be the one that the loader will give to cudarc.
fn load_path(wanted: &Wanted, path: &Path) -> Result<Found, String> {
    let companions = load_companions(wanted, path);
    let library = load(path)?;
    let name = path.display().to_string();
    check_functions(wanted, &library, &name)?;
    if wanted.by_cudarc {
        let Some((given, other)) = known_to_loader(wanted)? else {
            return Err(format!(
                "{name} names itself (SONAME) as no known version of {}",
                wanted.title
            ));
        };
        let function = wanted.functions[0];
        if address(&library, function) != address(&given, function) {
            return Err(format!(
                "{name} would not be used: the loader gives {other} first, which is another library"
            ));
        }
        std::mem::forget(given);
    }
    std::mem::forget(companions);
    Ok(Found::keep(library, name))
}

/// Loads what lies beside the library and what it will ask for by name. One that cannot be
/// loaded is no fault by itself.
fn load_companions(wanted: &Wanted, path: &Path) -> Vec<Library> {
    let Some(folder) = path.parent() else {
        return Vec::new();
    };
    let beside = wanted
        .companions
        .iter()
        .flat_map(|stem| files::versions(folder, stem));
    beside.filter_map(|path| load(&path).ok()).collect()
}

/// The file names that cudarc tries, in its order.
fn names(wanted: &Wanted) -> impl Iterator<Item = String> {
    wanted
        .stems
        .iter()
        .flat_map(|stem| cudarc::get_lib_name_candidates(stem))
}

/// The library that the loader gives, as it does to cudarc: the first of its names that it knows.
/// `None` where it knows none; an error where that library lacks a function, or where the only ones
/// cannot be loaded.
fn known_to_loader(wanted: &Wanted) -> Result<Option<(Library, String)>, String> {
    let mut broken = None;
    for name in names(wanted) {
        // SAFETY: loading a library runs its initialisers; those of NVIDIA's libraries may run at
        // any time and in any thread.
        match unsafe { Library::new(&name) } {
            Ok(library) => {
                check_functions(wanted, &library, &name)?;
                return Ok(Some((library, name)));
            }
            Err(error) => {
                let reason = files::reason(&error);
                if files::is_damage(&name, &reason) {
                    broken = broken.or(Some(reason));
                }
            }
        }
    }
    broken.map_or(Ok(None), Err)
}

fn check_functions(wanted: &Wanted, library: &Library, name: &str) -> Result<(), String> {
    let has = |function: &&str| address(library, function).is_some();
    if let Some(function) = wanted.functions.iter().find(|function| !has(function)) {
        return Err(format!("{name} has no function {function}"));
    }
    match wanted.either.iter().find(|names| !names.iter().any(has)) {
        None => Ok(()),
        Some(names) => Err(format!("{name} has no function {}", names.join(" or "))),
    }
}

fn address(library: &Library, function: &str) -> Option<usize> {
    // SAFETY: the symbol's address is looked at, and nothing is called or read through it.
    let symbol = unsafe { library.get::<unsafe extern "C" fn()>(function) };
    symbol.ok().map(|symbol| *symbol as usize)
}

/// Loads a library by its path, with its functions visible to those loaded later.
fn load(path: &Path) -> Result<Library, String> {
    files::check_whole(path)?;
    #[cfg(unix)]
    // SAFETY: as in `known_to_loader`.
    let loaded = unsafe {
        use libloading::os::unix::{Library as Unix, RTLD_GLOBAL, RTLD_NOW};
        Unix::open(Some(path), RTLD_NOW | RTLD_GLOBAL).map(Library::from)
    };
    #[cfg(windows)]
    // SAFETY: as in `known_to_loader`.
    let loaded = unsafe {
        use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library as Windows};
        Windows::load_with_flags(path, LOAD_WITH_ALTERED_SEARCH_PATH).map(Library::from)
    };
    loaded.map_err(|error| {
        let reason = files::reason(&error);
        let path = path.display().to_string();
        if reason.contains(&path) {
            reason
        } else {
            format!("{path}: {reason}")
        }
    })
}
