//! The choice of the device that does the work, and the reason for it.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "cuda")]
use super::cuda::{CudaEngine, Fault, driver};
use super::{CpuEngine, Engine, EngineOptions};
use crate::error::{Error, Result};
use crate::sae::Sae;

/// The device that the user asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Device {
    /// The best that can be had.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A CUDA device by its number, the first where there is none.
    Cuda(Option<u32>),
    /// All CUDA devices.
    CudaAll,
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(None)),
            "cuda:all" => Ok(Self::CudaAll),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(|number| Self::Cuda(Some(number)))
                .ok_or_else(|| {
                    "expected auto, cpu, cuda, cuda:N as in cuda:0, or cuda:all".to_owned()
                }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(None) => f.write_str("cuda"),
            Self::Cuda(Some(number)) => write!(f, "cuda:{number}"),
            Self::CudaAll => f.write_str("cuda:all"),
        }
    }
}

/// Multiply-adds of a cohort below which a GPU would not be ready before the CPU is done:
/// the driver, the kernels and the model take half a second to a second.
const WORTH_A_GPU: f64 = 2e11;

/// Lists the numbers of the CUDA devices that are meant: one device, or all.
#[cfg(feature = "cuda")]
fn ordinals(device: Device) -> std::result::Result<Vec<u32>, Fault> {
    match device {
        Device::CudaAll => driver::count().map(|count| (0..count).collect()),
        Device::Cuda(Some(number)) => Ok(vec![number]),
        Device::Auto | Device::Cpu | Device::Cuda(None) => Ok(vec![0]),
    }
}

impl Device {
    /// Checks that a device which is asked for by name can be had: before anything is read.
    ///
    /// # Errors
    /// It cannot.
    #[cfg(feature = "cuda")]
    pub fn check(self) -> Result<()> {
        if matches!(self, Self::Auto | Self::Cpu) {
            return Ok(());
        }
        let fault = ordinals(self).and_then(|ordinals| CudaEngine::check(&ordinals));
        fault.map_err(|fault| fault.of_device(self.to_string()))
    }

    /// Does the same in a build without the engine on CUDA devices.
    ///
    /// # Errors
    /// A CUDA device.
    #[cfg(not(feature = "cuda"))]
    pub fn check(self) -> Result<()> {
        match self {
            Self::Auto | Self::Cpu => Ok(()),
            Self::Cuda(_) | Self::CudaAll => Err(Error::Device {
                wanted: self.to_string(),
                reason: "this build has no engine for CUDA devices".to_owned(),
                action: "build with the feature cuda, or use the CPU, which gives the same answer",
                no_memory: false,
            }),
        }
    }
}

/// Opens an engine on the device that was asked for, for a cohort of `rows` rows. Returns it with a
/// few words that say why it is this one.
///
/// # Errors
/// A device that is asked for by name and cannot be used; memory; threads.
pub fn open(
    device: Device,
    sae: &Sae,
    rows: usize,
    options: &EngineOptions,
) -> Result<(Box<dyn Engine>, String)> {
    let cpu = || CpuEngine::new(sae, options).map(|engine| Box::new(engine) as Box<dyn Engine>);
    match device {
        Device::Cpu => Ok((cpu()?, AS_ASKED.to_owned())),
        Device::Cuda(_) | Device::CudaAll => open_cuda(device, sae, options),
        Device::Auto => {
            let work = rows as f64 * sae.input_dim() as f64 * sae.feature_dim() as f64;
            if work < options.cuda.least_work.unwrap_or(WORTH_A_GPU) {
                let why = "a cohort of this size is done before a GPU would be ready";
                return Ok((cpu()?, why.to_owned()));
            }
            match open_cuda(device, sae, options) {
                Ok((engine, _)) => Ok((engine, "a CUDA device was found".to_owned())),
                Err(Error::Device { reason, .. }) => {
                    Ok((cpu()?, format!("no CUDA device: {reason}")))
                }
                Err(other) => Err(other),
            }
        }
    }
}

/// The reason for a device that was named.
const AS_ASKED: &str = "as asked for";

/// Opens an engine on the CUDA devices that were asked for, on the first where none was named.
#[cfg(feature = "cuda")]
fn open_cuda(
    device: Device,
    sae: &Sae,
    options: &EngineOptions,
) -> Result<(Box<dyn Engine>, String)> {
    let engine = ordinals(device).and_then(|ordinals| CudaEngine::new(&ordinals, sae, options));
    let engine = engine.map_err(|fault| fault.of_device(device.to_string()))?;
    Ok((Box::new(engine), AS_ASKED.to_owned()))
}

/// Does the same in a build without that engine.
#[cfg(not(feature = "cuda"))]
fn open_cuda(device: Device, _: &Sae, _: &EngineOptions) -> Result<(Box<dyn Engine>, String)> {
    let named = match device {
        Device::Auto => Device::Cuda(None),
        named => named,
    };
    named
        .check()
        .map(|()| unreachable!("a CUDA device is refused"))
}
