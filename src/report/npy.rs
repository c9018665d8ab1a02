//! numpy's array file.

use std::io::{self, Write};

use crate::fires::FiringSets;

/// `fires.npy`: the firing sets as little-endian `uint32` \[rows, k\] in C order, ascending in
/// each row; version 1.0 of the format (numpy's NEP 1). Dropped rows are not in it.
pub fn firing_sets(sets: &FiringSets, out: &mut dyn Write) -> io::Result<()> {
    const PREFIX: usize = 10;
    const ALIGNMENT: usize = 64;
    let mut header = format!(
        "{{'descr': '<u4', 'fortran_order': False, 'shape': ({}, {}), }}",
        sets.rows(),
        sets.k()
    );
    // Spaces and a line end bring the data to a multiple of 64 bytes.
    let unpadded = PREFIX + header.len() + 1;
    let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;
    header.push_str(&" ".repeat(padding));
    header.push('\n');
    out.write_all(b"\x93NUMPY\x01\x00")?;
    // Two numbers of 20 digits at most: far below 65536.
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    let mut bytes = Vec::new();
    for atoms in sets.atoms().chunks(1 << 14) {
        bytes.clear();
        bytes.extend(atoms.iter().flat_map(|atom| atom.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::firing_sets;
    use crate::fires::FiringSets;

    fn bytes(sets: &FiringSets) -> Vec<u8> {
        let mut out = Vec::new();
        firing_sets(sets, &mut out).unwrap();
        out
    }

    #[test]
    fn another_reader_reads_it() {
        let sets = FiringSets::new(2, vec![1, 70_000, 3, u32::MAX, 5, 6], vec![1]);
        let npy = npyz::NpyFile::new(std::io::Cursor::new(bytes(&sets))).unwrap();
        assert_eq!((npy.shape(), npy.order()), (&[3, 2][..], npyz::Order::C));
        assert_eq!(npy.into_vec::<u32>().unwrap(), sets.atoms());
    }

    #[test]
    fn no_rows_are_an_array_too() {
        let out = bytes(&FiringSets::new(3, vec![], vec![]));
        assert_eq!(out.len(), 128);
        let npy = npyz::NpyFile::new(&out[..]).unwrap();
        assert_eq!(npy.shape(), [0, 3]);
    }
}
