//! The contents of a torch file, as a tree of keys.

use std::fmt;

use super::pickle::{Id, Value};
use super::plain::{describe_array, numpy_scalar};
use super::tensor::shape_text;
use super::torch::{Description, TorchFile, callable_path};

/// A value of a torch file: its kind, and the values in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Node {
    /// The key or index of the value; empty at the top.
    pub key: String,
    /// The value's kind: `dict`, `list`, `tensor`, `int`, a Python name, …
    pub kind: String,
    /// A scalar's value, a tensor's type and shape, a container's length.
    pub detail: String,
    /// The first values in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
    /// The number of values that are not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The most levels, and the most values of a level, that are shown.
const DEEPEST: usize = 4;
const WIDEST: usize = 40;
/// The most values that are shown in all.
const MOST: usize = 2000;

impl Node {
    pub(super) fn of(file: &TorchFile) -> Self {
        Self::new(file, String::new(), file.document.root, 0, &mut { MOST })
    }

    fn new(file: &TorchFile, key: String, id: Id, depth: usize, left: &mut usize) -> Self {
        let (kind, detail) = describe(file, id);
        let mut node = Self {
            key,
            kind,
            detail,
            children: Vec::new(),
            more: 0,
        };
        *left = left.saturating_sub(1);
        if depth < DEEPEST {
            node.add_children(file, id, depth, left);
        }
        node
    }

    fn add_children(&mut self, file: &TorchFile, id: Id, depth: usize, left: &mut usize) {
        let document = &file.document;
        if let Some(entries) = document.entries(id) {
            for (count, (key, value)) in entries.enumerate() {
                if count < WIDEST && *left > 0 {
                    let name = match document.text(key) {
                        Some(text) => text.into_owned(),
                        None => describe(file, key).1,
                    };
                    self.children
                        .push(Self::new(file, name, value, depth + 1, left));
                } else {
                    self.more += 1;
                }
            }
        } else if let Some(mut items) = document.items(id)
            && matches!(document.value(id), Value::List(_))
            && let Some(first) = items.next()
            // The first record of a list stands for all; lists of numbers show none.
            && document.entries(first).is_some()
        {
            self.children
                .push(Self::new(file, "[0]".to_owned(), first, depth + 1, left));
            self.more = items.count();
        }
    }
}

/// Describes a value's kind, and its content in a few words.
fn describe(file: &TorchFile, id: Id) -> (String, String) {
    let document = &file.document;
    let kind = |name: &str, detail: String| (name.to_owned(), detail);
    match document.value(id) {
        Value::None => kind("None", String::new()),
        Value::Bool(flag) => kind("bool", if flag { "True" } else { "False" }.to_owned()),
        Value::Int(n) => kind("int", n.to_string()),
        Value::Long(..) => kind("int", "beyond 64 bits".to_owned()),
        Value::Float(x) => kind("float", crate::python::repr(x)),
        Value::Str(..) => kind("str", quoted(&document.text(id).unwrap_or_default())),
        Value::Bytes(_, len) => kind("bytes", format!("{len} bytes")),
        Value::Tuple(_, len) => kind("tuple", plural(len as usize, "item")),
        Value::List(chain) => kind("list", plural(document.pool.iter(chain).count(), "item")),
        Value::Set(chain) => kind("set", plural(document.pool.iter(chain).count(), "item")),
        Value::Dict(chain) => kind("dict", plural(document.pool.iter(chain).count() / 2, "key")),
        Value::Persistent(_) => kind("storage", String::new()),
        Value::Global(_) => kind(
            "Python name",
            document
                .global(id)
                .map(super::pickle::Global::path)
                .unwrap_or_default(),
        ),
        Value::Object(_) => describe_object(file, id),
    }
}

fn describe_object(file: &TorchFile, id: Id) -> (String, String) {
    let document = &file.document;
    if let Some(tensor) = Description::read(document, id) {
        let detail = format!("{} {}", tensor.dtype_name(), shape_text(&tensor.shape));
        return ("tensor".to_owned(), detail);
    }
    if let Some(scalar) = numpy_scalar(document, id) {
        return ("numpy scalar".to_owned(), scalar.into_text());
    }
    if let Some((shape, dtype)) = describe_array(document, id) {
        return (
            "numpy array".to_owned(),
            format!("{dtype} {}", shape_text(&shape)),
        );
    }
    let Some(object) = document.object(id) else {
        return ("object".to_owned(), String::new());
    };
    let name = callable_path(document, object);
    if let Some(entries) = document.entries(id) {
        return (name, plural(entries.count(), "key"));
    }
    ("object".to_owned(), name)
}

fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Node {
    /// Writes one line a value, with children indented below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tree has at most `DEEPEST` levels, so recursion is bounded.
        self.write(f, 0)
    }
}

impl Node {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = 2 * depth;
        let key: String = self.key.chars().flat_map(char::escape_debug).collect();
        let name = if key.is_empty() { "(top)" } else { &key };
        let kind: String = self.kind.chars().flat_map(char::escape_debug).collect();
        writeln!(f, "{:indent$}{name}: {kind} {}", "", self.detail)?;
        for child in &self.children {
            child.write(f, depth + 1)?;
        }
        if self.more > 0 {
            writeln!(f, "{:indent$}  … and {} more", "", self.more)?;
        }
        Ok(())
    }
}
