//! The GPUs, what they need, and whether they answer as the CPU does.

use super::check::{Check, Status};
use super::{Auto, Report, kernels};
use crate::engine::cuda::Fault;
use crate::engine::cuda::blas::Blas;
use crate::engine::cuda::driver::{self, Device, DeviceInfo};
use crate::engine::cuda::{CudaEngine, nvrtc, probe, selftest};
use crate::error::Result;

/// Looks at driver, devices, libraries and kernels, and tries each device.
pub(super) fn look(report: &mut Report) -> Result<Auto> {
    let (checks, devices) = driver_and_devices();
    for check in checks.into_iter().chain([compiler(), product()]) {
        report.add(check)?;
    }
    // A device that lacks something would only fail in other words.
    let whole = report.checks.iter().all(|check| check.action.is_none());
    let compiled = kernels::look(report, &devices)?;
    let usable = |device: &&DeviceInfo| whole && compiled.contains(&device.architecture());
    let mut differing = None;
    for device in devices.iter().filter(usable) {
        let tried = try_device(device);
        if tried.status != Status::Ok {
            differing = differing.or(Some(device.ordinal));
        }
        report.add(tried)?;
    }
    let first = devices.first();
    Ok(auto(
        first,
        first.is_some_and(|first| usable(&first)),
        differing,
    ))
}

/// Returns what `--device auto` takes. It asks what the engine asks.
fn auto(first: Option<&DeviceInfo>, usable: bool, differing: Option<u32>) -> Auto {
    let on_the_cpu = |why: &str| Auto {
        device: "cpu".to_owned(),
        says: format!("--device auto takes the CPU, which gives the same answer as a GPU: {why}."),
    };
    let device = match (CudaEngine::check(&[0]), first) {
        (Err(fault), _) => return on_the_cpu(&fault.what),
        (Ok(()), None) => return on_the_cpu("there is no GPU"),
        (Ok(()), Some(_)) if !usable => return on_the_cpu("the first GPU cannot be used"),
        (Ok(()), Some(device)) => device,
    };
    let name = name_of(device);
    let says = if differing == Some(device.ordinal) {
        format!("--device auto takes {name}, which fails its self-test: use --device cpu.")
    } else {
        format!(
            "--device auto takes {name}, the {}; the CPU for a cohort that is done sooner there.",
            device.name
        )
    };
    Auto { device: name, says }
}

/// The driver and the devices that it knows, a check each.
fn driver_and_devices() -> (Vec<Check>, Vec<DeviceInfo>) {
    const DRIVER: &str = "NVIDIA driver";
    let name = match probe::driver() {
        Ok(found) => &found.name,
        Err(fault) => return (vec![Check::fault(DRIVER, &fault)], Vec::new()),
    };
    let mut checks = vec![match driver::driver_version() {
        Ok(version) => driver_check(DRIVER, name, version),
        Err(fault) => Check::fault(DRIVER, &fault),
    }];
    match driver::devices() {
        Ok(devices) => {
            checks.extend(devices.iter().map(device_check));
            (checks, devices)
        }
        Err(fault) => {
            checks.push(Check::fault("GPU", &fault));
            (checks, Vec::new())
        }
    }
}

fn driver_check(what: &str, name: &str, version: (u32, u32)) -> Check {
    let (major, minor) = version;
    if version >= driver::NEEDED {
        return Check::ok(what, format!("for CUDA {major}.{minor} ({name})"));
    }
    let found = format!(
        "it is for CUDA {major}.{minor}, and {}.{} or later is needed ({name})",
        driver::NEEDED.0,
        driver::NEEDED.1
    );
    Check::fault(what, &Fault::failed(found, driver::INSTALL))
}

fn device_check(device: &DeviceInfo) -> Check {
    const GIB: f64 = (1_u64 << 30) as f64;
    let (major, minor) = device.compute_capability;
    let free = device
        .free_memory
        .map(|free| format!(", {:.1} free", free as f64 / GIB));
    let found = format!(
        "{}: compute capability {major}.{minor}, {} multiprocessors, {:.1} GiB of memory{}, \
         {:.0} MiB of L2 cache",
        device.name,
        device.multiprocessors,
        device.total_memory as f64 / GIB,
        free.unwrap_or_default(),
        device.l2_bytes as f64 / f64::from(1 << 20),
    );
    let details = serde_json::to_value(device).unwrap_or_default();
    Check {
        is_device: true,
        ..Check::ok(name_of(device), found).with(details)
    }
}

fn name_of(device: &DeviceInfo) -> String {
    format!("cuda:{}", device.ordinal)
}

fn compiler() -> Check {
    const WHAT: &str = "NVRTC";
    let found = || -> std::result::Result<Check, Fault> {
        let name = &probe::nvrtc()?.name;
        let (major, minor) = nvrtc::version()?;
        let known = nvrtc::supported_architectures()?;
        let list: Vec<_> = known.iter().map(|known| format!("sm_{known}")).collect();
        let found = format!("{major}.{minor}, for {} ({name})", list.join(" "));
        let details = serde_json::json!({ "version": [major, minor], "architectures": known });
        Ok(Check::ok(WHAT, found).with(details))
    };
    found().unwrap_or_else(|fault| Check::fault(WHAT, &fault))
}

fn product() -> Check {
    const WHAT: &str = "cuBLAS";
    match probe::cublas() {
        Ok(found) => {
            // It tells its version through a handle, which needs a device.
            let version = Device::open(0)
                .and_then(|device| Blas::version(&device))
                .ok();
            let version = version.map_or(String::new(), |v| {
                format!("{}.{}.{} ", v / 10_000, v % 10_000 / 100, v % 100)
            });
            Check::ok(WHAT, format!("{version}({})", found.name))
        }
        Err(fault) => Check::fault(WHAT, &fault),
    }
}

/// Lets a device answer, and compares with the CPU.
fn try_device(device: &DeviceInfo) -> Check {
    let what = format!("self-test {}", name_of(device));
    match selftest::self_test(device.ordinal) {
        Ok(sentence) => Check::ok(what, sentence),
        Err(fault) => Check::fault(what, &fault),
    }
}
