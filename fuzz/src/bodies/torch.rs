//! Files of torch: cohorts and models, in archives and in the older form.

use atomscope::read::{read_cohort, read_model};

use super::shared::{
    all_rows, archive, check_rewritten, is_read_again, look, parts, put, same, well, wrapped,
};

/// Reads a `.pt` file. Wrapped bytes are its pickle, and its storages.
pub fn run(bytes: &[u8]) {
    let path = match wrapped(bytes) {
        Some(rest) => put("torch/x.pt", &saved(rest)),
        None => put("torch/x.pt", bytes),
    };
    let read = || {
        let cohort = well(read_cohort(&path))?;
        Some((all_rows(&cohort.rows), cohort.calls))
    };
    let found = read();
    if is_read_again(bytes) {
        same(&found, &read(), "a cohort read twice");
        if let Some((rows, _)) = found {
            check_rewritten("torch", rows.as_ref());
        }
    }
    if let Some(model) = well(read_model(&path)) {
        let again = well(read_model(&path)).expect("a model that was read before");
        assert_eq!(model.sae.digest(), again.sae.digest());
    }
    look(&path);
}

/// An archive as `torch.save` lays it out.
fn saved(rest: &[u8]) -> Vec<u8> {
    let entry = |(at, content)| match at {
        0 => ("x/data.pkl".to_owned(), content),
        at => (format!("x/data/{}", at - 1), content),
    };
    let mut entries: Vec<_> = parts(rest).into_iter().enumerate().map(entry).collect();
    entries.push(("x/byteorder".to_owned(), b"little"));
    entries.push(("x/version".to_owned(), b"3\n"));
    archive(&entries)
}
