//! The content of a file, of whatever kind. Nothing in the file is executed.

mod formats;

use std::fmt;
use std::path::Path;

use super::ModelAnswers;
use super::calls::read_calls;
use super::embeddings::File;
use super::naming::Naming;
use super::sniff;
use super::source::Source;
use super::torch::{Container, TorchFile};
use super::tree::Node;
use crate::cohort::{Calls, ClassRule, Label, TextColumn};
use crate::error::Result;
use crate::rows::{EmbeddingsChoice, TakenEmbeddings};
use crate::sae::ModelAbout;
use crate::visible::visible;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// `zip` (torch 1.6 and later) or `legacy` (before); of files that torch did not write, their
    /// format.
    pub container: &'static str,
    /// The protocol of the pickle in it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pickle_protocol: Option<u8>,
    /// Keys, shapes, types and scalars, to a limited depth and width.
    pub content: Node,
    /// What the model is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelAbout>,
    /// What would be taken as embeddings, if it has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<TakenEmbeddings>,
    /// The calls, if it has `sv_info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<CallSummary>,
    /// Python names that are not known to be data: a reason to refuse the file as a model or
    /// as embeddings.
    pub foreign_names: Vec<ForeignName>,
    /// The parts that could not be read, one sentence each.
    pub notes: Vec<String>,
}

/// The number of calls, and of each kind, in the order in which kinds are first seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CallSummary {
    /// All calls.
    pub calls: usize,
    /// Calls that count as true.
    pub true_calls: usize,
    /// Calls by class; `None` where it is missing.
    pub classes: Vec<(Option<String>, u64)>,
    /// The label that the calls of each class count as.
    pub labels: Vec<Label>,
    /// Calls by SV type.
    pub svtypes: Vec<(Option<String>, u64)>,
    /// Calls by dataset.
    pub datasets: Vec<(Option<String>, u64)>,
}

/// A Python name that is not known to be data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ForeignName {
    /// `module.name`.
    pub name: String,
    /// The keys that lead to it.
    pub place: String,
}

/// Looks into any file that `torch.save` wrote, into files of embeddings, and tables of calls.
pub fn inspect(path: &Path) -> Result<Inspection> {
    inspect_by(path, &ClassRule::default())
}

/// What a model is, for a file or a folder that is one: as [`read_model_with`] reads it.
///
/// # Errors
/// A model that cannot be read, or leaves a question open.
///
/// [`read_model_with`]: super::read_model_with
pub fn inspect_model(path: &Path, answers: &ModelAnswers) -> Option<Result<ModelAbout>> {
    super::model::about(path, answers)
}

/// What would be taken as embeddings by this choice: key, type, shape and pooling. Returns `None` for a
/// file that holds no embeddings, where none were chosen.
///
/// # Errors
/// A choice that the file does not have; several matrices, or tokens, and no choice.
pub fn inspect_embeddings(
    path: &Path,
    choice: &EmbeddingsChoice,
) -> Option<Result<TakenEmbeddings>> {
    match super::embeddings::taken(path, choice) {
        Ok(taken) => Some(Ok(taken)),
        Err(error) => {
            let is_asked = !choice.is_none() || !error.proposals().is_empty();
            is_asked.then_some(Err(error))
        }
    }
}

/// As [`inspect()`], with the classes of calls in the column, or under the key, that `rule` names.
///
/// # Errors
/// A file that cannot be read.
pub fn inspect_by(path: &Path, rule: &ClassRule) -> Result<Inspection> {
    let source = Source::open(path)?;
    let head = source.head(sniff::HEAD)?;
    match formats::table(&source, &head, rule)? {
        Some(found) => Ok(found),
        None => formats::arrays(&File::open(path)?, &source, rule),
    }
}

fn torch(file: &TorchFile, rule: &ClassRule) -> Inspection {
    let mut notes = Vec::new();
    let info = file.document.get(file.document.root, "sv_info");
    let calls = info.and_then(
        |info| match read_calls(file, info, None, Naming::of(rule)) {
            Ok((calls, warnings)) => {
                notes.extend(warnings);
                Some(CallSummary::of(&calls, rule))
            }
            Err(error) => {
                notes.push(error.to_string());
                None
            }
        },
    );
    let foreign_names = file
        .foreign()
        .into_iter()
        .map(|foreign| ForeignName {
            name: foreign.name,
            place: foreign.place,
        })
        .collect();
    Inspection {
        file: file.name(),
        bytes: file.source.len(),
        container: match file.container {
            Container::Zip => "zip",
            Container::Legacy => "legacy",
        },
        pickle_protocol: Some(file.document.protocol),
        content: Node::of(file),
        model: None,
        embeddings: None,
        calls,
        foreign_names,
        notes,
    }
}

impl CallSummary {
    fn of(calls: &Calls, rule: &ClassRule) -> Self {
        let counts = |column: &TextColumn| -> Vec<(Option<String>, u64)> {
            let counts = column.counts(0..column.len());
            counts
                .into_iter()
                .map(|(value, n)| (value.map(str::to_owned), n))
                .collect()
        };
        Self {
            calls: calls.len(),
            true_calls: (0..calls.len())
                .filter(|&row| rule.label(calls.truvari_class.get(row)) == Label::Tp)
                .count(),
            labels: counts(&calls.truvari_class)
                .iter()
                .map(|(class, _)| rule.label(class.as_deref()))
                .collect(),
            classes: counts(&calls.truvari_class),
            svtypes: counts(&calls.svtype),
            datasets: counts(&calls.dataset),
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", visible(&self.file))?;
        let (container, bytes) = (self.container, self.bytes);
        match self.pickle_protocol {
            Some(protocol) => writeln!(
                f,
                "torch file: {container} container, pickle protocol {protocol}, {bytes} bytes\n"
            )?,
            None => writeln!(f, "{container}, {bytes} bytes\n")?,
        }
        write!(f, "{}", self.content)?;
        if let Some(model) = &self.model {
            write!(f, "\n{model}")?;
        }
        if let Some(taken) = &self.embeddings {
            writeln!(f, "\nembeddings: {}", visible(&taken.to_string()))?;
        }
        if let Some(calls) = &self.calls {
            writeln!(
                f,
                "\ncalls: {}, {} of them true",
                calls.calls, calls.true_calls
            )?;
            let count_as = |at: usize| match calls.labels.get(at) {
                Some(Label::Tp) => " (true)",
                _ => " (false)",
            };
            write_counts(f, "classes", &calls.classes, &count_as)?;
            write_counts(f, "SV types", &calls.svtypes, &|_| "")?;
            write_counts(f, "datasets", &calls.datasets, &|_| "")?;
        }
        if !self.foreign_names.is_empty() {
            writeln!(
                f,
                "\nPython names that are not data (nothing was executed):"
            )?;
        }
        for foreign in &self.foreign_names {
            writeln!(
                f,
                "  {} at {}",
                visible(&foreign.name),
                visible(&foreign.place)
            )?;
        }
        for note in &self.notes {
            writeln!(f, "note: {}", visible(note))?;
        }
        Ok(())
    }
}

fn write_counts(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    counts: &[(Option<String>, u64)],
    after: &dyn Fn(usize) -> &'static str,
) -> fmt::Result {
    const MOST: usize = 10;
    let shown: Vec<_> = counts
        .iter()
        .take(MOST)
        .enumerate()
        .map(|(at, (value, n))| {
            let value = visible(value.as_deref().unwrap_or("(missing)"));
            format!("{value} {n}{}", after(at))
        })
        .collect();
    let more = counts.len().saturating_sub(MOST);
    let rest = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    writeln!(f, "  {what}: {}{rest}", shown.join(", "))
}
