//! One line of the doctor's report.

use std::fmt;

use serde::Serialize;

use crate::engine::cuda::{Fault, FaultKind};

/// How wide the column of what is checked is.
const WIDTH: usize = 18;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// A remark: no fault, but worth knowing.
    Note,
    /// Not there, or not whole.
    Missing,
    /// There, and it does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    pub(super) status: Status,
    /// The thing that was looked at.
    pub(super) what: String,
    /// The finding, in one line.
    pub(super) found: String,
    /// The advice on what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<&'static str>,
    /// The same as numbers, where there are some.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub(super) details: serde_json::Value,
    /// True if this is a device.
    #[serde(skip)]
    pub(super) is_device: bool,
}

impl Check {
    /// Something that is as it should be.
    pub(super) fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            what: what.into(),
            found: found.into(),
            action: None,
            details: serde_json::Value::Null,
            is_device: false,
        }
    }

    /// Something that is worth knowing.
    pub(super) fn note(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            status: Status::Note,
            ..Self::ok(what, found)
        }
    }

    /// Something that is missing or does not work.
    pub(super) fn fault(what: impl Into<String>, fault: &Fault) -> Self {
        let status = match fault.kind {
            FaultKind::Missing => Status::Missing,
            FaultKind::NoMemory | FaultKind::Failed => Status::Failed,
        };
        // A driver's or compiler's words could have more than one line.
        let found: Vec<_> = fault.what.split_whitespace().collect();
        Self {
            status,
            action: Some(fault.action),
            ..Self::ok(what, found.join(" "))
        }
    }

    /// With numbers.
    pub(super) fn with(self, details: serde_json::Value) -> Self {
        Self { details, ..self }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Note => "note",
            Status::Missing => "missing",
            Status::Failed => "FAILED",
        };
        writeln!(f, "{status:<8} {:<WIDTH$} {}", self.what, self.found)?;
        if let Some(action) = self.action {
            writeln!(f, "{:<8} {:<WIDTH$} to do: {action}", "", "")?;
        }
        Ok(())
    }
}
