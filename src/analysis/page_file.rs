//! A page in a file of its own.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::counted::Counted;
use super::outputs::{PAGE, page};
use super::place;
use super::tables::Tables;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::regular;
use crate::report::html::{NoPage, Settings, redress};
use crate::write::inputs::Inputs;
use crate::write::lock::OutputLock;
use crate::write::whole::WholeFile;

/// The file of a page.
#[derive(Debug, Clone)]
pub struct PageFile {
    /// Held until the file is in its place.
    _lock: Arc<OutputLock>,
    path: PathBuf,
}

impl PageFile {
    /// Looks that nothing is lost by writing there: no file is replaced without `force`, and none of the
    /// `inputs` ever.
    ///
    /// # Errors
    /// A file that is there; a folder that cannot be written.
    pub fn open(path: &Path, inputs: &Inputs, force: bool) -> Result<Self> {
        let lock = place::claim(path, || place::check_new(path, inputs, force))?;
        let path = path.to_owned();
        Ok(Self {
            _lock: Arc::new(lock),
            path,
        })
    }

    /// The page in a folder of results.
    pub fn in_folder(folder: &Path) -> PathBuf {
        folder.join(PAGE)
    }

    /// Writes the page of a cohort's tables with these settings, whole or not at all.
    ///
    /// # Errors
    /// Those of reading firing sets; a file that cannot be written; cancellation.
    pub fn write(
        &self,
        counted: &Counted,
        tables: &Tables,
        settings: &Settings,
        control: &Control,
    ) -> Result<()> {
        let report = tables.report().to_string();
        self.put(&mut |out| page(counted, tables, (&report, settings), control, out))
    }

    /// Writes the page of earlier results with other settings; where its page is not there, that of its
    /// tables.
    ///
    /// # Errors
    /// A folder without a page or tables of this version; a file that cannot be written.
    pub fn redress(&self, folder: &Path, settings: &Settings) -> Result<()> {
        let path = Self::in_folder(folder);
        let refuse = |found: &str, what: &str| {
            let expected = "report.html as analyze and report of this version write it";
            Error::input(
                path.display().to_string(),
                "the page",
                found,
                expected,
                what,
            )
        };
        if !path.exists() {
            return self.put_text(&of_earlier(folder, settings)?);
        }
        let bytes = regular::bytes(&path, u64::MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        let made = redress(&text, settings).map_err(|reason| match reason {
            NoPage::Other => refuse("another file, or a page without tables", "make it again"),
            NoPage::Cut => refuse("a page without its end", "make it again, or copy it whole"),
            NoPage::Version(version) => refuse(
                &format!("a page of version {version}"),
                "make it again with this version",
            ),
        })?;
        self.put_text(&made)
    }

    fn put_text(&self, page: &str) -> Result<()> {
        self.put(&mut |out| {
            let written = out.write_all(page.as_bytes());
            written.map_err(|source| Error::writing(&self.path, source))
        })
    }

    fn put(&self, write: &mut dyn FnMut(&mut dyn Write) -> Result<()>) -> Result<()> {
        let whole = WholeFile::create(&self.path)?;
        let mut out = BufWriter::new(whole.file());
        write(&mut out)?;
        out.flush()
            .map_err(|source| Error::writing(&self.path, source))?;
        drop(out);
        whole.publish()
    }
}

/// The page of the tables in a folder of results.
#[cfg(feature = "parquet")]
fn of_earlier(folder: &Path, settings: &Settings) -> Result<String> {
    super::earlier::read(folder)?.page(settings).ok_or_else(|| {
        Error::input(
            folder.join("atoms.parquet").display().to_string(),
            "the table",
            "no counts of atoms",
            "the columns atom, tp_on, fp_on, tp_off and fp_off, one row an atom",
            "make the results again",
        )
    })
}

/// Without Parquet, tables are not read.
#[cfg(not(feature = "parquet"))]
fn of_earlier(folder: &Path, _: &Settings) -> Result<String> {
    Err(Error::input(
        folder.display().to_string(),
        "the folder",
        "no report.html",
        "report.html, as this build reads no Parquet",
        "run analyze or report with the page, or give the tally",
    ))
}
