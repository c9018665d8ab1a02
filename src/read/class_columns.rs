//! Columns of tables, and keys of `sv_info`, that may hold the truth benchmark's classes. They are
//! proposed if the expected column holds none.

use std::path::Path;

use super::calls::read_calls;
use super::embeddings::File;
use super::metadata::other_columns;
use super::naming::Naming;
use crate::cohort::{ClassColumn, ClassRule, looks_true, looks_untrue};
use crate::error::Result;

/// Returns the columns of a cohort's calls whose values all look like classes, and some of them
/// like a true call's. Unreadable input is left out, since this only improves a message. `metadata`
/// is the file of the calls, if it is not the embeddings' own.
pub fn class_columns(embeddings: &Path, metadata: Option<&Path>) -> Vec<ClassColumn> {
    let all = match metadata {
        Some(path) => other_columns(path),
        None => other_keys(embeddings),
    };
    let mut all = all.unwrap_or_default();
    all.retain(is_of_classes);
    all
}

/// Returns the keys of the first call that are no field's, with the values of all calls.
fn other_keys(embeddings: &Path) -> Result<Vec<ClassColumn>> {
    const MOST_KEYS: usize = 100;
    let file = File::open(embeddings)?;
    let Some((file, info)) = file.sv_info() else {
        return Ok(Vec::new());
    };
    let document = &file.document;
    let first = document.items(info).and_then(|mut items| items.next());
    let entries = document.entries(first.unwrap_or(info));
    let keys = entries.into_iter().flatten();
    let names = keys.filter_map(|(key, _)| document.text(key).map(std::borrow::Cow::into_owned));
    let others = names.filter(|name| Naming::default().field(name).is_none());
    let column = |name: String| {
        let rule = ClassRule::new(Some(&name), &[]);
        let (calls, _) = read_calls(file, info, None, Naming::of(&rule)).ok()?;
        let classes = calls.truvari_class.counts(0..calls.len()).into_iter();
        let classes = classes.map(|(value, calls)| (value.map(str::to_owned), calls));
        Some(ClassColumn {
            name,
            classes: classes.collect(),
        })
    };
    Ok(others.take(MOST_KEYS).filter_map(column).collect())
}

/// Says whether a column's values are classes. 0 and 1 are classes only if the column's name
/// agrees, since many columns hold 0 and 1.
fn is_of_classes(column: &ClassColumn) -> bool {
    const NAMES: [&str; 8] = [
        "class", "label", "state", "tp", "true", "truth", "match", "bench",
    ];
    let name = column.name.to_ascii_lowercase();
    let is_named = NAMES.iter().any(|known| name.contains(known));
    let values = || {
        column
            .classes
            .iter()
            .filter_map(|(value, _)| value.as_deref())
    };
    let is_digits = |value: &str| value.trim().parse::<f64>().is_ok();
    values().any(looks_true)
        && values().all(|value| looks_true(value) || looks_untrue(value))
        && (is_named || !values().any(is_digits))
}
