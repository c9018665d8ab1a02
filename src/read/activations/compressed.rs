//! A sparse matrix \[N, F\] in compressed rows (CSR), as `scipy.sparse.save_npz` writes it: `indptr`
//! \[N + 1\], where each row's entries begin and end; `indices` and `data`, the atom and the activation
//! of each entry; `shape` and `format`.
//!
//! <https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html>

use std::ops::Range;

use super::super::npz;
use super::super::source::Source;
use super::super::zipped::Archive;
use super::numbers::Numbers;
use super::rows::{ActiveAtoms, Bounds, Builder, by_blocks};
use crate::control::Control;
use crate::error::{Error, Result};

/// Entries that are read at a time.
const AT_ONCE: u64 = 1 << 16;

/// A sparse matrix in compressed rows.
#[derive(Debug)]
pub(super) struct Compressed {
    indptr: Numbers,
    indices: Numbers,
    data: Numbers,
    shape: [usize; 2],
}

impl Compressed {
    /// Says whether an archive is one of scipy's sparse matrices.
    pub(super) fn is_here(names: &[String]) -> bool {
        let has = |name: &str| names.iter().any(|known| known == name);
        has("format.npy") && has("shape.npy") || has("indptr.npy")
    }

    /// Opens a matrix, and checks how long its arrays are.
    ///
    /// # Errors
    /// Another layout than CSR, arrays that are missing or do not fit together.
    pub(super) fn open(source: &Source, archive: &Archive) -> Result<Self> {
        check_format(source, archive)?;
        let array = |name: &str| {
            let found = npz::array(archive, &format!("{name}.npy"))?;
            let found = found.ok_or_else(|| {
                let expected = "the arrays data, indices, indptr, shape and format of a CSR matrix";
                let action = "save it with scipy.sparse.save_npz(FILE, matrix.tocsr())";
                Error::input(
                    source.name(),
                    format!("array {name}"),
                    "none",
                    expected,
                    action,
                )
            })?;
            Numbers::of_npy(&found, &format!("array {name}"))
        };
        let whole = |name: &str| {
            let found = array(name)?;
            let expected = "whole numbers in one dimension";
            if found.is_whole() && found.shape.len() == 1 {
                return Ok(found);
            }
            Err(found.bad(found.describe(), expected, DAMAGED))
        };
        let found = Self {
            shape: shape(&whole("shape")?)?,
            indptr: whole("indptr")?,
            indices: whole("indices")?,
            data: array("data")?,
        };
        found.check()?;
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        let (rows, entries) = (self.shape[0] as u64, self.indices.count());
        if self.data.shape.len() != 1 || self.data.count() != entries {
            let expected = format!("{entries} numbers, as there are indices");
            return Err(self.data.bad(self.data.describe(), expected, DAMAGED));
        }
        if rows.checked_add(1) != Some(self.indptr.count()) {
            let expected = format!("a number for each of {rows} rows, and one more");
            return Err(self.indptr.bad(self.indptr.describe(), expected, DAMAGED));
        }
        let (mut first, mut last) = (Vec::new(), Vec::new());
        self.indptr.whole(0..1, &mut first)?;
        self.indptr.whole(rows..rows + 1, &mut last)?;
        let ends = (first.first(), last.first());
        match ends {
            (Some(0), Some(&last)) if u64::try_from(last).is_ok_and(|last| last <= entries) => {
                Ok(())
            }
            (first, last) => Err(self.indptr.bad(
                format!("{} first, and {} last", text(first), text(last)),
                format!("0 first, and at most {entries} last"),
                DAMAGED,
            )),
        }
    }

    /// N and F.
    pub(super) fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Entries of a row, on average.
    pub(super) fn entries_a_row(&self) -> usize {
        self.indices.count().div_ceil(self.shape[0].max(1) as u64) as usize
    }

    pub(super) fn read(
        &self,
        range: &Range<usize>,
        bounds: Bounds,
        control: &Control,
    ) -> Result<ActiveAtoms> {
        let at_once = (AT_ONCE as usize / self.entries_a_row().max(1)).clamp(1, 1 << 12);
        by_blocks(range, at_once, control, |rows| self.block(rows, bounds))
    }

    fn block(&self, rows: Range<usize>, bounds: Bounds) -> Result<ActiveAtoms> {
        let mut ends = Vec::new();
        self.indptr
            .whole(rows.start as u64..rows.end as u64 + 1, &mut ends)?;
        let mut entries = Entries::new(self);
        let mut builder = Builder::new(bounds, rows.start as u64);
        for (row, two) in rows.zip(ends.windows(2)) {
            let &[start, end] = two else { continue };
            if start < 0 || end < start || end as u64 > self.indices.count() {
                return Err(self.indptr.bad(
                    format!("row {row} from entry {start} to {end}"),
                    format!(
                        "numbers that ascend from 0 to at most {}",
                        self.indices.count()
                    ),
                    DAMAGED,
                ));
            }
            entries.each(start as u64..end as u64, &mut builder)?;
            builder.end_row()?;
        }
        Ok(builder.finish())
    }
}

/// Entries of consecutive rows, read in pieces that may hold many rows.
struct Entries<'a> {
    of: &'a Compressed,
    held: Range<u64>,
    indices: Vec<i64>,
    data: Vec<f64>,
}

impl<'a> Entries<'a> {
    fn new(of: &'a Compressed) -> Self {
        Self {
            of,
            held: 0..0,
            indices: Vec::new(),
            data: Vec::new(),
        }
    }

    fn each(&mut self, range: Range<u64>, builder: &mut Builder) -> Result<()> {
        let mut at = range.start;
        while at < range.end {
            if !self.held.contains(&at) {
                self.held = at..self.of.indices.count().min(at + AT_ONCE);
                self.of
                    .indices
                    .whole(self.held.clone(), &mut self.indices)?;
                self.of.data.floats(self.held.clone(), &mut self.data)?;
            }
            let end = range.end.min(self.held.end);
            let place = (at - self.held.start) as usize..(end - self.held.start) as usize;
            let indices = self.indices.get(place.clone()).unwrap_or_default();
            let data = self.data.get(place).unwrap_or_default();
            for (&index, &value) in indices.iter().zip(data) {
                builder.push(index, value)?;
            }
            at = end;
        }
        Ok(())
    }
}

const DAMAGED: &str = "the file is damaged, or no CSR matrix: save it again with \
                       scipy.sparse.save_npz(FILE, matrix.tocsr())";

fn text(number: Option<&i64>) -> String {
    number.map_or("nothing".to_owned(), ToString::to_string)
}

/// Reads N and F.
fn shape(numbers: &Numbers) -> Result<[usize; 2]> {
    let mut sizes = Vec::new();
    if numbers.count() == 2 {
        numbers.whole(0..2, &mut sizes)?;
    }
    let sizes: Vec<usize> = sizes
        .iter()
        .filter_map(|&size| usize::try_from(size).ok())
        .collect();
    <[usize; 2]>::try_from(sizes).map_err(|_| {
        numbers.bad(
            numbers.describe(),
            "two numbers from 0 on: rows and atoms",
            DAMAGED,
        )
    })
}

/// Refuses what is not in compressed rows.
fn check_format(source: &Source, archive: &Archive) -> Result<()> {
    const LONGEST: u64 = 64;
    let mut found = String::new();
    if let Some(array) = npz::array(archive, "format.npy")? {
        let mut bytes = vec![0; array.elements.length.min(LONGEST) as usize];
        array
            .elements
            .source
            .read_at(&mut bytes, array.elements.start)?;
        // As bytes, or as text of four bytes a letter.
        let letters = bytes.iter().filter(|byte| **byte != 0);
        found = letters.map(|&byte| char::from(byte)).collect();
    }
    if found == "csr" {
        return Ok(());
    }
    let found = match &*found {
        "" => "no layout".to_owned(),
        layout => format!("a sparse matrix in the layout {layout:?}"),
    };
    Err(Error::input(
        source.name(),
        "array format",
        found,
        "csr, compressed rows",
        "convert it: scipy.sparse.save_npz(FILE, scipy.sparse.load_npz(FILE).tocsr())",
    ))
}
