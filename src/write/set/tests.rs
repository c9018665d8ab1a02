use super::{OutputSet, Place};
use crate::error::{Error, Result};
use crate::outputs::PLACING;
use crate::write::inputs::Inputs;
use crate::write::record::{Found, read};
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

fn place(folder: &Path) -> Place {
    let names = ["a.txt", "b.txt", "c.txt", "old.npy", "run.json", PLACING];
    Place {
        folder: folder.to_owned(),
        names: names.map(str::to_owned).into(),
        record: "run.json",
        inputs: Inputs::default(),
        force: false,
    }
}

fn commit(files: OutputSet) -> Result<Vec<PathBuf>> {
    let ready = files.seal(&serde_json::json!({"made_by": "a test"}))?;
    ready.commit().map(|done| done.written)
}

fn run(folder: &Path, contents: &'static str, fails: bool) -> Result<Vec<PathBuf>> {
    let mut files = OutputSet::new(place(folder))?;
    files.add("a.txt", |out| out.write_all(contents.as_bytes()))?;
    files.add("b.txt", |out| {
        out.write_all(contents.as_bytes())?;
        if fails {
            Err(io::Error::other("no more space"))
        } else {
            Ok(())
        }
    })?;
    commit(files)
}

#[test]
fn commit_replaces_an_earlier_run() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("x/y");
    run(&deep, "one", false).unwrap();
    let written = run(&deep, "two", false).unwrap();
    assert_eq!(
        written,
        ["a.txt", "b.txt", "run.json"].map(|name| deep.join(name))
    );
    assert_eq!(fs::read_to_string(&written[1]).unwrap(), "two");
    assert_eq!(names(&deep), ["a.txt", "b.txt", "run.json"]);
}

#[test]
fn set_that_fails_leaves_an_earlier_run() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "one", false).unwrap();
    let error = run(folder.path(), "two", true).unwrap_err();
    assert!(error.to_string().contains("b.txt"), "{error}");
    assert!(error.to_string().contains("no more space"), "{error}");
    assert_eq!(names(folder.path()), ["a.txt", "b.txt", "run.json"]);
    assert_eq!(fs::read(folder.path().join("a.txt")).unwrap(), b"one");
    assert_eq!(fs::read(folder.path().join("b.txt")).unwrap(), b"one");
}

#[test]
fn commit_undoes_a_failed_rename() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(path, "one", false).unwrap();
    let mut files = OutputSet::new(place(path)).unwrap();
    files.add("a.txt", |out| out.write_all(b"two")).unwrap();
    files.add("c.txt", |out| out.write_all(b"two")).unwrap();
    let ready = files.seal(&serde_json::json!({})).unwrap();
    let record = std::fs::read(path.join("run.json")).unwrap();
    // Someone puts a folder in the place of the second file, after the check.
    fs::create_dir(path.join("c.txt")).unwrap();
    fs::write(path.join("c.txt/mine"), "").unwrap();
    let mut placed = Vec::new();
    let super::Ready {
        record: new,
        mut set,
    } = ready;
    let list = super::listing(&path.join(PLACING), &serde_json::Map::new(), &[]).unwrap();
    assert!(super::put(&mut placed, path, list, new, &mut set).is_err());
    super::take_back(placed);
    drop(set);
    assert_eq!(names(path), ["a.txt", "b.txt", "c.txt", "run.json"]);
    assert_eq!(fs::read(path.join("a.txt")).unwrap(), b"one");
    assert_eq!(fs::read(path.join("run.json")).unwrap(), record);
    assert_eq!(names(&path.join("c.txt")), ["mine"]);
}

#[test]
fn commit_removes_unwritten_outputs_only_if_all_else_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let run = |names: &[&str], fails: bool| {
        let mut files = OutputSet::new(place(path))?;
        for name in names {
            files.add(name, |out| out.write_all(name.as_bytes()))?;
        }
        if fails {
            return Err(Error::Cancelled);
        }
        commit(files)
    };
    run(&["a.txt", "old.npy"], false).unwrap();
    assert!(run(&["a.txt"], true).is_err());
    assert_eq!(names(path), ["a.txt", "old.npy", "run.json"]);
    run(&["b.txt"], false).unwrap();
    assert_eq!(names(path), ["b.txt", "run.json"]);
}

#[test]
fn record_lists_the_written_files() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "one", false).unwrap();
    let Found::Whole(files) = read(&folder.path().join("run.json")) else {
        panic!("no record");
    };
    let listed: Vec<_> = files.iter().map(|file| (&*file.name, file.bytes)).collect();
    assert_eq!(listed, [("a.txt", 3), ("b.txt", 3)]);
    assert_eq!(files[0].sha256, crate::digest::Digest::of(b"one"));
}

#[test]
fn commit_keeps_a_users_files_put_there_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(path, "one", false).unwrap();
    for (name, mine) in [("a.txt", "own"), ("c.txt", "new"), ("old.npy", "own")] {
        let before = fs::read(path.join(name)).ok();
        let mut files = OutputSet::new(place(path)).unwrap();
        files.add("a.txt", |out| out.write_all(b"two")).unwrap();
        files.add("c.txt", |out| out.write_all(b"two")).unwrap();
        // The file has the same length and, as far as a clock shows, the same time.
        fs::write(path.join(name), mine).unwrap();
        let error = commit(files).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(fs::read(path.join(name)).unwrap(), mine.as_bytes());
        match before {
            Some(content) => fs::write(path.join(name), content).unwrap(),
            None => fs::remove_file(path.join(name)).unwrap(),
        }
    }
    assert_eq!(names(path), ["a.txt", "b.txt", "run.json"]);
}

#[test]
fn add_refuses_a_name_that_is_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = OutputSet::new(place(folder.path())).unwrap();
    for name in ["x.txt", "run.json", PLACING, "../a.txt"] {
        assert!(files.add(name, |_| Ok(())).is_err(), "{name}");
    }
}

#[test]
fn set_removes_a_folder_made_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&folder.path().join("x/y"), "one", true).is_err());
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn set_refuses_a_file_as_folder() {
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
fn files_are_readable_by_others_as_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let written = run(&folder.path().join("out"), "one", false).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&written[0]), mode(&plain));
}
