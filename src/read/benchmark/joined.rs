//! A benchmark's calls in the order of rows of embeddings.

use std::ops::Range;

use super::BenchmarkCalls;
use super::identities::{RowIdentities, identity};
use crate::cohort::{Ambiguous, Call, Identity, JoinSide, Joined, NO_CALL, TextColumn, join};
use crate::error::{Choice, Error, Proposal, Result, Warning};
use crate::read::vcf::Span;

/// Calls in the order of rows, and how they came there.
#[derive(Debug, Clone)]
pub struct JoinedCalls {
    /// One call a row; a row without one has the class [`NO_CALL`].
    pub calls: BenchmarkCalls,
    /// Which call each row has, and by which key.
    pub joined: Joined,
}

impl BenchmarkCalls {
    /// Puts the calls in the order of rows. `source` is the name, in messages, of what says which rows
    /// these are.
    ///
    /// # Errors
    /// Rows or calls that cannot be told apart, and fewer than `least` of a hundred rows with a call.
    pub fn in_order_of(
        &self,
        rows: &RowIdentities,
        source: &str,
        least: f64,
    ) -> Result<JoinedCalls> {
        let own = |call| identity(&self.calls, Some(&self.alleles), true, call);
        let calls: JoinSide = (0..self.len()).map(own).collect();
        let of_rows: JoinSide = (0..rows.len()).map(|row| rows.identity(row)).collect();
        let joined = join(&of_rows, &calls).map_err(|two| {
            let shown = two.two.map(|at| {
                if two.are_rows {
                    rows.identity(at)
                } else {
                    own(at)
                }
            });
            ambiguous(two, shown, source)
        })?;
        let share = 100.0 * joined.joined() as f64 / rows.len().max(1) as f64;
        if share < least {
            return Err(too_few(&joined, rows.len(), source, least));
        }
        let mut calls = self.reordered(rows, &joined);
        calls
            .warnings
            .extend(warning(&joined, rows.len()).map(Warning::from));
        Ok(JoinedCalls { calls, joined })
    }

    /// Returns some of the calls, without the account.
    #[must_use]
    pub fn part(&self, rows: Range<usize>) -> Self {
        let mut part = Self {
            source: self.source.clone(),
            sample: self.sample.clone(),
            paths: self.paths.clone(),
            kept: self.empty_kept(),
            ..Self::default()
        };
        rows.for_each(|row| part.push_of(self, row, None));
        part
    }

    /// The keys that are kept, without values.
    fn empty_kept(&self) -> Vec<(String, TextColumn)> {
        let keys = self.kept.iter();
        keys.map(|(key, _)| (key.clone(), TextColumn::default()))
            .collect()
    }

    fn reordered(&self, rows: &RowIdentities, joined: &Joined) -> Self {
        let mut found = Self {
            account: self.account.clone(),
            source: self.source.clone(),
            sample: self.sample.clone(),
            paths: self.paths.clone(),
            warnings: self.warnings.clone(),
            kept: self.empty_kept(),
            ..Self::default()
        };
        for (row, call) in joined.call.iter().enumerate() {
            match call {
                Some(call) => found.push_of(self, *call, rows.calls.get(row).id),
                None => found.push_row(rows, row),
            }
        }
        for &call in &joined.calls_left {
            let (file, of) = (self.file.get(call), self.calls.get(call));
            found
                .account
                .take_from_kept(file, of.truvari_class, of.reason);
        }
        found
    }

    /// Appends a call of others, with the row's own ID if it has one.
    fn push_of(&mut self, from: &Self, call: usize, id: Option<&str>) {
        let of = from.calls.get(call);
        let id = id.filter(|id| !matches!(*id, "" | "." | "None")).or(of.id);
        self.calls.push(&Call { id, ..of });
        self.end
            .push(from.end.get(call).copied().unwrap_or_default());
        for (to, from) in self.alleles.iter_mut().zip(&from.alleles) {
            to.push(from.get(call));
        }
        let none = Span { start: 0, end: 0 };
        self.span.push(from.span.get(call).copied().unwrap_or(none));
        self.mate_id.push(from.mate_id.get(call));
        self.reasons.push(from.reasons.get(call));
        self.file.push(from.file.get(call));
        for ((_, to), (_, from)) in self.kept.iter_mut().zip(&from.kept) {
            to.push(from.get(call));
        }
    }

    /// Appends a row that no call belongs to.
    fn push_row(&mut self, rows: &RowIdentities, row: usize) {
        let call = rows.calls.get(row);
        let pos = call.pos.as_f64() as i64;
        self.calls.push(&Call {
            truvari_class: Some(NO_CALL),
            ..call
        });
        self.end.push(pos);
        for column in &mut self.alleles {
            column.push(None);
        }
        self.span.push(Span {
            start: pos,
            end: pos,
        });
        self.mate_id.push(None);
        self.reasons.push(None);
        self.file.push(None);
        for (_, column) in &mut self.kept {
            column.push(None);
        }
    }
}

/// Says how many rows were joined by which key, and how many were not.
pub(super) fn by_keys(joined: &Joined, rows: usize) -> String {
    let each = joined.by.iter().filter(|(count, _)| *count > 0);
    let each =
        each.map(|(count, key)| format!("{count} by {}", key.map_or("nothing", |key| key.words())));
    let each: Vec<String> = each.collect();
    let (without, left) = (rows - joined.joined(), joined.calls_left.len());
    format!(
        "of {rows} rows {} have a call ({}), {without} have none, and {left} calls have no row",
        joined.joined(),
        if each.is_empty() {
            "none by any key".to_owned()
        } else {
            each.join(", ")
        }
    )
}

impl JoinedCalls {
    /// Says how many rows were joined by which key, and how many were not.
    pub fn words(&self) -> String {
        by_keys(&self.joined, self.calls.len())
    }
}

fn warning(joined: &Joined, rows: usize) -> Option<String> {
    let without = rows - joined.joined();
    let repeat = if joined.ids_repeat {
        "; IDs repeat, and join nothing"
    } else {
        ""
    };
    (without > 0).then(|| {
        format!("{without} rows have no call, and are dropped where the table is analyzed{repeat}")
    })
}

fn shown(identity: Identity<'_>) -> String {
    let chrom = identity.chrom.unwrap_or("?");
    let pos = identity.pos.map_or("?".to_owned(), |pos| pos.to_string());
    let id = identity.id.map(|id| format!(" ({id})")).unwrap_or_default();
    format!("{chrom}:{pos}{id}")
}

fn ambiguous(two: Ambiguous, are: [Identity<'_>; 2], source: &str) -> Error {
    let name = if two.are_rows { "rows" } else { "calls" };
    let [first, second] = are.map(shown);
    let [a, b] = two.two;
    let (of_rows, of_calls) = two.counts;
    Error::input(
        source,
        format!("{name} {a} and {b}, counted from 0"),
        format!(
            "{first} and {second} of one {}, {of_rows} rows and {of_calls} calls that cannot be told apart",
            two.key.words()
        ),
        "as many of both, of one label",
        "give rows and calls IDs of their own, or alleles",
    )
}

fn too_few(joined: &Joined, rows: usize, source: &str, least: f64) -> Error {
    let first = joined
        .call
        .iter()
        .position(Option::is_none)
        .unwrap_or_default();
    Error::input(
        source,
        format!("row {first}, counted from 0, the first without a call"),
        by_keys(joined, rows),
        format!("a call for at least {least} % of the rows"),
        "give what says which calls the rows are, or accept fewer",
    )
    .proposing([Proposal::of(Choice::MinJoined)])
}
