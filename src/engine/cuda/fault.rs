//! The faults that a device can have, and the advice that goes with each.

use std::fmt;

use crate::error::Error;

/// The advice where the driver is not there, or knows too old a version.
pub const INSTALL_DRIVER: &str = "install NVIDIA driver 580 or later (525 with NVRTC and cuBLAS of CUDA 12), or use --device cpu, \
     which gives the same answer";

/// The advice where the libraries are of a later CUDA than the driver.
pub(super) const OLDER_LIBRARIES: &str = "install NVRTC and cuBLAS of CUDA 12 (pip install nvidia-cuda-nvrtc-cu12 nvidia-cublas-cu12) and \
     name their folders in ATOMSCOPE_CUDA_LIBRARIES, or NVIDIA driver 580 or later, or use --device cpu, \
     which gives the same answer";

/// The kind of a fault. Callers react to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The device (or the host's page-locked memory) has no room for what was asked for; less may
    /// do.
    NoMemory,
    /// A library, a function of it, or a device is not there.
    Missing,
    /// The device, its driver or a library failed.
    Failed,
}

/// A fault of a device or of one of its libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind, which callers can react to.
    pub kind: FaultKind,
    /// The action that was attempted, and what was found.
    pub what: String,
    /// The advice to the user.
    pub action: &'static str,
}

impl Fault {
    /// Something that is not there.
    pub fn missing(what: impl Into<String>, action: &'static str) -> Self {
        Self {
            kind: FaultKind::Missing,
            what: what.into(),
            action,
        }
    }

    /// Something that failed.
    pub fn failed(what: impl Into<String>, action: &'static str) -> Self {
        Self {
            kind: FaultKind::Failed,
            what: what.into(),
            action,
        }
    }

    /// Adds the number of the device that has the fault.
    #[must_use]
    pub fn on(self, ordinal: u32) -> Self {
        Self {
            what: format!("CUDA device {ordinal}: {}", self.what),
            ..self
        }
    }

    /// The error of the run that asked for `device`: exit code 3.
    pub fn of_device(self, device: impl Into<String>) -> Error {
        Error::Device {
            wanted: device.into(),
            no_memory: self.kind == FaultKind::NoMemory,
            reason: self.what,
            action: self.action,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.action)
    }
}

impl std::error::Error for Fault {}
