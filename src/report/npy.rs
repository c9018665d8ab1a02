//! numpy's array files.

use std::io::{self, Write};

use npyz::WriterBuilder;

use crate::fires::FiringSets;

/// `fires.npy`: the firing sets as little-endian `uint32` \[rows, k\] in C order, ascending in
/// each row. Dropped rows are not in it.
pub fn firing_sets(sets: &FiringSets, out: &mut dyn Write) -> io::Result<()> {
    let shape = [sets.rows() as u64, sets.k() as u64];
    write(&shape, sets.atoms().iter().copied(), out)
}

/// `dropped_rows.npy`: the input rows that have no firing set, as little-endian `uint64` \[rows\],
/// ascending.
pub fn dropped_rows(sets: &FiringSets, out: &mut dyn Write) -> io::Result<()> {
    let rows = sets.dropped().iter().map(|&row| row as u64);
    write(&[sets.dropped().len() as u64], rows, out)
}

fn write<T: npyz::AutoSerialize>(
    shape: &[u64],
    numbers: impl IntoIterator<Item = T>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut array = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(out)
        .begin_nd()?;
    array.extend(numbers)?;
    array.finish()
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
        dropped_rows(&sets, &mut out)?;
        assert_eq!(npyz::NpyFile::new(&out[..])?.into_vec::<u64>()?, [0, 3]);
        Ok(())
    }
}
