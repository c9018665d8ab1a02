//! The content of files in formats other than torch's.

use super::super::embeddings::File;
use super::super::metadata::Look;
use super::super::naming::svtype;
use super::super::safetensors::{Entry, SafeTensors};
use super::super::tensor::shape_text;
use super::super::{npz, sniff};
use super::{CallSummary, Inspection, Node};
use crate::cohort::ClassRule;
use crate::cohort::classes::Labels;
use crate::error::Result;
use crate::read::source::Source;
use crate::visible::visible;

/// Values of a level that are shown.
const WIDEST: usize = 40;

/// Describes the content of a file of arrays.
pub(super) fn arrays(file: &File, source: &Source, rule: &ClassRule) -> Result<Inspection> {
    Ok(match file {
        File::Torch(file) => super::torch(file, rule),
        File::Npy(array) => {
            let content = node("", "array", &array.header.describe());
            inspection(source, "NumPy array (.npy)", content)
        }
        File::Npz(_, archive) => {
            let mut content = node("", "archive", "");
            let all = npz::headers(source, archive)?;
            content.fill(all.iter().map(|(name, header)| {
                node(name.trim_end_matches(".npy"), "array", &header.describe())
            }));
            inspection(source, "NumPy archive (.npz)", content)
        }
        File::SafeTensors(file) => inspection(source, "safetensors", tensors(file)),
        #[cfg(feature = "parquet")]
        File::Parquet(table) => {
            let columns = table.columns.iter().map(|name| node(name, "column", ""));
            let mut content = node("", "table", "");
            content.fill(columns);
            inspection(source, "Parquet", content)
        }
        #[cfg(feature = "parquet")]
        File::Arrow(table) => {
            let mut content = node("", "table", &format!("{} rows", table.count()));
            content.fill(table.columns().iter().map(|name| node(name, "column", "")));
            inspection(source, "Arrow", content)
        }
    })
}

fn tensors(file: &SafeTensors) -> Node {
    let shape = |entry: &Entry| format!("{} {}", entry.dtype, shape_text(&entry.shape));
    let mut content = node("", "tensors", &file.tensors.len().to_string());
    let texts = file.metadata.iter();
    let texts = texts.map(|(key, text)| node(key, "text", text));
    let all = file.tensors.iter();
    let all = all.map(|(name, entry)| node(name, "tensor", &shape(entry)));
    content.fill(texts.chain(all));
    content
}

/// Describes the content of a table, and how it would be read. Returns `None` if the file does not
/// look like a table.
pub(super) fn table(source: &Source, head: &[u8], rule: &ClassRule) -> Result<Option<Inspection>> {
    // A first line of JSON may have known keys behind others, or none.
    let is_long = head.starts_with(b"{\"") && !head.contains(&b'\n');
    let more = if is_long {
        source.head(1 << 16)?
    } else {
        Vec::new()
    };
    let head = if is_long { &more } else { head };
    if !sniff::looks_like_a_table(head, source.len()) {
        return Ok(None);
    }
    let Look {
        outline,
        fields,
        mut calls,
        notes,
    } = Look::at(source, rule)?;
    let mut content = node("", "table", &format!("{} rows", outline.rows));
    let fields = fields.into_iter().chain(std::iter::repeat(None));
    let columns = outline.columns.iter().zip(fields);
    content.fill(columns.map(|(name, field)| {
        let detail = field.map_or("not used".to_owned(), |field| format!("read as {field}"));
        node(name, "column", &detail)
    }));
    calls.svtype = calls.svtype.renamed(svtype);
    let mut found = inspection(source, outline.format, content);
    found.calls = Some(CallSummary::of(&calls, rule));
    found.notes = notes;
    let labels = Labels::of(
        calls
            .truvari_class
            .counts(0..calls.len())
            .into_iter()
            .map(|(name, n)| (name.map(str::to_owned), n))
            .collect(),
    );
    if let Err(error) = labels.check(&source.name(), rule) {
        found.notes.push(error.to_string());
    }
    Ok(Some(found))
}

impl Node {
    fn fill(&mut self, mut children: impl Iterator<Item = Self>) {
        self.children = children.by_ref().take(WIDEST).collect();
        self.more = children.count();
    }
}

fn node(key: &str, kind: &str, detail: &str) -> Node {
    const LONGEST: usize = 200;
    let detail: String = detail.chars().take(LONGEST).collect();
    Node {
        key: key.to_owned(),
        kind: kind.to_owned(),
        detail: visible(&detail).into_owned(),
        children: Vec::new(),
        more: 0,
    }
}

fn inspection(source: &Source, container: &'static str, content: Node) -> Inspection {
    Inspection {
        file: source.name(),
        bytes: source.len(),
        container,
        pickle_protocol: None,
        content,
        model: None,
        embeddings: None,
        calls: None,
        foreign_names: Vec::new(),
        notes: Vec::new(),
    }
}
