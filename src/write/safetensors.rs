//! A `.safetensors` file: a header of JSON, then each tensor's numbers, streamed.
//!
//! Numbers are written in the machine's byte order, which the format has as little-endian: big-endian
//! machines are not built for.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::tensor::{Element, Tensor};
use super::whole::WholeFile;
use crate::error::{Error, Result};

/// Writes `metadata` and tensors in their order and returns the file, ready to be
/// [published](WholeFile::publish).
///
/// # Errors
/// A file that cannot be written; a tensor with other numbers than its shape has.
pub fn save<'a, N: Into<String>>(
    path: &Path,
    metadata: &[(&str, String)],
    tensors: impl IntoIterator<Item = (N, Tensor<'a>)>,
) -> Result<WholeFile> {
    let named = tensors
        .into_iter()
        .map(|(name, tensor)| (name.into(), tensor));
    let tensors: Vec<(String, Tensor<'a>)> = named.collect();
    let whole = WholeFile::create(path)?;
    let writing = |e: io::Error| Error::writing(path, e);
    let mut out = BufWriter::with_capacity(1 << 20, whole.file());
    out.write_all(&header(metadata, &tensors))
        .map_err(writing)?;
    for (number, (_, tensor)) in tensors.into_iter().enumerate() {
        tensor.write(number, &mut out, path)?;
    }
    out.flush().map_err(writing)?;
    drop(out);
    Ok(whole)
}

/// The header: its length, JSON, and spaces up to a multiple of eight bytes.
fn header(metadata: &[(&str, String)], tensors: &[(String, Tensor<'_>)]) -> Vec<u8> {
    let mut header = Map::new();
    if !metadata.is_empty() {
        let of_key = |(key, text): &(&str, String)| ((*key).to_owned(), json!(text));
        let all: Map<String, Value> = metadata.iter().map(of_key).collect();
        header.insert("__metadata__".to_owned(), Value::Object(all));
    }
    let mut end = 0;
    for (name, tensor) in tensors {
        let start = end;
        end += tensor.bytes();
        let dtype = match tensor.element() {
            Element::F16 => "F16",
            Element::Bf16 => "BF16",
            Element::F32 => "F32",
            Element::F64 => "F64",
        };
        let entry = json!({"dtype": dtype, "shape": tensor.shape(), "data_offsets": [start, end]});
        header.insert(name.clone(), entry);
    }
    let mut json = Value::Object(header).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes(), &json[..]].concat()
}
