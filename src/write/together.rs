//! A few files that belong together, without a record: the last one vouches for the others.

use std::path::Path;

use super::places::{Placed, place, sync_folder, take_away, take_back};
use super::whole::{FinishedFile, WholeFile, folder_of};
use crate::error::Result;

/// Moves files of one folder to their places, over older ones. Before that the last one's older version and
/// `stale` files are removed; the last one is placed last. So a process that is killed leaves the older
/// files, the new ones, or no last one.
///
/// # Errors
/// Fails if a file cannot be put in its place; the older ones stay then.
pub fn publish_together(files: Vec<WholeFile>, stale: &[&Path]) -> Result<()> {
    let finished = files.into_iter().map(|file| file.finish(true));
    let mut finished: Vec<_> = finished.collect::<Result<_>>()?;
    let Some(last) = finished.pop() else {
        return Ok(());
    };
    let folder = folder_of(last.path()).to_owned();
    let mut placed = Vec::new();
    let outcome = put(&mut placed, &folder, finished, last, stale);
    if outcome.is_err() {
        take_back(placed);
    }
    sync_folder(&folder);
    outcome
}

fn put(
    placed: &mut Vec<Placed>,
    folder: &Path,
    files: Vec<FinishedFile>,
    last: FinishedFile,
    stale: &[&Path],
) -> Result<()> {
    if !files.is_empty() || !stale.is_empty() {
        for path in stale.iter().copied().chain([last.path()]) {
            placed.push(take_away(folder, path.to_owned())?);
        }
        sync_folder(folder);
    }
    for file in files {
        placed.push(place(folder, file)?);
    }
    sync_folder(folder);
    placed.push(place(folder, last)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::io::Write;
    use std::rc::Rc;

    use super::*;
    use crate::write::places::after_each_step;

    /// What two files and a stale one hold.
    fn contents(folder: &Path) -> [Option<String>; 3] {
        ["a.vcf.gz", "a.vcf.gz.tbi", "a.vcf.gz.csi"]
            .map(|name| fs::read_to_string(folder.join(name)).ok())
    }

    fn publish(folder: &Path, content: &str) -> Result<()> {
        let file = |name: &str| {
            let file = WholeFile::create(&folder.join(name))?;
            file.file().write_all(content.as_bytes()).unwrap();
            Ok(file)
        };
        let files = vec![file("a.vcf.gz")?, file("a.vcf.gz.tbi")?];
        publish_together(files, &[&folder.join("a.vcf.gz.csi")])
    }

    #[test]
    fn publish_together_never_leaves_a_last_file_of_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        publish(path, "old").unwrap();
        fs::write(path.join("a.vcf.gz.csi"), "older").unwrap();
        let (seen, own) = (Rc::new(RefCell::new(Vec::new())), path.to_owned());
        let list = Rc::clone(&seen);
        let look = move |_: &Path| list.borrow_mut().push(contents(&own));
        after_each_step(look, || publish(path, "new")).unwrap();
        let seen = seen.take();
        assert!(seen.len() >= 5, "{seen:?}");
        let text = |text: &str| Some(text.to_owned());
        for [table, index, other] in &seen {
            let is_whole = index.is_none() || index == table;
            assert!(
                is_whole && (other.is_none() || *table == text("old")),
                "{seen:?}"
            );
        }
        assert_eq!(contents(path), [text("new"), text("new"), None]);
        assert_eq!(fs::read_dir(path).unwrap().count(), 2);
    }

    #[test]
    fn publish_together_that_fails_leaves_the_older_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        publish(path, "old").unwrap();
        let file = WholeFile::create(&path.join("a.vcf.gz")).unwrap();
        file.file().write_all(b"new").unwrap();
        fs::create_dir(path.join("x")).unwrap();
        let last = WholeFile::create(&path.join("x")).unwrap();
        assert!(publish_together(vec![file, last], &[&path.join("a.vcf.gz.tbi")]).is_err());
        let old = || Some("old".to_owned());
        assert_eq!(contents(path), [old(), old(), None]);
        assert_eq!(fs::read_dir(path).unwrap().count(), 3);
    }
}
