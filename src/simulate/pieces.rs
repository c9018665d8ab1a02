//! The split of a cohort's rows into several files.

use std::ops::Range;

use super::check_number;
use crate::error::{Choice, Result};

/// Cuts rows into pieces, in order and as evenly as possible, the first ones a row longer.
///
/// # Errors
/// Fails with [`Error::Choice`](crate::error::Error::Choice) if there are no pieces, or more
/// than rows.
pub(super) fn cut(rows: usize, pieces: usize) -> Result<impl Iterator<Item = Range<usize>>> {
    check_number(Choice::Pieces, pieces, rows)?;
    let (length, longer) = (rows / pieces, rows % pieces);
    let start = move |piece: usize| piece * length + piece.min(longer);
    Ok((0..pieces).map(move |piece| start(piece)..start(piece + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_holds_every_row_once_in_nearly_equal_pieces() -> Result<()> {
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
}
