//! A list of files of regions: a name, a tab, and a path relative to the list.

use std::path::PathBuf;

use super::lines::Lines;
use crate::error::{Error, Result};
use crate::read::source::Source;

/// Reads a list; `None` if the file is none. Each row of a list has two columns, the second of which is no
/// number.
pub(super) fn read(source: &Source) -> Result<Option<Vec<(String, PathBuf)>>> {
    let mut lines = Lines::open(source)?;
    let folder = source
        .path()
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default();
    let (mut rows, mut number) = (Vec::new(), 0u64);
    while lines.advance()? {
        let line = lines.text();
        number += 1;
        let Some((name, path)) = columns(line) else {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            if rows.is_empty() {
                return Ok(None);
            }
            return Err(Error::input(
                source.name(),
                format!("line {number}"),
                format!(
                    "{:?}",
                    String::from_utf8_lossy(line)
                        .chars()
                        .take(60)
                        .collect::<String>()
                ),
                "a name, a tab and the path of a BED file, as in the rows before",
                "check how the list was made",
            ));
        };
        let path = folder.join(path);
        if !path.is_file() {
            return Err(Error::input(
                source.name(),
                format!("line {number}"),
                format!("the path {}", path.display()),
                "a BED file there: paths are relative to the list",
                "fetch the files of the list beside it, or leave the row out",
            ));
        }
        rows.push((name, path));
    }
    Ok((!rows.is_empty()).then_some(rows))
}

fn columns(line: &[u8]) -> Option<(String, &str)> {
    let text = std::str::from_utf8(line).ok()?;
    let (name, path) = text.split_once('\t')?;
    let path = path.trim_end();
    let is_path = !path.is_empty() && !path.contains('\t') && path.parse::<u64>().is_err();
    (is_path && !name.is_empty() && !name.starts_with('#')).then(|| (name.to_owned(), path))
}
