//! Tables of calls in delimited text, plain and compressed.

use super::shared::{calls, gzip, look, put, same, table, wrapped};

/// Reads a table of calls. Wrapped bytes are compressed, which makes no difference.
pub fn run(bytes: &[u8]) {
    let path = put("delimited/x.csv", wrapped(bytes).unwrap_or(bytes));
    let rows = table(&path);
    if let Some(plain) = wrapped(bytes) {
        let packed = put("delimited/packed/x.csv.gz", &gzip(plain));
        let (found, again) = (calls(&path, rows), calls(&packed, rows));
        same(&found, &again, "a table plain and compressed");
        table(&packed);
    }
    look(&path);
}
