//! numpy's array files.

use std::io::{self, Write};

use npyz::WriterBuilder;

use crate::fires::FiringSets;

/// `fires.npy`: the firing sets as little-endian `uint32` \[rows, k\] in C order, ascending in
/// each row, written piece by piece. Dropped rows are not in it.
pub struct FiringSetsWriter<'a>(npyz::NpyWriter<u32, &'a mut dyn Write>);

impl<'a> FiringSetsWriter<'a> {
    /// Begins an array of `[rows, k]`.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(shape: [u64; 2], out: &'a mut dyn Write) -> io::Result<Self> {
        begin(&shape, out).map(Self)
    }

    /// Writes the next rows.
    ///
    /// # Errors
    /// Those of writing.
    pub fn add(&mut self, sets: &FiringSets) -> io::Result<()> {
        self.0.extend(sets.atoms().iter().copied())
    }

    /// Ends the array.
    ///
    /// # Errors
    /// Those of writing, and of fewer or more rows than were announced.
    pub fn finish(self) -> io::Result<()> {
        self.0.finish()
    }
}

/// All firing sets as `fires.npy`.
pub fn firing_sets(sets: &FiringSets, out: &mut dyn Write) -> io::Result<()> {
    let mut array = FiringSetsWriter::begin([sets.rows() as u64, sets.k() as u64], out)?;
    array.add(sets)?;
    array.finish()
}

/// `dropped_rows.npy`: the cohort's rows that have no firing set, as little-endian `uint64` \[rows\],
/// ascending.
pub fn rows(rows: &[u64], out: &mut dyn Write) -> io::Result<()> {
    let mut array = begin(&[rows.len() as u64], out)?;
    array.extend(rows.iter().copied())?;
    array.finish()
}

fn begin<'a, T: npyz::AutoSerialize>(
    shape: &[u64],
    out: &'a mut dyn Write,
) -> io::Result<npyz::NpyWriter<T, &'a mut dyn Write>> {
    let options = npyz::WriteOptions::new().default_dtype();
    options.shape(shape).writer(out).begin_nd()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_read_back() -> io::Result<()> {
        let sets = FiringSets::new(3, vec![1, 2, 70_000, 4, 5, 6], vec![0, 3]);
        let mut out = Vec::new();
        firing_sets(&sets, &mut out)?;
        let read = npyz::NpyFile::new(&out[..])?;
        assert_eq!(read.shape(), [2, 3]);
        assert_eq!(read.into_vec::<u32>()?, sets.atoms());
        let mut out = Vec::new();
        rows(&[0, 3], &mut out)?;
        assert_eq!(npyz::NpyFile::new(&out[..])?.into_vec::<u64>()?, [0, 3]);
        Ok(())
    }
}
