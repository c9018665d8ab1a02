//! The table of `truvari vcf2df -b`: true and false calls, and the truth's, in one.

use std::path::Path;

use super::account::{Counting, Fate};
use super::{BenchmarkCalls, tools};
use crate::cohort::{Call, ClassRule, Number};
use crate::error::Result;
use crate::read::metadata::{Table, count};
use crate::read::naming::Naming;
use crate::read::vcf::Span;

/// The column of labels, and that of positions from 0.
const STATE: &str = "state";
const START: &str = "start";

/// Reads the calls of a table.
pub(super) fn read(path: &Path) -> Result<BenchmarkCalls> {
    let rule = ClassRule::new(Some(STATE), &["tp".to_owned()]);
    let naming = Naming::of(&rule).with_pos(START);
    let table = Table::read_by(path, count(path)?, "the table", &rule, naming)?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let mut found = BenchmarkCalls {
        source: format!("{} ({name}: column {STATE})", tools::VCF2DF.name),
        paths: vec![path.to_owned()],
        ..BenchmarkCalls::default()
    };
    let mut counting = Counting::default();
    for row in 0..table.calls.len() {
        let call = table.calls.get(row);
        let (class, fate) = match call.truvari_class {
            Some("tp") => (Some("TP"), Fate::Labelled),
            Some("fp") => (Some("FP"), Fate::Labelled),
            Some(other) => (None, Fate::OtherLabel(other.to_owned())),
            None => (None, Fate::NoLabel),
        };
        let is_kept = fate.is_kept();
        counting.add((0, class, None, fate));
        if is_kept {
            push(&mut found, &call, class, &name);
        }
    }
    found.account = counting.finish(&[name], table.calls.len() as u64);
    let text = "alleles and reasons are not read from a table of vcf2df: the folder has both";
    found.warnings.push(text.to_owned().into());
    Ok(found)
}

fn push(found: &mut BenchmarkCalls, call: &Call<'_>, class: Option<&str>, file: &str) {
    let pos = call.pos.as_f64() as i64 + 1;
    let length = call.svlen.as_f64().abs() as i64;
    let is_breakend = call.svtype == Some("BND");
    let end = if is_breakend || call.svtype == Some("INS") {
        pos
    } else {
        pos.saturating_add(length)
    };
    found.calls.push(&Call {
        pos: Number::Int(pos),
        // Truvari counts the letters of a breakend's ALT.
        svlen: if is_breakend {
            Number::Int(0)
        } else {
            Number::Int(length)
        },
        truvari_class: class,
        ..*call
    });
    found.end.push(end);
    for column in &mut found.alleles {
        column.push(None);
    }
    found.span.push(Span {
        start: if is_breakend { pos - 1 } else { pos },
        end,
    });
    found.mate_id.push(None);
    found.reasons.push(None);
    found.file.push(Some(file));
}
