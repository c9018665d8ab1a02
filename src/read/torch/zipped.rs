//! The container since torch 1.6: a zip archive with `data.pkl` and one entry a storage, in a
//! folder of any name.

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
    /// The storage of a key.
    pub(super) fn get(&self, key: &str) -> Result<Option<Storage>> {
        self.archive.storage(&format!("{}data/{key}", self.prefix))
    }
}

/// The pickle of an archive, and the archive for its storages.
pub(super) fn open(source: &Source, archive: Archive) -> Result<(Document, ZippedStorages)> {
    let prefix = find_prefix(source, &archive)?;
    check_byte_order(source, &archive, &format!("{prefix}byteorder"))?;
    let name = format!("{prefix}data.pkl");
    let bytes = archive.read(&name)?.unwrap_or_default();
    let document = pickle::load(bytes).map_err(|error| error.in_file(&source.name(), &name, 0))?;
    Ok((document, ZippedStorages { archive, prefix }))
}

/// The folder that `data.pkl` is in, the least deep if there are several.
fn folder_of_pickle(names: &[String]) -> Option<&str> {
    names
        .iter()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
        .min_by_key(|prefix| (prefix.matches('/').count(), prefix.len()))
}

fn find_prefix(source: &Source, archive: &Archive) -> Result<String> {
    let names = archive.names();
    let Some(prefix) = folder_of_pickle(&names) else {
        return Err(sniff::not_torch(source, &sniff::describe_zip(&names)));
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
            "save the state_dict and the config with torch.save",
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
