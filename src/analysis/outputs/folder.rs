//! The folder of an analysis, in which all files appear or none.

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Content, Found, Html, OUTPUTS, Output, PAGE, Save, names, parquet};
use crate::analysis::counted::Counted;
use crate::analysis::record::{Record, Written};
use crate::analysis::tables::Tables;
use crate::clock::{Clock, Lap};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::outputs::RECORD;
use crate::report::table::tsv;
use crate::report::text;
use crate::write::inputs::Inputs;
use crate::write::set::{OutputSet, Place};

/// The folder of an analysis.
pub struct ResultsFolder {
    clock: Clock,
    files: OutputSet,
}

impl ResultsFolder {
    /// Makes the folder: one that cannot be written, or in which a user's files would be replaced,
    /// is better known before the work than after it. `inputs` are never replaced; with `force` other
    /// files are.
    ///
    /// # Errors
    /// A folder that cannot be written, or that holds files which no earlier run wrote.
    pub fn open(folder: &Path, inputs: Inputs, force: bool) -> Result<Self> {
        let clock = Clock::start();
        let files = OutputSet::new(place(folder, inputs, force))?;
        Ok(Self { clock, files })
    }

    /// Looks whether [`open`](Self::open) would refuse the folder, and makes nothing.
    ///
    /// # Errors
    /// Files which no earlier run wrote.
    pub fn check(folder: &Path, force: bool) -> Result<()> {
        OutputSet::check(place(folder, Inputs::default(), force))
    }

    /// Seconds since it was opened.
    pub(crate) fn spent(&self) -> Lap {
        self.clock.elapsed()
    }

    /// Writes all files, and the record that `describe` completes. `show` prints the report before
    /// files are put in their place: one that cannot be printed leaves none. Returns the names of a
    /// user's files that have the name of an output which this run does not write.
    ///
    /// # Errors
    /// Files that cannot be written, those of `describe` and `show`; cancellation.
    pub fn write(
        mut self,
        counted: &Counted,
        tables: &Tables,
        save: Save,
        control: &Control,
        describe: impl FnOnce(&mut Record) -> Result<()>,
        show: impl FnOnce(&text::Report<'_>) -> Result<()>,
    ) -> Result<Vec<String>> {
        control.check()?;
        let report = tables.report();
        let printed = report.to_string();
        let found = Found {
            counted,
            tables,
            control,
            save,
            report: &printed,
        };
        let clock = Clock::start();
        let encoded = match save.html {
            Html::Only => OUTPUTS.iter().map(|_| None).collect(),
            Html::Yes | Html::No => found.encode(),
        };
        let mut written = Written {
            tables: clock.elapsed(),
            ..Written::default()
        };
        for (output, bytes) in OUTPUTS.iter().zip(encoded) {
            if save.html == Html::Only && output.name != PAGE {
                continue;
            }
            let clock = Clock::start();
            let is_table = !matches!(output.content, Content::File(..));
            self.add(output, bytes, &found)?;
            if is_table {
                written.tables += clock.elapsed();
            } else if output.name == PAGE {
                written.page = clock.elapsed();
            }
        }
        let mut record = Record::of(counted, tables, written);
        describe(&mut record)?;
        record.finish(self.spent());
        let read = record.inputs.iter().map(|file| PathBuf::from(&file.path));
        self.files.finish_inputs(read);
        let ready = self.files.seal(&record)?;
        show(&report)?;
        Ok(ready.commit()?.staying)
    }

    fn add(&mut self, output: &Output, bytes: Encoded, found: &Found<'_>) -> Result<()> {
        match &output.content {
            Content::File(is_made, write) if is_made(found) => {
                // What ends the reading is told as it is, and not as a file that cannot be written.
                let mut failed = None;
                let written = self.files.add(output.name, |out| {
                    write(found, out).map_err(|error| match error {
                        Error::Io { source, .. } => source,
                        other => {
                            failed = Some(other);
                            io::ErrorKind::Other.into()
                        }
                    })
                });
                failed.map_or(written, Err)
            }
            Content::File(..) => Ok(()),
            Content::Parquet(_) | Content::Text(_) | Content::Pairs => match bytes {
                Some(bytes) => self.files.add(output.name, |out| out.write_all(&bytes?)),
                None => found.add_pairs(output, &mut self.files),
            },
        }
    }
}

fn place(folder: &Path, inputs: Inputs, force: bool) -> Place {
    Place {
        folder: folder.to_owned(),
        names: names(),
        record: RECORD,
        inputs,
        force,
    }
}

/// A file's bytes, where they were made beforehand.
type Encoded = Option<io::Result<Vec<u8>>>;

impl Found<'_> {
    /// Each table is encoded by a thread of its own, and then written: there is little to write.
    fn encode(&self) -> Vec<Encoded> {
        let Some(extended) = &self.tables.extended else {
            return OUTPUTS.iter().map(|_| None).collect();
        };
        let encode = |output: &Output| {
            let mut bytes = Vec::new();
            let written = match output.content {
                Content::Parquet(table) if parquet::IS_WRITTEN => {
                    parquet::write(&table(extended)?, &mut bytes)
                }
                Content::Text(table) => tsv::write(&table(extended)?, &mut bytes),
                Content::File(..) | Content::Parquet(_) | Content::Pairs => return None,
            };
            Some(written.map(|()| bytes))
        };
        OUTPUTS.par_iter().with_max_len(1).map(encode).collect()
    }

    fn add_pairs(&self, output: &Output, files: &mut OutputSet) -> Result<()> {
        let extended = self.tables.extended.as_ref();
        let pairs = extended.and_then(|extended| extended.pairs.as_ref());
        match (&output.content, pairs) {
            (Content::Pairs, Some(pairs)) if parquet::IS_WRITTEN => {
                files.add(output.name, |out| parquet::write_pairs(pairs, out))
            }
            _ => Ok(()),
        }
    }
}
