//! Thresholds and counts that Truvari writes beside its calls.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::regular;

/// Thresholds, by the names of Truvari 5; `pctseq` was `pctsim` up to 3.x.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Params {
    pub(super) sizemin: Option<u64>,
    pub(super) refdist: Option<i64>,
    pub(super) bnddist: Option<i64>,
    pub(super) pctsize: f64,
    pub(super) pctseq: f64,
    pub(super) pctovl: f64,
    /// True if types need not agree.
    pub(super) typeignore: bool,
    /// True if genotypes must agree.
    pub(super) gtcomp: bool,
    pub(super) comparison: Option<String>,
    pub(super) truth: Option<String>,
}

/// The tool's own counts of the caller's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) file: String,
    pub(super) tp: u64,
    pub(super) fp: u64,
}

/// The most bytes of such a file that are read.
const LONGEST: u64 = 16 << 20;

impl Params {
    fn of(value: &Value) -> Self {
        let number = |key: &str| value.get(key).and_then(Value::as_f64);
        let whole = |key: &str| value.get(key).and_then(Value::as_i64);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            sizemin: value.get("sizemin").and_then(Value::as_u64),
            refdist: whole("refdist"),
            bnddist: whole("bnddist"),
            pctsize: number("pctsize").unwrap_or(0.0),
            pctseq: number("pctseq").or_else(|| number("pctsim")).unwrap_or(0.0),
            pctovl: number("pctovl").unwrap_or(0.0),
            typeignore: flag("typeignore"),
            gtcomp: flag("gtcomp"),
            comparison: text("cSample"),
            truth: text("bSample"),
        }
    }

    /// Reads `params.json`.
    ///
    /// # Errors
    /// A file that is no JSON object.
    pub(super) fn read(path: &Path) -> Result<Self> {
        Ok(Self::of(&object(path)?))
    }

    /// Reads the parameters that a log has: an object after `Params:`. `None` if it has none.
    pub(super) fn of_log(log: &str) -> Option<Self> {
        let (_, after) = log.split_once("Params:")?;
        let start = after.find('{')?;
        let mut values = serde_json::Deserializer::from_str(after.get(start..)?).into_iter();
        let value: Value = values.next()?.ok()?;
        value.get("sizemin").is_some().then(|| Self::of(&value))
    }
}

/// Returns the version that a log names: `Truvari v5.4.0`, `Truvari version: 3.5.0`.
pub(super) fn version_of_log(log: &str) -> Option<String> {
    let (_, after) = log.split_once("Truvari v")?;
    let after = after.strip_prefix("ersion: ").unwrap_or(after);
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
    after
        .get(..end)
        .filter(|v| !v.is_empty())
        .map(str::to_owned)
}

/// Reads a log; text that is not there is empty.
pub(super) fn log(path: &Path) -> String {
    let bytes = regular::bytes(path, LONGEST).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Summary {
    /// Reads a summary: `TP-comp` (`TP-call` up to 3.x) and `FP`.
    ///
    /// # Errors
    /// A file that is no JSON object. `None` if it lacks a count.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let value = object(path)?;
        let count = |key: &str| value.get(key).and_then(Value::as_u64);
        let tp = count("TP-comp").or_else(|| count("TP-call"));
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(tp.zip(count("FP")).map(|(tp, fp)| Self { file, tp, fp }))
    }
}

fn object(path: &Path) -> Result<Value> {
    let bytes = regular::bytes(path, LONGEST)?;
    // Python writes NaN, which JSON has not.
    let text = String::from_utf8_lossy(&bytes).replace("NaN", "null");
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(no_object(path, "another JSON value")),
        Err(error) => Err(no_object(path, &error.to_string())),
    }
}

fn no_object(path: &Path, found: &str) -> Error {
    Error::input(
        path.display().to_string(),
        "the whole file",
        found,
        "a JSON object, as Truvari writes it",
        "copy the folder again from where it was whole",
    )
}
