//! Arrays of `NumPy`: embeddings, activations, and firing sets of earlier runs.

use super::shared::{activations, check_rewritten, is_read_again, look, matrix, put, same};

/// Reads a `.npy` file.
pub fn run(bytes: &[u8]) {
    let path = put("npy/x.npy", bytes);
    let found = matrix(&path);
    if is_read_again(bytes) {
        same(&found, &matrix(&path), "an array read twice");
        check_rewritten("npy", found.as_ref());
    }
    activations(&path);
    look(&path);
}
