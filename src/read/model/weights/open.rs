//! Opening a file of weights: the names, shapes and places of its tensors, whatever its format.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value;

use super::{At, Container, Named, Weights};
use crate::error::{Error, Result};
use crate::read::model::inner;
use crate::read::pickle::{Document, Id};
use crate::read::safetensors::{SafeTensors, is_safetensors};
use crate::read::sniff::Zip;
use crate::read::source::Source;
use crate::read::torch::{Description, TorchFile};
use crate::read::zipped::Archive;
use crate::read::{npz, sniff};

/// Keys that hold a state dict.
const STATE_DICTS: [&str; 3] = ["model_state_dict", "state_dict", "sae"];

/// Prefixes that wrappers put before every name.
const PREFIXES: [&str; 3] = ["module.", "_orig_mod.", "sae_model."];

impl Weights {
    /// Opens a file, and reads names and shapes. Returns `None` if it is of no format that holds
    /// tensors.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or would run commands in Python.
    pub(in crate::read::model) fn open(path: &Path) -> Result<Option<Self>> {
        let source = Source::open(path)?;
        let head = source.head(sniff::HEAD)?;
        if is_safetensors(&head, source.len()) {
            let file = SafeTensors::open(&source)?;
            return Ok(Some(Self::of_safetensors(source, file)));
        }
        if sniff::is_zip(&head) {
            let archive = Archive::open(&source)?;
            let names = archive.names();
            return match sniff::zip_of(&names) {
                Zip::Torch if names.iter().any(|name| name.contains("/code/")) => {
                    Err(torch_script(&source))
                }
                Zip::Torch => Self::of_torch(TorchFile::of_archive(source, archive)?).map(Some),
                Zip::Arrays => Self::of_npz(source, archive).map(Some),
                Zip::Other => Ok(None),
            };
        }
        if crate::read::torch::is_legacy(&head) {
            return Self::of_torch(TorchFile::of_stream(source, &head)?).map(Some);
        }
        Ok(None)
    }

    fn of_safetensors(source: Source, file: SafeTensors) -> Self {
        let named = |(name, entry): (&String, &crate::read::safetensors::Entry)| Named {
            full: name.clone(),
            at: At::SafeTensors(name.clone()),
            shape: entry.shape.clone(),
            dtype: entry.dtype.clone(),
        };
        let mut all: Vec<_> = file.tensors.iter().map(named).collect();
        // Tensors that share memory are written once; the header says under which name.
        for (name, kept) in &file.metadata {
            if let (false, Some(entry)) = (file.tensors.contains_key(name), file.tensors.get(kept))
            {
                all.push(Named {
                    full: name.clone(),
                    ..named((kept, entry))
                });
            }
        }
        let metadata = file.metadata.iter();
        let beside = metadata
            .map(|(key, text)| (key.clone(), Value::from(text.clone())))
            .collect();
        let names = by_plain_name(all);
        let container = Container::SafeTensors(file);
        Self::new(source, container, names, Value::Object(beside), "")
    }

    fn of_npz(source: Source, archive: Archive) -> Result<Self> {
        let named = |(name, header): (String, crate::read::npy::Header)| Named {
            full: name.trim_end_matches(".npy").to_owned(),
            at: At::Npz(name),
            dtype: header.descr.clone(),
            shape: header.shape,
        };
        let headers = npz::headers(&source, &archive)?;
        let names = by_plain_name(headers.into_iter().map(named).collect());
        let container = Container::Npz(archive);
        Ok(Self::new(source, container, names, Value::Null, ""))
    }

    fn of_torch(file: TorchFile) -> Result<Self> {
        file.refuse_harmful()?;
        let document = &file.document;
        let root = document.root;
        let held = STATE_DICTS
            .into_iter()
            .find_map(|key| Some((key, document.get(root, key)?)))
            .filter(|&(_, id)| document.entries(id).is_some());
        let (within, dict) = held.unwrap_or(("", root));
        let second = STATE_DICTS
            .into_iter()
            .filter(|&key| key != within && !within.is_empty())
            .find(|key| {
                let other = document.get(root, key);
                other.is_some_and(|other| other != dict && has_one_name(document, dict, other))
            });
        let mut all = Vec::new();
        for (key, id) in document.entries(dict).into_iter().flatten() {
            let Some(name) = document.text(key) else {
                continue;
            };
            if let Some(tensor) = Description::read(document, id) {
                all.push(Named {
                    full: name.into_owned(),
                    at: At::Torch(id),
                    dtype: tensor.dtype_name(),
                    shape: tensor.shape.iter().map(|&n| n as usize).collect(),
                });
            }
        }
        let mut beside = inner::values(&file, root)?;
        if dict != root
            && let (Value::Object(to), Value::Object(from)) =
                (&mut beside, inner::values(&file, dict)?)
        {
            to.extend(from);
        }
        let (source, (tensors, twice)) = (file.source.clone(), by_plain_name(all));
        let twice = twice.or(second.map(|second| [within.to_owned(), second.to_owned()]));
        let container = Container::Torch(Box::new(file));
        Ok(Self::new(
            source,
            container,
            (tensors, twice),
            beside,
            within,
        ))
    }

    pub(super) fn new(
        source: Source,
        container: Container,
        (tensors, twice): (IndexMap<String, Named>, Option<[String; 2]>),
        beside: Value,
        within: &'static str,
    ) -> Self {
        Self {
            source,
            container,
            tensors,
            beside,
            within,
            twice,
            used: std::cell::RefCell::default(),
        }
    }
}

/// Says whether a tensor of one mapping has a namesake in the other.
fn has_one_name(document: &Document, one: Id, other: Id) -> bool {
    document
        .entries(one)
        .into_iter()
        .flatten()
        .any(|(key, id)| {
            let namesake = document
                .text(key)
                .and_then(|name| document.get(other, &name));
            let is_tensor = |id| Description::read(document, id).is_some();
            is_tensor(id) && namesake.is_some_and(is_tensor)
        })
}

/// Names without the prefixes of wrapped models, of which the plain name goes first; and two names of
/// one parameter, if there are such.
pub(super) fn by_plain_name(all: Vec<Named>) -> (IndexMap<String, Named>, Option<[String; 2]>) {
    let mut tensors = IndexMap::<String, Named>::new();
    let mut twice = None;
    for named in all {
        let mut plain = named.full.as_str();
        while let Some(rest) = PREFIXES
            .iter()
            .find_map(|prefix| plain.strip_prefix(prefix))
        {
            plain = rest;
        }
        let plain = plain.to_owned();
        let other = tensors.get(&plain);
        if let Some(other) = other.filter(|other| !other.at.is_same(&named.at)) {
            twice = twice.or_else(|| Some([other.full.clone(), named.full.clone()]));
        }
        if plain == named.full || other.is_none() {
            tensors.insert(plain, named);
        }
    }
    let Some(prefix) = prefix_of_encoder(&tensors) else {
        return (tensors, twice);
    };
    let without = |name: String| match name.strip_prefix(&prefix) {
        Some(rest) => rest.to_owned(),
        None => name,
    };
    let tensors = tensors
        .into_iter()
        .map(|(name, named)| (without(name), named))
        .collect();
    (tensors, twice)
}

/// The name of the module that an encoder is a part of, as in a trainer's state dict, with its dot;
/// `None` if it is a part of none, or there are several.
fn prefix_of_encoder(tensors: &IndexMap<String, Named>) -> Option<String> {
    const ENCODERS: [&str; 5] = [
        "encoder.weight",
        "encoder.0.weight",
        "encoder_linear.weight",
        "W_enc",
        "w_enc",
    ];
    let prefix = |name: &String| {
        ENCODERS
            .iter()
            .find_map(|end| Some(name.strip_suffix(end)?.to_owned()))
    };
    let mut found = tensors.keys().filter_map(prefix);
    let first = found.next()?;
    let is_module = first.ends_with('.') && found.all(|other| other == first);
    // No two names may become one.
    let is_free = |name: &String| {
        name.strip_prefix(&first)
            .is_none_or(|rest| !tensors.contains_key(rest))
    };
    (is_module && tensors.keys().all(is_free)).then_some(first)
}

fn torch_script(source: &Source) -> Error {
    Error::input(
        source.name(),
        "the archive",
        "a TorchScript program (torch.jit)",
        "a state dict: names and tensors",
        "in Python: torch.save(torch.jit.load(FILE).state_dict(), \"sae.pt\")",
    )
}
