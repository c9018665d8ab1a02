//! The container since torch 1.6: a zip archive with `data.pkl` and one entry for each storage, in
//! a folder of any name.

use super::super::budget::Budget;
use super::super::pickle::{self, Document};
use super::super::sniff;
use super::super::source::Source;
use super::super::tensor::Storage;
use super::super::zipped::Archive;
use crate::error::{Error, Result};

/// An archive's storages.
#[derive(Debug)]
pub(crate) struct ZippedStorages {
    archive: Archive,
    /// The folder in the archive, with its slash.
    prefix: String,
}

impl ZippedStorages {
    /// Returns the storage of a key.
    pub(super) fn get(&self, key: &str) -> Result<Option<Storage>> {
        self.archive.storage(&format!("{}data/{key}", self.prefix))
    }
}

/// Reads the pickle of an archive, and keeps the archive for its storages.
pub(super) fn open(source: &Source, archive: Archive) -> Result<(Document, ZippedStorages)> {
    let prefix = find_prefix(source, &archive)?;
    check_byte_order(source, &archive, &format!("{prefix}byteorder"))?;
    let name = format!("{prefix}data.pkl");
    let bytes = archive.read(&name)?.unwrap_or_default();
    let most = Budget::of(source).left();
    let document =
        pickle::load(bytes, most).map_err(|error| error.in_file(&source.name(), &name, 0))?;
    Ok((document, ZippedStorages { archive, prefix }))
}

/// Returns the folders that hold a `data.pkl`.
fn folders_of_pickles(names: &[String]) -> Vec<&str> {
    names
        .iter()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
        .collect()
}

fn find_prefix(source: &Source, archive: &Archive) -> Result<String> {
    let names = archive.names();
    let prefix = match folders_of_pickles(&names).as_slice() {
        [] => return Err(sniff::not_torch(source, &sniff::describe_zip(&names))),
        &[prefix] => prefix,
        several => {
            let found = format!(
                "{} of them, in the folders {}",
                several.len(),
                several.join(", ")
            );
            let action = "torch.save writes one: save what is meant to a file of its own";
            let place = "the entries data.pkl";
            return Err(Error::input(source.name(), place, found, "one", action));
        }
    };
    if names
        .iter()
        .any(|name| name.strip_prefix(prefix) == Some("constants.pkl"))
    {
        return Err(Error::input(
            source.name(),
            format!("{prefix}constants.pkl"),
            "a TorchScript program (torch.jit.save)",
            "data written by torch.save",
            "in Python: torch.save({\"config\": {...}, \"model_state_dict\": \
             torch.jit.load(FILE).state_dict()}, \"sae.pt\")",
        ));
    }
    Ok(prefix.to_owned())
}

fn check_byte_order(source: &Source, archive: &Archive, name: &str) -> Result<()> {
    let Some(order) = archive.head(name, 16)? else {
        return Ok(());
    };
    let order = String::from_utf8_lossy(&order);
    if order.trim() == "little" {
        return Ok(());
    }
    Err(Error::input(
        source.name(),
        name,
        format!("byte order {order:?}"),
        "little",
        "load it with torch and save it again on a little-endian machine",
    ))
}
