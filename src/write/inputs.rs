//! Which files a run reads: none of them is ever replaced or removed by what it writes.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that a run reads, known by what they are and not by how their paths are spelled:
/// through links, hard ones too, in other cases, and by other ways to their folder.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    certain: Files,
    possible: Files,
}

/// Files by their paths, and by what they are.
#[derive(Debug, Clone, Default)]
struct Files {
    paths: HashSet<PathBuf>,
    identities: HashMap<Identity, PathBuf>,
}

/// What a file is, however it is called: device and inode, where the system has such, and the path
/// without links.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Path(PathBuf),
}

/// `None` where there is no such file.
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
    /// The files that a run is sure to read.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut inputs = Self::default();
        inputs.add(paths);
        inputs
    }

    /// More of them.
    pub fn add(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        paths.into_iter().for_each(|path| self.certain.add(path));
    }

    /// Files that it may read: what these are is only known once others were read.
    pub fn add_possible(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        let there = paths.into_iter().filter(|path| path.exists());
        there.for_each(|path| self.possible.add(path));
    }

    /// All that was read, now that it is known; what only might have been read was not.
    pub fn finish(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.possible = Files::default();
        self.add(paths);
    }

    /// The input that a path leads to, as it was named.
    pub fn find(&self, path: &Path) -> Option<&Path> {
        self.certain.find(path)
    }

    /// The same of those that may be read.
    pub fn find_possible(&self, path: &Path) -> Option<&Path> {
        self.possible.find(path)
    }
}

/// Whether two paths lead to one file.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    Inputs::of([a.to_owned()]).find(b).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_however_it_is_spelled() {
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
    fn what_may_be_read_is_past_later() {
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
