//! How a table would be read for calls.

use super::super::budget::CALL;
use super::super::fields::NAMES;
use super::super::naming::{CLASS, ID, Naming};
use super::super::source::Source;
use super::{Outline, Sink, read};
use crate::cohort::{Calls, ClassRule};
use crate::error::Result;

/// A table as it would be read for calls.
#[derive(Debug)]
pub(in crate::read) struct Look {
    pub(in crate::read) outline: Outline,
    /// The field that each column is read as.
    pub(in crate::read) fields: Vec<Option<&'static str>>,
    pub(in crate::read) calls: Calls,
    /// What is missing, and what is odd, a sentence each.
    pub(in crate::read) notes: Vec<String>,
}

impl Look {
    /// Reads a table; of a very long one the first calls are summed up.
    pub(in crate::read) fn at(source: &Source, rule: &ClassRule) -> Result<Self> {
        const MOST: usize = 10_000_000;
        let naming = Naming::of(rule);
        let rows = read(source, &mut Sink::new(source, 0, naming))?.rows;
        let mut sink = Sink::new(source, 0, naming);
        // What is summed up takes about as much again.
        let half = sink.budget.left() / 2;
        sink.budget.take(half, "the table", "calls")?;
        sink.most = rows.min(MOST).min((half / CALL) as usize);
        sink.sums_up = true;
        let outline = read(source, &mut sink)?;
        let columns = naming.columns(outline.columns.iter().map(String::as_str));
        let name = |field: Option<usize>| NAMES.get(field?).copied();
        let fields = columns.unwrap_or_default().into_iter().map(name).collect();
        let mut notes = sink.gathered.warnings("the table");
        let summed = sink.gathered.calls.len();
        if rows > summed {
            notes.push(format!("only the first {summed} calls are summed up"));
        }
        if sink.seen.get(CLASS) != Some(&true) {
            let column = rule.column();
            notes.push(format!(
                "there is no column of classes, {column}: every call would count as false"
            ));
        }
        if sink.seen.get(ID) != Some(&true) {
            notes.push("there is no column id: that calls and embeddings are in one order cannot be checked by it".to_owned());
        }
        Ok(Self {
            outline,
            fields,
            calls: sink.gathered.calls,
            notes,
        })
    }
}
