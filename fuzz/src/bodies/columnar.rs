//! Tables in columns: Parquet and Arrow.

use std::sync::Once;

use atomscope::read::PARSER_THREAD;

use super::shared::{
    activations, check_rewritten, is_read_again, look, matrix, named, put, same, table, wrapped,
};

/// Reads a table in columns. Wrapped bytes are a Parquet file's data, up to the first line's end, and its
/// footer.
pub fn run(bytes: &[u8]) {
    quiet();
    let path = match wrapped(bytes) {
        Some(rest) => {
            let (data, footer) = named(rest);
            let length = (footer.len() as u32).to_le_bytes();
            let file = [b"PAR1", data.as_bytes(), footer, &length, b"PAR1"].concat();
            put("columnar/x.parquet", &file)
        }
        None => put("columnar/x.parquet", bytes),
    };
    let found = matrix(&path);
    if is_read_again(bytes) {
        same(&found, &matrix(&path), "a column read twice");
        check_rewritten("columnar", found.as_ref());
    }
    table(&path);
    activations(&path);
    look(&path);
}

/// Panics of the parser's own thread become errors, and neither end a fuzzer nor fill the screen.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(PARSER_THREAD) {
                tell(panic);
            }
        }));
    });
}
