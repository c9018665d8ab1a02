//! The GPU engine against the CPU engine, on simulated data.

use super::{CudaEngine, CudaOptions, Fault, Format, ScreenChoice};
use crate::control::Control;
use crate::engine::{CpuEngine, Encoded, Engine, EngineOptions};
use crate::error::{Error, Result as CrateResult};
use crate::rows::SliceRows;
use crate::simulate::{SimulateOptions, Simulated, SimulatedActivation, simulate_in_memory};
use crate::tally::Strata;

/// Calls, D, F, k: sides that are multiples of nothing, and several chunks of features; and the rule by
/// which atoms fire.
const SHAPES: [([usize; 4], SimulatedActivation); 4] = [
    ([1500, 203, 1031, 13], SimulatedActivation::TopK),
    ([300, 97, 9001, 64], SimulatedActivation::TopK),
    ([300, 203, 1031, 13], SimulatedActivation::TopKRelu),
    ([300, 97, 5003, 33], SimulatedActivation::JumpRelu),
];

const ACTION: &str = "do not use this device: use --device cpu, and report this with the output of `atomscope doctor`";

/// Encodes simulated cohorts on device `ordinal` with every screen, and compares firing sets and counts
/// with the CPU's. Says in a sentence what agreed.
///
/// # Errors
/// A device that cannot be used, that fails, or that differs.
pub fn self_test(ordinal: u32) -> Result<String, Fault> {
    let mut rows = 0;
    for shape in SHAPES {
        let cohort = simulated(shape).map_err(|error| own(&error))?;
        let expected = encode(&cohort, &mut |options| {
            CpuEngine::new(&cohort.sae, options).map(|engine| Box::new(engine) as Box<dyn Engine>)
        })
        .map_err(|error| own(&error))?;
        for format in [Format::Half, Format::Split, Format::Single] {
            let found = encode(&cohort, &mut |options| {
                let options = EngineOptions {
                    cuda: CudaOptions {
                        screen: ScreenChoice::Fixed(format),
                        ..CudaOptions::default()
                    },
                    ..options.clone()
                };
                CudaEngine::new(&[ordinal], &cohort.sae, &options)
                    .map(|engine| Box::new(engine) as Box<dyn Engine>)
                    .map_err(|fault| fault.of_device(format!("cuda:{ordinal}")))
            })
            .map_err(|error| own(&error))?;
            compare(&expected, &found, format)?;
        }
        rows += shape.0[0];
    }
    Ok(format!(
        "{rows} simulated calls, three rules, three screens: the same firing sets and counts as the CPU's"
    ))
}

fn simulated(
    ([rows, d, f, k], activation): ([usize; 4], SimulatedActivation),
) -> CrateResult<Simulated> {
    simulate_in_memory(&SimulateOptions {
        activation,
        ..SimulateOptions::new(rows, d, f, k, 7)
    })
}

fn encode<'a>(
    cohort: &'a Simulated,
    open: &mut dyn FnMut(&EngineOptions) -> CrateResult<Box<dyn Engine>>,
) -> CrateResult<Encoded> {
    let rows = SliceRows::new(&cohort.embeddings, cohort.sae.input_dim())?;
    let strata = Strata::of_calls(&cohort.calls);
    open(&EngineOptions::default())?.encode(&rows, &strata, &Control::default())
}

fn own(error: &Error) -> Fault {
    match error {
        Error::Device { reason, action, .. } => Fault::failed(reason.clone(), action),
        other => Fault::failed(other.to_string(), ACTION),
    }
}

fn compare(expected: &Encoded, found: &Encoded, format: Format) -> Result<(), Fault> {
    let (of_cpu, of_gpu) = (&expected.fires, &found.fires);
    let pairs = of_cpu.all().iter().zip(of_gpu.all().iter());
    let differing = pairs.filter(|(a, b)| a != b).count();
    let rows = of_cpu.rows();
    if differing > 0 || rows != of_gpu.rows() {
        let what = format!(
            "{differing} of {rows} firing sets differ from the CPU's, with the {format} screen"
        );
        return Err(Fault::failed(what, ACTION));
    }
    let strata = 0..expected.tally.table().len();
    let counts_agree = strata
        .map(|s| (expected.tally.counts(s), found.tally.counts(s)))
        .all(|(a, b)| a == b);
    if !counts_agree || expected.tally.rows() != found.tally.rows() {
        let what = format!("counts differ from the CPU's, with the {format} screen");
        return Err(Fault::failed(what, ACTION));
    }
    Ok(())
}
