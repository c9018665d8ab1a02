//! numpy's array files.

use std::io::{self, Read, Write};

use npyz::WriterBuilder;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

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

/// `fires.npz`: the firing sets as a sparse matrix \[rows, atoms\] of ones in compressed rows (CSR), as
/// `scipy.sparse.load_npz` reads it, written piece by piece. Dropped rows are not in it.
pub struct SparseWriter<'a> {
    zip: ZipWriter<StreamWriter<&'a mut dyn Write>>,
    shape: [u64; 2],
    firings: u64,
    /// The end of each row's firings, after a 0.
    indptr: Vec<u64>,
}

impl<'a> SparseWriter<'a> {
    /// Begins a matrix of `[rows, atoms]` with the given number of firings.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(shape: [u64; 2], firings: u64, out: &'a mut dyn Write) -> io::Result<Self> {
        let mut zip = ZipWriter::new_stream(out);
        zip.start_file("indices.npy", entry())?;
        header::<i64>(&[firings], &mut zip)?;
        Ok(Self {
            zip,
            shape,
            firings,
            indptr: vec![0],
        })
    }

    /// Writes the next rows.
    ///
    /// # Errors
    /// Those of writing.
    pub fn add(&mut self, sets: &FiringSets) -> io::Result<()> {
        let mut end = self.indptr.last().copied().unwrap_or(0) as usize;
        for set in sets.all().iter() {
            end += set.len();
            self.indptr.push(end as u64);
            for &atom in set {
                self.zip.write_all(&i64::from(atom).to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// Ends the matrix.
    ///
    /// # Errors
    /// Those of writing, and of fewer or more firings than were announced.
    pub fn finish(mut self) -> io::Result<()> {
        let firings = self.indptr.last().copied().unwrap_or(0);
        if firings != self.firings || self.indptr.len() as u64 != self.shape[0] + 1 {
            return Err(io::Error::other("other firings than were announced"));
        }
        self.zip.start_file("indptr.npy", entry())?;
        header::<i64>(&[self.shape[0] + 1], &mut self.zip)?;
        self.zip.write_all(bytemuck::cast_slice(&self.indptr))?;
        self.zip.start_file("shape.npy", entry())?;
        header::<i64>(&[2], &mut self.zip)?;
        self.zip.write_all(bytemuck::cast_slice(&self.shape))?;
        self.zip.start_file("format.npy", entry())?;
        self.zip.write_all(b"\x93NUMPY\x01\x00\x76\x00")?;
        let text = "{'descr': '|S3', 'fortran_order': False, 'shape': (), }";
        self.zip.write_all(format!("{text:<117}\ncsr").as_bytes())?;
        self.zip.start_file("data.npy", entry())?;
        header::<u8>(&[firings], &mut self.zip)?;
        io::copy(&mut io::repeat(1).take(firings), &mut self.zip)?;
        self.zip.finish()?.into_inner().flush()
    }
}

fn entry() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true)
}

/// An array's header alone: its numbers follow as they are in memory, little-endian.
fn header<T: npyz::AutoSerialize>(shape: &[u64], out: &mut impl Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::<T>::new().default_dtype().shape(shape);
    // Nothing is written yet but the header; the count is checked by whoever writes the numbers.
    drop(options.writer(&mut bytes).begin_nd()?);
    out.write_all(&bytes)
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
        let sets = FiringSets::uniform(3, vec![1, 2, 70_000, 4, 5, 6], vec![0, 3]);
        let mut out = Vec::new();
        let mut array = FiringSetsWriter::begin([2, 3], &mut out)?;
        array.add(&sets)?;
        array.finish()?;
        let read = npyz::NpyFile::new(&out[..])?;
        assert_eq!(read.shape(), [2, 3]);
        assert_eq!(read.into_vec::<u32>()?, sets.atoms());
        let mut out = Vec::new();
        rows(&[0, 3], &mut out)?;
        assert_eq!(npyz::NpyFile::new(&out[..])?.into_vec::<u64>()?, [0, 3]);
        Ok(())
    }
}
