//! Archives of arrays of `NumPy`, and other archives.

use atomscope::read::benchmark::read_row_identities;

use super::shared::{
    activations, archive, check_rewritten, is_read_again, look, matrix, named, parts, put, same,
    well, wrapped,
};

/// Reads a `.npz` file. Wrapped bytes are its entries.
pub fn run(bytes: &[u8]) {
    let path = match wrapped(bytes) {
        Some(rest) => {
            let entries: Vec<_> = parts(rest).into_iter().map(named).collect();
            put("npz/x.npz", &archive(&entries))
        }
        None => put("npz/x.npz", bytes),
    };
    let found = matrix(&path);
    if is_read_again(bytes) {
        same(&found, &matrix(&path), "an archive read twice");
        check_rewritten("npz", found.as_ref());
    }
    well(read_row_identities(&path));
    activations(&path);
    look(&path);
}
