//! Files of safetensors: embeddings, activations and models.

use atomscope::read::read_model;

use super::shared::{
    activations, check_rewritten, is_read_again, look, matrix, named, put, same, well, wrapped,
};

/// Reads a `.safetensors` file. Wrapped bytes are its header, up to the first line's end, and its data.
pub fn run(bytes: &[u8]) {
    let path = match wrapped(bytes) {
        Some(rest) => {
            let (header, data) = named(rest);
            let length = (header.len() as u64).to_le_bytes();
            put(
                "safetensors/x.safetensors",
                &[&length, header.as_bytes(), data].concat(),
            )
        }
        None => put("safetensors/x.safetensors", bytes),
    };
    let found = matrix(&path);
    if is_read_again(bytes) {
        same(&found, &matrix(&path), "tensors read twice");
        check_rewritten("safetensors", found.as_ref());
    }
    if let Some(model) = well(read_model(&path)) {
        let again = well(read_model(&path)).expect("a model that was read before");
        assert_eq!(model.sae.digest(), again.sae.digest());
    }
    activations(&path);
    look(&path);
}
