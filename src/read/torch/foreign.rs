//! Objects that are not data: their names, which of them are ignored, and which make the file
//! unsafe to load. None is ever made.

use super::super::pickle::{Document, Foreign, Id, Object, foreign_globals, harmful_call};
use super::super::plain::type_in_words;
use super::{Description, TorchFile};
use crate::error::Result;

impl TorchFile {
    /// Returns an error if Python would run a command when it loads the file.
    pub(crate) fn refuse_harmful(&self) -> Result<()> {
        match harmful_call(&self.document) {
            None => Ok(()),
            Some(call) => Err(self.bad(
                &call.place,
                format!("a call of {}", call.name),
                "tensors, numpy arrays and plain Python values",
                "nothing was executed here, but loading this file in Python may run commands: ask \
                 whoever made it",
            )),
        }
    }

    /// Lists the names that are not known to be data.
    pub(crate) fn foreign(&self) -> Vec<Foreign> {
        foreign_globals(&self.document)
    }

    /// Writes a sentence about objects of the file that are not data and were not needed.
    pub(crate) fn passed_over(&self) -> Option<String> {
        const SHOWN: usize = 5;
        let foreign = self.foreign();
        let shown: Vec<_> = foreign
            .iter()
            .take(SHOWN)
            .map(|foreign| format!("{} at {}", foreign.name, foreign.place))
            .collect();
        let more = match foreign.len().checked_sub(SHOWN) {
            None | Some(0) => String::new(),
            Some(more) => format!(", and {more} more"),
        };
        (!foreign.is_empty()).then(|| {
            format!(
                "{}: Python objects that are not needed were passed over, and nothing was executed: \
                 {}{more}",
                self.name(),
                shown.join(", ")
            )
        })
    }

    /// Describes a value for a message: an object by its class.
    pub(crate) fn kind(&self, id: Id) -> String {
        let document = &self.document;
        if let Some(global) = document.global(id) {
            return format!("the Python name {}", global.path());
        }
        let Some(object) = document.object(id) else {
            return document.kind(id).to_owned();
        };
        if Description::read(document, id).is_some() {
            return "a tensor".to_owned();
        }
        if let Some(array) = type_in_words(document, id) {
            return array;
        }
        match document.callable(object) {
            ("torch._utils", "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor") => {
                "a sparse tensor".to_owned()
            }
            (
                "builtins" | "__builtin__",
                name @ ("set" | "frozenset" | "complex" | "slice" | "range" | "bytearray"),
            ) => format!("a {name}"),
            ("torch._utils", "_rebuild_qtensor") => "a quantised tensor".to_owned(),
            ("torch._utils", "_rebuild_nested_tensor") => "a nested tensor".to_owned(),
            ("torch._utils", "_rebuild_meta_tensor_no_storage") => {
                "a tensor on the device meta, without numbers".to_owned()
            }
            _ => match class(document, object) {
                Some(class) if self.is_module(object) => {
                    format!("a whole torch.nn.Module ({class})")
                }
                Some(class) => format!("an object of {class}"),
                None => "an object".to_owned(),
            },
        }
    }

    /// Says whether an object has the state of a `torch.nn.Module`.
    pub(super) fn is_module(&self, object: &Object) -> bool {
        let has = |key| self.document.get(object.state, key).is_some();
        has("_parameters") && has("_modules")
    }
}

/// Returns the class of an object: the name that is called, or the class that a function of pickle
/// or torch is to make.
fn class(document: &Document, object: &Object) -> Option<String> {
    let args = document.args(object);
    let of = match document.callable(object) {
        ("copyreg" | "copy_reg", "_reconstructor" | "__newobj__" | "__newobj_ex__") => args.first(),
        ("torch._tensor", "_rebuild_from_type_v2") => args.get(1),
        ("", "") => None,
        (module, name) => return Some(format!("{module}.{name}")),
    };
    document
        .global(*of?)
        .map(super::super::pickle::Global::path)
}
