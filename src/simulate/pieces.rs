//! A cohort in several files: which rows go to which, and what the files are called.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::{EMBEDDINGS, check_number};
use crate::error::{Error, Result};

/// What a piece's name has before and after its number.
const AROUND: (&str, &str) = ("embeddings-", ".pt");

/// The names of the files that hold a cohort of so many pieces, in the order of their rows:
/// [`EMBEDDINGS`] for one, and for more numbers from 1 at equal width, so that the order of the
/// names is that of the rows.
///
/// ```
/// use atomscope::simulate::piece_names;
///
/// assert_eq!(piece_names(1), ["embeddings.pt"]);
/// assert_eq!(piece_names(10)[..2], ["embeddings-01.pt", "embeddings-02.pt"]);
/// ```
pub fn piece_names(pieces: usize) -> Vec<String> {
    if pieces == 1 {
        return vec![EMBEDDINGS.to_owned()];
    }
    let width = pieces.to_string().len();
    let (before, after) = AROUND;
    (1..=pieces)
        .map(|number| format!("{before}{number:0width$}{after}"))
        .collect()
}

/// Cuts rows into pieces, in order: as even as can be, the first ones a row longer.
///
/// # Errors
/// [`Error::Argument`] where there are no pieces, or more than rows.
pub(super) fn cut(rows: usize, pieces: usize) -> Result<impl Iterator<Item = Range<usize>>> {
    check_number("--pieces", pieces, rows)?;
    let (length, longer) = (rows / pieces, rows % pieces);
    let start = move |piece: usize| piece * length + piece.min(longer);
    Ok((0..pieces).map(move |piece| start(piece)..start(piece + 1)))
}

/// The files of earlier cohorts in this folder that are not among `written`: whoever reads all
/// that look like pieces would take them for parts of the new one.
pub(super) fn left_over(folder: &Path, written: &[String]) -> Result<Vec<String>> {
    let reading = |e| Error::reading(folder, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(reading)? {
        let name = entry.map_err(reading)?.file_name();
        let ours = name.to_str().filter(|name| is_cohort(name));
        found.extend(ours.map(ToOwned::to_owned));
    }
    // Names of equal width are in the order of the bytes already.
    found.retain(|name| written.binary_search(name).is_err());
    Ok(found)
}

/// Whether a cohort in any number of pieces has a file of this name.
fn is_cohort(name: &str) -> bool {
    let (before, after) = AROUND;
    let number = name
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    name == EMBEDDINGS
        || number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_every_row_once_and_differ_by_one_at_most() -> Result<()> {
        let lengths = |rows, pieces| -> Result<Vec<usize>> {
            let ranges: Vec<Range<usize>> = cut(rows, pieces)?.collect();
            let followed = ranges.windows(2).all(|pair| pair[0].end == pair[1].start);
            assert!(followed && ranges[0].start == 0 && ranges[pieces - 1].end == rows);
            Ok(ranges.iter().map(Range::len).collect())
        };
        assert_eq!(lengths(11, 4)?, [3, 3, 3, 2]);
        assert_eq!(lengths(12, 4)?, [3, 3, 3, 3]);
        assert_eq!(lengths(5, 5)?, [1; 5]);
        assert_eq!(lengths(7, 1)?, [7]);
        Ok(())
    }

    #[test]
    fn names_sort_as_their_rows_do_and_are_known_again() {
        for pieces in [1, 2, 9, 10, 99, 100, 1000] {
            let names = piece_names(pieces);
            assert!(names.len() == pieces && names.is_sorted());
            assert!(names.iter().all(|name| is_cohort(name)));
        }
        for other in [
            "embeddings-.pt",
            "embeddings-1a.pt",
            "embeddings-1.pt2",
            "embeddings1.pt",
        ] {
            assert!(!is_cohort(other), "{other}");
        }
    }
}
