//! The file that annotated records are written to: plain text, or bgzip with its index.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::place;
use crate::error::{Choice, Error, Result};
use crate::write::bgzip::index::{Index, IndexFormat};
use crate::write::bgzip::{BgzipWriter, BlockStarts};
use crate::write::inputs::Inputs;
use crate::write::lock::OutputLock;
use crate::write::together::publish_together;
use crate::write::whole::WholeFile;

/// A place for an annotated VCF.
#[derive(Debug, Clone)]
pub struct AnnotatedFile {
    path: PathBuf,
    pub(super) is_bgzip: bool,
    /// Held until the file is in its place.
    _lock: Arc<OutputLock>,
}

impl AnnotatedFile {
    /// Looks at the name, and that nothing is lost by writing there: no file is replaced without `force`, and
    /// none of the `inputs` ever. The same holds of the index beside it.
    ///
    /// # Errors
    /// A name that ends in no known format; a file that is there; a folder that cannot be written.
    pub fn open(path: &Path, inputs: &Inputs, force: bool) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let ends_in = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        let is_bgzip = ends_in(&[".vcf.gz", ".vcf.bgz"]);
        if !is_bgzip && !ends_in(&[".vcf"]) {
            let expected = "a name that ends in .vcf.gz (bgzip, with an index) or .vcf";
            let found = path.display().to_string();
            return Err(Error::choice(Choice::Out, found, expected));
        }
        let indices = [IndexFormat::Tbi, IndexFormat::Csi(0)].map(|format| index_of(path, format));
        let lock = place::claim(path, || {
            place::check_new(path, inputs, force)?;
            let mut beside = indices.iter().filter(|_| is_bgzip);
            beside.try_for_each(|index| place::check_new(index, inputs, force))
        })?;
        Ok(Self {
            path: path.to_owned(),
            is_bgzip,
            _lock: Arc::new(lock),
        })
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file, and its index, whole or not at all.
    ///
    /// # Errors
    /// Those of `content`, and files that cannot be written.
    pub(super) fn write(
        &self,
        format: IndexFormat,
        content: impl FnOnce(&mut Sink<'_>) -> Result<()>,
    ) -> Result<()> {
        let whole = WholeFile::create(&self.path)?;
        let mut sink = Sink::new(whole.file(), self.is_bgzip.then_some(format), &self.path);
        content(&mut sink)?;
        let Some((index, blocks)) = sink.finish()? else {
            return whole.publish();
        };
        let path = index_of(&self.path, format);
        let beside = WholeFile::create(&path)?;
        let out = BufWriter::new(beside.file());
        let written = index.write(&blocks, out).and_then(|mut out| out.flush());
        written.map_err(|error| Error::writing(&path, error))?;
        // Programs would take an index of the other format for this file's.
        let other = match format {
            IndexFormat::Tbi => IndexFormat::Csi(0),
            IndexFormat::Csi(_) => IndexFormat::Tbi,
        };
        publish_together(vec![whole, beside], &[&index_of(&self.path, other)])
    }
}

/// The path of a file's index.
fn index_of(path: &Path, format: IndexFormat) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format.ending());
    name.into()
}

/// What takes the text.
pub(super) struct Sink<'a> {
    out: Out<'a>,
    path: &'a Path,
}

enum Out<'a> {
    Plain(BufWriter<&'a File>),
    Bgzip(Box<BgzipWriter<&'a File>>, Index),
}

impl<'a> Sink<'a> {
    /// Begins with bgzip where there is an index, else plain.
    fn new(file: &'a File, format: Option<IndexFormat>, path: &'a Path) -> Self {
        let out = match format {
            None => Out::Plain(BufWriter::with_capacity(1 << 18, file)),
            Some(format) => Out::Bgzip(Box::new(BgzipWriter::new(file)), Index::new(format)),
        };
        Self { out, path }
    }

    /// Appends text.
    pub(super) fn add(&mut self, text: &[u8]) -> Result<()> {
        let written = match &mut self.out {
            Out::Plain(file) => file.write_all(text),
            Out::Bgzip(file, _) => file.write_all(text),
        };
        written.map_err(|error| Error::writing(self.path, error))
    }

    /// The length of the text that is to be indexed.
    pub(super) fn place(&self) -> u64 {
        match &self.out {
            Out::Plain(_) => 0,
            Out::Bgzip(file, _) => file.place(),
        }
    }

    /// Indexes a record that began at a place and ends here.
    pub(super) fn index(&mut self, contig: &[u8], bases: [u64; 2], began: u64) {
        if let Out::Bgzip(file, index) = &mut self.out {
            index.add(contig, bases, [began, file.place()]);
        }
    }

    /// Ends the file; returns the index, where there is one.
    fn finish(self) -> Result<Option<(Index, BlockStarts)>> {
        let finished = match self.out {
            Out::Plain(mut file) => file.flush().map(|()| None),
            Out::Bgzip(file, index) => file.finish().map(|(_, blocks)| Some((index, blocks))),
        };
        finished.map_err(|error| Error::writing(self.path, error))
    }
}
