//! A file of the calls on which atoms fire.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::place;
use crate::error::{Choice, Error, Result};
use crate::report::calls;
use crate::report::table::tsv;
use crate::stats::calls::AtomCalls;
use crate::write::inputs::Inputs;
use crate::write::lock::OutputLock;
use crate::write::whole::WholeFile;

/// Rows of a table that are made at a time.
const PIECE: usize = 1 << 16;

/// A file that calls are written to: its name says in which format.
#[derive(Debug, Clone)]
pub struct CallsFile {
    /// Held until the file is in its place.
    _lock: Arc<OutputLock>,
    path: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Tsv,
    Bed,
    #[cfg(feature = "parquet")]
    Parquet,
}

impl CallsFile {
    /// Looks at the name, and that nothing is lost by writing there: no file is replaced without
    /// `force`, and none of the `inputs` ever.
    ///
    /// # Errors
    /// A name that ends in no known format; a file that is there; a folder that cannot be written.
    pub fn open(path: &Path, inputs: &Inputs, force: bool) -> Result<Self> {
        let end = path.extension().unwrap_or_default().to_string_lossy();
        let format = match &*end.to_ascii_lowercase() {
            "tsv" => Format::Tsv,
            "bed" => Format::Bed,
            #[cfg(feature = "parquet")]
            "parquet" => Format::Parquet,
            _ => {
                let expected = "a name that ends in .tsv, .bed or .parquet";
                let found = path.display().to_string();
                return Err(Error::choice(Choice::Out, found, expected));
            }
        };
        let lock = place::claim(path, || place::check_new(path, inputs, force))?;
        let path = path.to_owned();
        Ok(Self {
            _lock: Arc::new(lock),
            path,
            format,
        })
    }

    /// Writes the file, whole or not at all. Returns how many calls could not be written: BED has none
    /// without a chromosome and a position.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, found: &[AtomCalls]) -> Result<u64> {
        let failed = |e| Error::writing(&self.path, e);
        let whole = WholeFile::create(&self.path)?;
        let mut out = BufWriter::new(whole.file());
        let left_out = self.content(found, &mut out).map_err(failed)?;
        out.flush().map_err(failed)?;
        drop(out);
        whole.publish()?;
        Ok(left_out)
    }

    fn content(&self, found: &[AtomCalls], out: &mut dyn Write) -> std::io::Result<u64> {
        let pieces = found.iter().flat_map(|from| {
            let rows = from.listed.len();
            let starts = (0..rows).step_by(PIECE);
            starts.map(move |start| calls::table(from, start..rows.min(start + PIECE)))
        });
        let none = || calls::table(&AtomCalls::none(), 0..0);
        match self.format {
            Format::Bed => return calls::bed(found, out),
            Format::Tsv => {
                tsv::header(&none(), out)?;
                for piece in pieces {
                    tsv::rows(&piece, out)?;
                }
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                let mut writer = crate::report::table::parquet::Writer::begin(&none(), out)?;
                for piece in pieces {
                    writer.add(&piece)?;
                }
                writer.finish()?;
            }
        }
        Ok(0)
    }
}
