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

/// Writes tensors in their order and returns the file, ready to be
/// [published](WholeFile::publish).
///
/// # Errors
/// A file that cannot be written; a tensor with other numbers than its shape has.
pub fn save(path: &Path, tensors: Vec<(&'static str, Tensor<'_>)>) -> Result<WholeFile> {
    let whole = WholeFile::create(path)?;
    let writing = |e: io::Error| Error::writing(path, e);
    let mut out = BufWriter::with_capacity(1 << 20, whole.file());
    out.write_all(&header(&tensors)).map_err(writing)?;
    for (number, (_, tensor)) in tensors.into_iter().enumerate() {
        tensor.write(number, &mut out, path)?;
    }
    out.flush().map_err(writing)?;
    drop(out);
    Ok(whole)
}

/// The header: its length, JSON, and spaces up to a multiple of eight bytes.
fn header(tensors: &[(&'static str, Tensor<'_>)]) -> Vec<u8> {
    let mut header = Map::new();
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
        header.insert((*name).to_owned(), entry);
    }
    let mut json = Value::Object(header).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes(), &json[..]].concat()
}
