//! Which device does the work, and why.

use std::fmt;
use std::str::FromStr;

use super::cuda::{CudaEngine, driver};
use super::{CpuEngine, Engine, EngineOptions};
use crate::error::Result;
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

impl Device {
    /// Whether a device that is asked for by name can be had: before anything is read.
    ///
    /// # Errors
    /// It cannot: exit code 3.
    pub fn check(self) -> Result<()> {
        let fault = match self {
            Self::Auto | Self::Cpu => return Ok(()),
            Self::Cuda(number) => CudaEngine::check(&[number.unwrap_or(0)]),
            Self::CudaAll => driver::count().and_then(|count| {
                let all: Vec<u32> = (0..count).collect();
                CudaEngine::check(&all)
            }),
        };
        fault.map_err(|fault| fault.of_device(self.to_string()))
    }
}

/// An engine on the device that was asked for, for a cohort of so many rows, and a few words that
/// say why it is this one.
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
    let cuda = |ordinals: &[u32]| CudaEngine::new(ordinals, sae, options);
    let as_asked = "as asked for".to_owned();
    let named = |fault: super::cuda::Fault| fault.of_device(device.to_string());
    match device {
        Device::Cpu => Ok((cpu()?, as_asked)),
        Device::Cuda(number) => {
            let engine = cuda(&[number.unwrap_or(0)]).map_err(named)?;
            Ok((Box::new(engine), as_asked))
        }
        Device::CudaAll => {
            let count = driver::count().map_err(named)?;
            let all: Vec<u32> = (0..count).collect();
            Ok((Box::new(cuda(&all).map_err(named)?), as_asked))
        }
        Device::Auto if sae.top_k().is_none() => {
            let why = "atoms that fire by thresholds are encoded on the CPU alone";
            Ok((cpu()?, why.to_owned()))
        }
        Device::Auto => {
            let work = rows as f64 * sae.input_dim() as f64 * sae.feature_dim() as f64;
            if work < options.cuda.least_work.unwrap_or(WORTH_A_GPU) {
                let why = "a cohort of this size is done before a GPU would be ready";
                return Ok((cpu()?, why.to_owned()));
            }
            match cuda(&[0]) {
                Ok(engine) => Ok((Box::new(engine), "a CUDA device was found".to_owned())),
                Err(fault) => Ok((cpu()?, format!("no CUDA device: {}", fault.what))),
            }
        }
    }
}
