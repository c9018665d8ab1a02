//! The cohort: a torch file with `embeddings`, one row a call, and `sv_info`, the calls.

use std::path::Path;

use super::calls::read_calls;
use super::tensor::{TensorRows, shape_text};
use super::torch::TorchFile;
use crate::cohort::Calls;
use crate::error::Result;
use crate::rows::Rows;

/// Embeddings, read as they are needed, and the calls that they are of.
#[derive(Debug)]
pub struct Cohort {
    /// The embeddings: one row a call.
    pub rows: TensorRows,
    /// The calls, in the order of the rows.
    pub calls: Calls,
    /// What is odd about the calls, a sentence each.
    pub warnings: Vec<String>,
}

/// Reads a cohort; its embeddings stay in the file.
pub fn read_cohort(path: &Path) -> Result<Cohort> {
    let file = TorchFile::open(path)?;
    file.refuse_foreign()?;
    let rows = embeddings(&file)?;
    let info = file.required("sv_info", "save the calls as sv_info beside the embeddings")?;
    let counted = file.document.items(info).map(Iterator::count);
    let unequal = |found: usize| {
        file.bad(
            "key sv_info",
            format!("{found} calls"),
            format!("{}, one for each row of embeddings", rows.count()),
            "save both from the same run",
        )
    };
    // Before the calls are read, so that a wrong pair of files is told at once.
    if let Some(count) = counted.filter(|&count| count != rows.count()) {
        return Err(unequal(count));
    }
    let (calls, warnings) = read_calls(&file, info)?;
    if calls.len() != rows.count() {
        return Err(unequal(calls.len()));
    }
    Ok(Cohort {
        rows,
        calls,
        warnings,
    })
}

fn embeddings(file: &TorchFile) -> Result<TensorRows> {
    let place = "key embeddings";
    let looks_like_a_model = file
        .document
        .get(file.document.root, "model_state_dict")
        .is_some();
    let advice = if looks_like_a_model {
        "this is a model: are --embeddings and --model swapped?"
    } else {
        "save a dict with the embeddings under this key and the calls under sv_info"
    };
    let id = file.required("embeddings", advice)?;
    let expected = "a two-dimensional tensor, one row for each call";
    let Some(tensor) = file.tensor(id, place)? else {
        let found = format!("{}, no tensor", file.document.kind(id));
        let advice = "save the embeddings as a tensor: torch.from_numpy(...), torch.tensor(...)";
        return Err(file.bad(place, found, expected, advice));
    };
    let shape = format!(
        "{} of shape {}",
        tensor.dtype.name(),
        shape_text(&tensor.shape)
    );
    let Some(rows) = TensorRows::new(&tensor) else {
        return Err(file.bad(place, shape, expected, "save the embeddings as a matrix"));
    };
    if rows.count() == 0 || rows.dim() == 0 {
        let expected = "at least one call and at least one number a row";
        return Err(file.bad(place, shape, expected, "check how the cohort was made"));
    }
    Ok(rows)
}
