//! Arrays of numbers that are taken out of a pickle, to be read as tensors are.

use super::super::pickle::{Document, Id};
use super::super::spill::Spill;
use super::super::tensor::{Tensor, shape_text};
use super::super::torch::TorchFile;
use super::numpy::{Kind, outline};
use super::scalar::raw_bytes;
use crate::error::Result;

/// Takes an array of numbers out of a pickle, as a tensor in a file without a name; `None` if the value
/// is no such array. `place` is for messages.
///
/// # Errors
/// Bytes that are not those of the shape; a file that cannot be written.
pub(crate) fn taken_out(file: &TorchFile, id: Id, place: &str) -> Result<Option<Tensor>> {
    let document = &file.document;
    let Some(outline) = outline(document, id) else {
        return Ok(None);
    };
    let Kind::Number(dtype) = outline.element.kind else {
        return Ok(None);
    };
    let mut spill = Spill::new()?;
    let swapped = (outline.element.big_endian).then(|| dtype.size());
    let mut write = |bytes: &mut [u8]| {
        if let Some(size) = swapped {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        spill.write(bytes)
    };
    let is_data = each_piece(document, outline.data, &mut write)?;
    let storage = spill.finish(&file.source)?;
    let (there, described) = (
        storage.length,
        format!("{} {}", dtype.name(), shape_text(&outline.shape)),
    );
    let tensor = Tensor::dense(dtype, outline.shape, outline.fortran, storage);
    match tensor.filter(|_| is_data) {
        Some(tensor) => Ok(Some(tensor)),
        None => Err(file.bad(
            place,
            format!("a NumPy array with {there} bytes"),
            format!("those of {described}"),
            "the file is damaged: copy it again, or save it again with torch.save",
        )),
    }
}

/// Hands over the bytes of a Python value in pieces of whole numbers, without a copy of all of them.
/// Returns false if the value has no bytes. Protocol 2 writes bytes as text, a character for each.
fn each_piece(
    document: &Document,
    id: Id,
    take: &mut dyn FnMut(&mut [u8]) -> Result<()>,
) -> Result<bool> {
    const PIECE: usize = 1 << 16;
    if let Some(object) = document.object(id)
        && document.callable(object) == ("_codecs", "encode")
        && let Some(text) = document
            .args(object)
            .first()
            .and_then(|&text| document.text(text))
    {
        let mut piece = Vec::with_capacity(PIECE);
        for c in text.chars() {
            let Ok(byte) = u8::try_from(u32::from(c)) else {
                return Ok(false);
            };
            piece.push(byte);
            if piece.len() == PIECE {
                take(&mut piece)?;
                piece.clear();
            }
        }
        take(&mut piece)?;
        return Ok(true);
    }
    let Some(bytes) = raw_bytes(document, id) else {
        return Ok(false);
    };
    for piece in bytes.chunks(PIECE) {
        take(&mut piece.to_vec())?;
    }
    Ok(true)
}
