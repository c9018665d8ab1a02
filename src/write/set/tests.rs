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
    let mut files = OutputSet::new(folder)?;
    files.add("a.txt", |out| out.write_all(contents.as_bytes()))?;
    files.add("b.txt", |out| {
        out.write_all(contents.as_bytes())?;
        if fails {
            Err(io::Error::other("no more space"))
        } else {
            Ok(())
        }
    })?;
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
    let mut files = OutputSet::new(path).unwrap();
    files.add("a.txt", |out| out.write_all(b"two")).unwrap();
    files.add("c.txt", |out| out.write_all(b"two")).unwrap();
    // Someone puts a folder where the second file must go.
    fs::create_dir(path.join("c.txt")).unwrap();
    fs::write(path.join("c.txt/mine"), "").unwrap();
    assert!(matches!(files.commit(), Err(Error::Io { .. })));
    assert_eq!(names(path), ["a.txt", "c.txt"]);
    assert_eq!(fs::read(path.join("a.txt")).unwrap(), b"one");
    assert_eq!(names(&path.join("c.txt")), ["mine"]);
}

#[test]
fn what_a_run_does_not_write_goes_only_if_all_else_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("old.npy"), "old").unwrap();
    fs::create_dir(path.join("b.txt")).unwrap();
    let run = || {
        let mut files = OutputSet::new(path)?;
        files.remove("old.npy");
        files.remove("never.npy");
        files.add("b.txt", |out| out.write_all(b"new"))?;
        files.commit()
    };
    assert!(run().is_err());
    assert_eq!(names(path), ["b.txt", "old.npy"]);
    fs::remove_dir(path.join("b.txt")).unwrap();
    run().unwrap();
    assert_eq!(names(path), ["b.txt"]);
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
