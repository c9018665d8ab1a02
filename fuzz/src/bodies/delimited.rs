//! Tables of calls in delimited text, plain and compressed.

use super::shared::{gzip, look, put, same, table, wrapped};

/// Reads a table of calls. Wrapped bytes are compressed, which makes no difference.
pub fn run(bytes: &[u8]) {
    let path = put("delimited/x.csv", wrapped(bytes).unwrap_or(bytes));
    let found = table(&path);
    if let Some(plain) = wrapped(bytes) {
        let packed = table(&put("delimited/x.csv.gz", &gzip(plain)));
        same(&found, &packed, "a table plain and compressed");
    }
    look(&path);
}
