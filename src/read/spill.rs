//! Bytes that are decoded once into a file without a name, which vanishes when it is closed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::source::Source;
use super::tensor::Storage;
use crate::error::{Error, Result};

/// A file without a name, in the system's folder of temporary files.
#[derive(Debug)]
pub(super) struct Spill {
    file: BufWriter<File>,
    folder: PathBuf,
    written: u64,
}

impl Spill {
    pub(super) fn new() -> Result<Self> {
        let folder = std::env::temp_dir();
        let file = tempfile::tempfile().map_err(|error| Error::writing(&folder, error))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, file),
            folder,
            written: 0,
        })
    }

    /// The bytes that were written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let failed = |error| Error::writing(&self.folder, error);
        self.file.write_all(bytes).map_err(failed)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// The bytes, which stand in for part of `source`.
    pub(super) fn finish(self, source: &Source) -> Result<Storage> {
        let failed = |error| Error::writing(&self.folder, error);
        let file = self.file.into_inner();
        let file = file.map_err(|error| failed(error.into_error()))?;
        Ok(Storage {
            source: source.standing_in(file, self.written),
            start: 0,
            length: self.written,
        })
    }
}
