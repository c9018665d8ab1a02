//! All kernels, compiled for a device and loaded onto it.

use std::sync::Arc;

use super::coactivate::Coactivate;
use super::driver::{Device, Module};
use super::fault::Fault;
use super::input::InputSteps;
use super::nvrtc;
use super::rescore::Rescore;
use super::rule::Rule;
use super::select::{RULE_GROUPS, Select};
use super::select_groups::SelectGroups;
use super::select_threshold::SelectThreshold;
use super::tally::Resolve;
use super::whiten::Whiten;

/// The kernels of a device, by family.
#[derive(Debug)]
pub struct Kernels {
    /// `kernels/whiten.cu`.
    pub whiten: Whiten,
    /// `kernels/input.cu`.
    pub input: InputSteps,
    /// `kernels/select.cu`.
    pub select: Select,
    /// `kernels/select_groups.cu`.
    pub select_groups: SelectGroups,
    /// `kernels/select_threshold.cu`.
    pub select_threshold: SelectThreshold,
    /// `kernels/rescore.cu`.
    pub rescore: Rescore,
    /// `kernels/tally.cu`.
    pub resolve: Resolve,
    /// `kernels/coactivate.cu`.
    pub coactivate: Coactivate,
}

impl Kernels {
    /// Loads every family, from the cache on disk or compiled anew.
    ///
    /// # Errors
    /// NVRTC is missing or does not know the device; the device refuses what it compiled.
    pub fn load(device: &Arc<Device>) -> Result<Self, Fault> {
        let module = |name| module(device, name);
        Ok(Self {
            whiten: Whiten::new(&module("whiten")?)?,
            input: InputSteps::new(&module("input")?, device.info())?,
            select: Select::new(&module("select")?, device.info())?,
            select_groups: SelectGroups::new(&module("select_groups")?, device.info())?,
            select_threshold: SelectThreshold::new(&module("select_threshold")?)?,
            rescore: Rescore::new(&module("rescore")?, device.info())?,
            resolve: Resolve::new(&module("tally")?, device.info())?,
            coactivate: Self::load_coactivate(device)?,
        })
    }

    /// Says whether rows of a model with this rule are screened. If not, they are scored in full.
    pub fn can_select(&self, rule: Rule) -> bool {
        match rule {
            Rule::Largest { k, flags } if flags & RULE_GROUPS != 0 => {
                self.select_groups.can_select(k)
            }
            Rule::Largest { k, .. } => self.select.can_select(k),
            Rule::Thresholds | Rule::Cut => true,
        }
    }

    /// Loads the kernel that counts pairs, alone.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_coactivate(device: &Arc<Device>) -> Result<Coactivate, Fault> {
        Coactivate::new(&module(device, "coactivate")?)
    }
}

fn module(device: &Arc<Device>, name: &str) -> Result<Arc<Module>, Fault> {
    let family = nvrtc::FAMILIES
        .iter()
        .find(|family| family.name == name)
        .ok_or_else(|| {
            Fault::failed(
                format!("this program lacks its own {name} kernels"),
                "build it again",
            )
        })?;
    let cubin = nvrtc::cubin(family, device.info().architecture())?;
    Module::load(device, &cubin, name)
}
