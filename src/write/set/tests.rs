use super::{OutputSet, Place};
use crate::control::Control;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::outputs::PLACING;
use crate::write::inputs::Inputs;
use crate::write::places::after_each_step;
use crate::write::record::{Found, WrittenFile, read, seal};
use crate::write::verify::verify;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
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
    assert!(super::put(&mut placed, list, new, &mut set).is_err());
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

/// A folder as a process leaves it that is killed at some step.
fn copy(folder: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(folder) {
        let (from, to) = (folder.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// What the outputs of a run hold, whatever else is in their folder.
fn outputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let all = names(folder)
        .into_iter()
        .filter(|name| !name.starts_with('.'));
    all.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect()
}

#[test]
fn commit_killed_at_any_step_leaves_one_run_or_a_folder_that_verify_refuses() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("out");
    run(&path, "one", false).unwrap();
    let write = |path: &Path| {
        let mut files = OutputSet::new(place(path))?;
        files.add("a.txt", |out| out.write_all(b"two"))?;
        files.add("c.txt", |out| out.write_all(b"two"))?;
        commit(files)
    };
    let old = outputs(&path);
    let (count, own, to) = (
        Rc::new(Cell::new(0)),
        path.clone(),
        scratch.path().to_owned(),
    );
    let counted = Rc::clone(&count);
    let look = move |_: &Path| {
        copy(&own, &to.join(counted.get().to_string()));
        counted.set(counted.get() + 1);
    };
    after_each_step(look, || write(&path)).unwrap();
    let new = outputs(&path);
    assert!(new != old && count.get() == 9, "{}", count.get());
    let mut refused = 0;
    for step in 0..count.get() {
        let left = scratch.path().join(step.to_string());
        let found = verify(&left, false, &Control::default()).unwrap();
        let is = outputs(&left);
        if found.faults.is_empty() {
            assert!(is == old || is == new, "step {step}: {is:?}");
        } else {
            refused += 1;
            assert!(!left.join("run.json").exists(), "step {step}");
        }
        // The next run takes all of it for its own, and leaves nothing else.
        write(&left).unwrap();
        let (again, whole) = (outputs(&left), names(&left));
        assert_eq!(again, new, "step {step}");
        assert!(whole.iter().all(|name| !name.starts_with('.')), "{whole:?}");
    }
    assert_eq!(refused, 6);
}

#[test]
fn verify_names_what_is_changed_missing_or_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(path, "one", false).unwrap();
    let faults = |others| {
        let found = verify(path, others, &Control::default()).unwrap();
        let faults = found.faults.iter().map(ToString::to_string);
        faults.collect::<Vec<_>>()
    };
    assert_eq!(faults(false), [""; 0]);
    fs::write(path.join("notes.md"), "mine").unwrap();
    assert!(faults(false)[0].contains("notes.md"), "{:?}", faults(false));
    assert_eq!(faults(true), [""; 0]);
    fs::write(path.join("a.txt"), "ONE").unwrap();
    fs::remove_file(path.join("b.txt")).unwrap();
    let found = faults(true);
    assert!(found[0].contains("a.txt: its SHA-256"), "{found:?}");
    assert!(
        found[1].contains("b.txt: the file: found no such file"),
        "{found:?}"
    );
    fs::write(path.join("a.txt"), "four").unwrap();
    assert!(faults(true)[0].contains("found 4 bytes, expected 3 bytes"));
    let record = fs::read_to_string(path.join("run.json")).unwrap();
    fs::write(path.join("run.json"), record.replace("a test", "a jest")).unwrap();
    assert!(faults(true)[0].contains("changed after it was written"));
    fs::remove_file(path.join("run.json")).unwrap();
    assert!(faults(true)[0].contains("neither run.json nor truth.json"));
    assert!(verify(&path.join("none"), false, &Control::default()).is_err());
}

#[test]
fn verify_follows_no_name_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::create_dir(&path).unwrap();
    fs::write(folder.path().join("secret"), "one").unwrap();
    let listed = WrittenFile {
        name: "../secret".to_owned(),
        bytes: 3,
        sha256: Digest::of(b"one"),
    };
    let text = seal(&serde_json::json!({}), &[listed]).unwrap();
    fs::write(path.join("run.json"), text).unwrap();
    let found = verify(&path, false, &Control::default()).unwrap();
    assert_eq!(found.faults.len(), 1);
    assert!(found.faults[0].to_string().contains("leads elsewhere"));
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let first = OutputSet::new(place(path)).unwrap();
    let error = run(path, "two", false).unwrap_err();
    assert!(error.to_string().contains("another run at work"), "{error}");
    assert_eq!(
        verify(path, false, &Control::default())
            .unwrap()
            .faults
            .len(),
        1
    );
    drop(first);
    assert_eq!(names(path), [""; 0]);
    run(path, "two", false).unwrap();
}
