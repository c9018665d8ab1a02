//! The files that a run reads. Its outputs never replace or remove any of them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that a run reads, recognized by identity and not by the spelling of their paths:
/// through links, hard ones too, in other cases, and by other ways to their folder.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    certain: Files,
    possible: Files,
}

/// Files by their paths, and by their identities.
#[derive(Debug, Clone, Default)]
struct Files {
    paths: HashSet<PathBuf>,
    identities: HashMap<Identity, PathBuf>,
}

/// The identity of a file under any name: device and inode, if the system has them, and the path
/// without links.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Path(PathBuf),
}

/// Returns a file's identities; none if there is no such file.
fn identities(path: &Path) -> Vec<Identity> {
    let mut all = Vec::new();
    #[cfg(unix)]
    if let Ok(facts) = fs::metadata(path) {
        use std::os::unix::fs::MetadataExt;
        all.push(Identity::Inode(facts.dev(), facts.ino()));
    }
    all.extend(fs::canonicalize(path).ok().map(Identity::Path));
    all
}

impl Files {
    fn add(&mut self, path: PathBuf) {
        for identity in identities(&path) {
            self.identities.insert(identity, path.clone());
        }
        self.paths.insert(path);
    }

    fn find(&self, path: &Path) -> Option<&Path> {
        let spelled = self.paths.get(path);
        let found = spelled.or_else(|| {
            let mut all = identities(path).into_iter();
            all.find_map(|identity| self.identities.get(&identity))
        });
        found.map(PathBuf::as_path)
    }
}

impl Inputs {
    /// Makes the inputs from the files that a run is sure to read.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut inputs = Self::default();
        inputs.add(paths);
        inputs
    }

    /// Adds more files that the run is sure to read.
    pub fn add(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        paths.into_iter().for_each(|path| self.certain.add(path));
    }

    /// Adds files that the run may read; these are only known once others were read.
    pub fn add_possible(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        let there = paths.into_iter().filter(|path| path.exists());
        there.for_each(|path| self.possible.add(path));
    }

    /// Adds all files of others.
    pub fn join(&mut self, others: &Self) {
        for (own, other) in [
            (&mut self.certain, &others.certain),
            (&mut self.possible, &others.possible),
        ] {
            own.paths.extend(other.paths.iter().cloned());
            let identities = other.identities.iter();
            own.identities
                .extend(identities.map(|(identity, path)| (identity.clone(), path.clone())));
        }
    }

    /// Replaces the possible inputs by the files that the run did read, now that they are known.
    pub fn finish(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.possible = Files::default();
        self.add(paths);
    }

    /// Returns the input that a path leads to, as it was named.
    pub fn find(&self, path: &Path) -> Option<&Path> {
        self.certain.find(path)
    }

    /// Returns the possible input that a path leads to.
    pub fn find_possible(&self, path: &Path) -> Option<&Path> {
        self.possible.find(path)
    }
}

/// Says whether two paths lead to one file.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    Inputs::of([a.to_owned()]).find(b).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_recognizes_a_file_by_any_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("x")).unwrap();
        for name in ["in.npy", "other.npy"] {
            fs::write(at(name), "same").unwrap();
        }
        fs::hard_link(at("in.npy"), at("hard.npy")).unwrap();
        let inputs = Inputs::of([at("in.npy"), at("missing.npy")]);
        for same in ["in.npy", "x/../in.npy", "./in.npy", "missing.npy"] {
            assert!(inputs.find(&at(same)).is_some(), "{same}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("in.npy"), at("soft.npy")).unwrap();
            std::os::unix::fs::symlink(folder.path(), at("x/way")).unwrap();
            for same in ["hard.npy", "soft.npy", "x/way/in.npy", "x/way/soft.npy"] {
                assert_eq!(inputs.find(&at(same)), Some(&*at("in.npy")), "{same}");
            }
            let through = Inputs::of([at("soft.npy")]);
            assert!(through.find(&at("in.npy")).is_some());
        }
        for other in ["other.npy", "x", "nothing.npy"] {
            assert!(inputs.find(&at(other)).is_none(), "{other}");
        }
    }

    #[test]
    fn join_adds_all_files_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.npy", "b.npy", "c.csv"] {
            fs::write(at(name), "same").unwrap();
        }
        let mut inputs = Inputs::of([at("a.npy")]);
        let mut others = Inputs::of([at("b.npy")]);
        others.add_possible([at("c.csv")]);
        inputs.join(&others);
        assert_eq!(inputs.find(&at("./a.npy")), Some(&*at("a.npy")));
        assert_eq!(inputs.find(&at("./b.npy")), Some(&*at("b.npy")));
        assert!(inputs.find(&at("c.csv")).is_none());
        assert!(inputs.find_possible(&at("./c.csv")).is_some());
        assert!(others.find(&at("a.npy")).is_none());
    }

    #[test]
    fn find_possible_forgets_unread_files_after_finish() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("atoms.tsv");
        fs::write(&path, "").unwrap();
        let mut inputs = Inputs::default();
        inputs.add_possible([path.clone(), folder.path().join("no.tsv")]);
        assert!(inputs.find(&path).is_none() && inputs.find_possible(&path).is_some());
        assert!(
            inputs
                .find_possible(&folder.path().join("no.tsv"))
                .is_none()
        );
        inputs.finish([]);
        assert!(inputs.find_possible(&path).is_none());
        inputs.finish([path.clone()]);
        assert!(inputs.find(&path).is_some());
    }
}
