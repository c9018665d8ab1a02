//! Files that appear all together or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Result};

/// Writes one file's contents.
pub type Writer<'a> = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + 'a>;

/// The files of one run and the folder they go to.
///
/// [`OutputSet::commit`] writes each to a temporary file in that folder and syncs it; only when
/// all have succeeded are they renamed. Whatever fails before, or on the way, an earlier run's
/// files are left, or put back, as they were, no temporary file stays, and a folder that was
/// made for the run is removed again.
///
/// ```
/// use atomscope::report::write::OutputSet;
///
/// let folder = tempfile::tempdir()?;
/// let mut files = OutputSet::new(folder.path().join("results"));
/// files.add("report.txt", |out| out.write_all(b"all is well\n"));
/// let written = files.commit()?;
/// assert_eq!(std::fs::read(&written[0])?, b"all is well\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OutputSet<'a> {
    folder: PathBuf,
    files: Vec<(String, Writer<'a>)>,
}

/// A file that is written, but not yet in place.
struct Staged {
    target: PathBuf,
    temporary: TempPath,
}

/// A file that is in place, and the earlier one that it took the place of.
struct Placed {
    target: PathBuf,
    earlier: Option<TempPath>,
}

impl<'a> OutputSet<'a> {
    /// No files yet; nothing is touched before [`OutputSet::commit`].
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            files: Vec::new(),
        }
    }

    /// Adds a file by its name in the folder; its writer runs at [`OutputSet::commit`], through a
    /// buffer. A later file of the same name takes the earlier one's place.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        writer: impl FnOnce(&mut dyn Write) -> io::Result<()> + 'a,
    ) {
        self.files.push((name.into(), Box::new(writer)));
    }

    /// Writes everything, and tells the paths in the order in which they were added.
    ///
    /// # Errors
    /// [`Error::Io`] with the file or folder that could not be written.
    pub fn commit(self) -> Result<Vec<PathBuf>> {
        let created = create_folder(&self.folder)?;
        let written = write_all(&self.folder, self.files);
        if written.is_err() {
            remove_folders(&created);
        }
        written
    }
}

fn write_all(folder: &Path, files: Vec<(String, Writer<'_>)>) -> Result<Vec<PathBuf>> {
    let staged = files
        .into_iter()
        .map(|(name, writer)| stage(folder, &name, writer))
        .collect::<Result<Vec<_>>>()?;
    let mut placed = Vec::new();
    for file in staged {
        match place(folder, file) {
            Ok(done) => placed.push(done),
            Err(error) => {
                take_back(placed);
                return Err(error);
            }
        }
    }
    sync_folder(folder);
    Ok(placed.into_iter().map(|file| file.target).collect())
}

/// Writes one file under a temporary name.
fn stage(folder: &Path, name: &str, writer: Writer<'_>) -> Result<Staged> {
    let target = folder.join(name);
    if target.is_dir() {
        return Err(Error::writing(&target, io::ErrorKind::IsADirectory.into()));
    }
    let temporary = write_temporary(folder, writer).map_err(|e| Error::writing(&target, e))?;
    Ok(Staged { target, temporary })
}

fn write_temporary(folder: &Path, writer: Writer<'_>) -> io::Result<TempPath> {
    let mut out = BufWriter::with_capacity(1 << 16, temporary(folder)?);
    writer(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".atomscope-");
    // Temporary files are their owner's alone by default; these become ordinary files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Renames one file into its place, keeping what was there.
fn place(folder: &Path, Staged { target, temporary }: Staged) -> Result<Placed> {
    let placing = || {
        let earlier = set_aside(folder, &target)?;
        temporary.persist(&target).map_err(|failed| failed.error)?;
        Ok(earlier)
    };
    match placing() {
        Ok(earlier) => Ok(Placed { target, earlier }),
        Err(error) => Err(Error::writing(&target, error)),
    }
}

/// A second name for a file, or a copy where the file system has no links; `None` if there is no
/// such file. The first name stays in place.
fn set_aside(folder: &Path, target: &Path) -> io::Result<Option<TempPath>> {
    if !target.try_exists()? {
        return Ok(None);
    }
    let aside = temporary(folder)?.into_temp_path();
    fs::remove_file(&aside)?;
    fs::hard_link(target, &aside).or_else(|_| fs::copy(target, &aside).map(drop))?;
    Ok(Some(aside))
}

/// Undoes what is already in place. A failure here cannot be mended, and the first one is what
/// the user must hear of.
fn take_back(placed: Vec<Placed>) {
    for file in placed.into_iter().rev() {
        match file.earlier {
            Some(earlier) => drop(earlier.persist(&file.target)),
            None => drop(fs::remove_file(&file.target)),
        }
    }
}

/// Makes the renames last through a power cut, where the file system can do that for folders;
/// the files themselves are synced already.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        drop(File::open(folder).and_then(|folder| folder.sync_all()));
    }
}

/// Creates a folder with all above it that are missing, and tells which, deepest first.
fn create_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(is_missing)
        .map(Path::to_owned)
        .collect();
    if let Err(source) = fs::create_dir_all(folder) {
        remove_folders(&missing);
        return Err(Error::Io {
            path: folder.to_owned(),
            doing: "create the folder",
            action: "choose a folder that can be written, with space left",
            source,
        });
    }
    Ok(missing)
}

/// Removes folders that are empty; others stay.
fn remove_folders(folders: &[PathBuf]) {
    for folder in folders {
        drop(fs::remove_dir(folder));
    }
}

#[cfg(test)]
mod tests {
    use super::OutputSet;
    use crate::error::{Error, Result};
    use std::path::{Path, PathBuf};
    use std::{fs, io};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn run(folder: &Path, contents: &'static str, fails: bool) -> Result<Vec<PathBuf>> {
        let mut files = OutputSet::new(folder);
        files.add("a.txt", move |out| out.write_all(contents.as_bytes()));
        files.add("b.txt", move |out| {
            out.write_all(contents.as_bytes())?;
            if fails {
                Err(io::Error::other("no more space"))
            } else {
                Ok(())
            }
        });
        files.commit()
    }

    #[test]
    fn a_second_run_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y");
        run(&deep, "one", false).unwrap();
        let written = run(&deep, "two", false).unwrap();
        assert_eq!(written, [deep.join("a.txt"), deep.join("b.txt")]);
        assert_eq!(fs::read_to_string(&written[1]).unwrap(), "two");
        assert_eq!(names(&deep), ["a.txt", "b.txt"]);
    }

    #[test]
    fn a_failing_run_leaves_the_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "one", false).unwrap();
        let error = run(folder.path(), "two", true).unwrap_err();
        assert!(error.to_string().contains("b.txt"), "{error}");
        assert!(error.to_string().contains("no more space"), "{error}");
        assert_eq!(names(folder.path()), ["a.txt", "b.txt"]);
        assert_eq!(fs::read(folder.path().join("a.txt")).unwrap(), b"one");
        assert_eq!(fs::read(folder.path().join("b.txt")).unwrap(), b"one");
    }

    #[test]
    fn a_rename_that_fails_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("a.txt"), "one").unwrap();
        let mut files = OutputSet::new(path);
        files.add("a.txt", |out| out.write_all(b"two"));
        files.add("c.txt", |out| out.write_all(b"two"));
        // The last writer puts a folder where the second file must go.
        files.add("b.txt", |_| {
            fs::create_dir(path.join("c.txt"))?;
            fs::write(path.join("c.txt/mine"), "")
        });
        assert!(matches!(files.commit(), Err(Error::Io { .. })));
        assert_eq!(names(path), ["a.txt", "c.txt"]);
        assert_eq!(fs::read(path.join("a.txt")).unwrap(), b"one");
        assert_eq!(names(&path.join("c.txt")), ["mine"]);
    }

    #[test]
    fn a_folder_made_in_vain_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(run(&folder.path().join("x/y"), "one", true).is_err());
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn a_file_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "mine").unwrap();
        for target in [file.clone(), file.join("below"), file.join("far/below")] {
            let error = run(&target, "one", false).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("create the folder"), "{error}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let written = run(&folder.path().join("out"), "one", false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&written[0]), mode(&plain));
    }
}
