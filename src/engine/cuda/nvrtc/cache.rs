//! Compiled kernels on disk, under a name that holds all that they were made from.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Family, compile, options, target_architecture, version};
use crate::engine::cuda::fault::Fault;

/// The bytes of the digest at a file's end.
const DIGEST: usize = 32;

/// The folder for what can be made again: `$ATOMSCOPE_CACHE`, else `$XDG_CACHE_HOME/atomscope`,
/// else `~/.cache/atomscope` (on Windows in `%LOCALAPPDATA%`). `None` where none of these is set.
pub fn cache_folder() -> Option<PathBuf> {
    let folder = |name: &str| -> Option<PathBuf> {
        let value: OsString = env::var_os(name)?;
        (!value.is_empty()).then(|| PathBuf::from(value))
    };
    folder("ATOMSCOPE_CACHE").or_else(|| {
        let system = if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else {
            folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))
        };
        Some(system?.join("atomscope"))
    })
}

/// A family's code for an architecture, from the disk or compiled now. A file that is not, byte
/// for byte, what was once written is compiled anew; one that cannot be written is done without.
pub fn cubin(family: &Family, architecture: u32) -> Result<Vec<u8>, Fault> {
    let target = target_architecture(architecture)?;
    if let Some(folder) = env::var_os("ATOMSCOPE_CACHE") {
        check_folder(Path::new(&folder))?;
    }
    let key = key(family, target, version()?);
    let path =
        cache_folder().map(|folder| folder.join("kernels").join(file_name(family, target, &key)));
    if let Some(cubin) = path.as_deref().and_then(|path| read(path, &key)) {
        return Ok(cubin);
    }
    let cubin = compile(family, architecture)?.cubin;
    if let Some(path) = path {
        // The next run compiles again: slower, and as right.
        let _ = write(&path, &key, &cubin);
    }
    Ok(cubin)
}

/// Refuses a folder in which everybody may put files: what lies there would be run.
fn check_folder(folder: &Path) -> Result<(), Fault> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = fs::metadata(folder).map_or(0, |facts| facts.mode());
        if mode & 0o002 != 0 {
            let what = format!(
                "ATOMSCOPE_CACHE is {}, where everybody may write",
                folder.display()
            );
            let action = "name a folder of your own, or take the right from others: chmod o-w";
            return Err(Fault::failed(what, action));
        }
    }
    Ok(())
}

/// The digest of all that code depends on.
fn key(family: &Family, target: u32, version: (i32, i32)) -> [u8; DIGEST] {
    let mut digest = Sha256::new();
    let mut part = |text: &str| {
        // With its length, so that no two lists of parts run together into one text.
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    };
    part(env!("CARGO_PKG_VERSION"));
    part(&format!("NVRTC {}.{}", version.0, version.1));
    part(family.name);
    part(family.source);
    for option in options(target) {
        part(&option);
    }
    digest.finalize().into()
}

fn file_name(family: &Family, target: u32, key: &[u8; DIGEST]) -> String {
    let key = key
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("{}-sm_{target}-{key}.cubin", family.name)
}

/// The digest at the end of a file: of the key too, so that a file under another's name is none.
fn seal(key: &[u8; DIGEST], cubin: &[u8]) -> [u8; DIGEST] {
    Sha256::new()
        .chain_update(key)
        .chain_update(cubin)
        .finalize()
        .into()
}

fn read(path: &Path, key: &[u8; DIGEST]) -> Option<Vec<u8>> {
    let mut bytes = read_own(path)?;
    let (cubin, digest) = bytes.split_last_chunk::<DIGEST>()?;
    if cubin.is_empty() || *digest != seal(key, cubin) {
        return None;
    }
    bytes.truncate(bytes.len() - DIGEST);
    Some(bytes)
}

/// The longest file that is read.
const LONGEST: u64 = 1 << 28;

/// Reads a file that is no link, and that this user or the system's owns and nobody else can change: it is
/// going to be run.
fn read_own(path: &Path) -> Option<Vec<u8>> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NOFOLLOW | libc::O_NONBLOCK,
    );
    let file = options.open(path).ok()?;
    let facts = file.metadata().ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // SAFETY: it has no arguments, and cannot fail.
        let own = unsafe { libc::geteuid() };
        let is_own = facts.uid() == own || facts.uid() == 0;
        (is_own && facts.mode() & 0o022 == 0).then_some(())?;
    }
    facts.is_file().then_some(())?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Makes a folder and its missing parents, which others cannot write.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.recursive(true).create(folder)
}

/// Writes a file that appears whole: others may read it, or write it too, at the same time.
fn write(path: &Path, key: &[u8; DIGEST], cubin: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    create_folder(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(cubin)?;
    file.write_all(&seal(key, cubin))?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: Family = Family {
        name: "family",
        source: "source",
    };

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = key(&FAMILY, 90, (13, 0));
        let path = folder
            .path()
            .join("kernels")
            .join(file_name(&FAMILY, 90, &key));
        assert_eq!(read(&path, &key), None);
        let cubin: Vec<u8> = (0..=200).collect();
        write(&path, &key, &cubin).expect("written");
        assert_eq!(read(&path, &key), Some(cubin));
        assert_eq!(read(&path, &[0; DIGEST]), None, "another key's file");

        let whole = fs::read(&path).expect("read");
        for at in 0..whole.len() {
            fs::write(&path, &whole[..at]).expect("written");
            assert_eq!(read(&path, &key), None, "cut at {at}");
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).expect("written");
            assert_eq!(read(&path, &key), None, "flipped at {at}");
        }
        let names = fs::read_dir(path.parent().expect("a folder"))
            .expect("read")
            .count();
        assert_eq!(names, 1, "no temporary file stays");
    }

    #[cfg(unix)]
    #[test]
    fn read_trusts_no_file_that_others_can_change_and_no_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (path, key) = (folder.path().join("x.cubin"), [7; DIGEST]);
        write(&path, &key, b"code").expect("written");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
        };
        for (mode, is_read) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
            set(&path, mode);
            assert_eq!(read(&path, &key).is_some(), is_read, "{mode:o}");
        }
        set(&path, 0o600);
        let link = folder.path().join("link.cubin");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        assert_eq!(read(&link, &key), None);
        assert!(check_folder(folder.path()).is_ok());
        assert!(check_folder(&folder.path().join("missing")).is_ok());
        set(folder.path(), 0o777);
        let refused = check_folder(folder.path())
            .expect_err("refused")
            .to_string();
        assert!(
            refused.contains("ATOMSCOPE_CACHE") && refused.contains("chmod"),
            "{refused}"
        );
    }

    #[test]
    fn all_that_code_depends_on_is_in_the_key() {
        let first = key(&FAMILY, 90, (13, 0));
        let source = Family {
            source: "other",
            ..FAMILY
        };
        let name = Family {
            name: "other",
            ..FAMILY
        };
        assert_ne!(first, key(&source, 90, (13, 0)));
        assert_ne!(first, key(&name, 90, (13, 0)));
        assert_ne!(first, key(&FAMILY, 100, (13, 0)));
        assert_ne!(first, key(&FAMILY, 90, (13, 1)));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_and_no_panic() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().join("kernels").join("x.cubin");
        assert!(write(&path, &[0; DIGEST], b"code").is_err());
        assert_eq!(read(&path, &[0; DIGEST]), None);
    }
}
