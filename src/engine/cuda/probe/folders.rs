//! The folders of libraries that the system's loader does not find by itself.

use std::env;
use std::path::{Path, PathBuf};

use super::files::subfolders;

/// The folders of a variable that is written as `PATH` is.
pub(super) fn of_variable(name: &str) -> Vec<PathBuf> {
    let value = env::var_os(name).unwrap_or_default();
    env::split_paths(&value)
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect()
}

/// Lists the folders of a driver that the system's loader may not know of: WSL, containers, NixOS.
pub(super) fn of_drivers() -> Vec<PathBuf> {
    [
        "/usr/lib/wsl/lib",
        "/usr/local/nvidia/lib64",
        "/run/opengl-driver/lib",
    ]
    .map(PathBuf::from)
    .into()
}

/// Toolkits that are installed or pointed to, then the active Python environments.
pub(super) fn of_toolkits() -> Vec<PathBuf> {
    let named = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().flat_map(|name| of_variable(name)).collect()
    };
    let environments = named(&["VIRTUAL_ENV", "CONDA_PREFIX"]);
    let mut roots = named(&["CUDA_PATH", "CUDA_HOME"]);
    roots.push(PathBuf::from("/usr/local/cuda"));
    // conda's own packages of the toolkit lie in an environment as in a toolkit.
    roots.extend(environments.iter().cloned());
    let toolkits = roots.iter().flat_map(|root| of_toolkit(root));
    let packages = environments.iter().flat_map(|root| of_environment(root));
    toolkits.chain(packages).collect()
}

fn of_toolkit(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = ["lib64", "lib", "bin/x64", "bin"]
        .map(|folder| root.join(folder))
        .into();
    let targets = subfolders(&root.join("targets"), "");
    folders.extend(targets.iter().map(|target| target.join("lib")));
    folders
}

/// The folders of NVIDIA's Python packages.
fn of_environment(root: &Path) -> Vec<PathBuf> {
    let mut packages: Vec<_> = subfolders(&root.join("lib"), "python3")
        .iter()
        .map(|python| python.join("site-packages"))
        .collect();
    packages.push(root.join("Lib").join("site-packages"));
    let of_one = |packages: &PathBuf| {
        let nvidia = packages.join("nvidia");
        ["cu13", "cuda_nvrtc", "cublas"]
            .iter()
            .flat_map(|package| {
                ["lib", "bin/x86_64", "bin"].map(|folder| nvidia.join(package).join(folder))
            })
            .collect::<Vec<_>>()
    };
    packages.iter().flat_map(of_one).collect()
}
