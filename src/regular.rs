//! Regular files, opened without waiting for whatever else may have their name.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// Opens a file to read, after a look at what it is: a named pipe would be waited for until somebody writes
/// into it, and a device may do something when it is opened.
///
/// # Errors
/// Fails with the system's error, with [`io::ErrorKind::IsADirectory`] for a folder, and with
/// [`io::ErrorKind::InvalidInput`] for a pipe, a socket or a device.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    check(&std::fs::metadata(path)?)?;
    let file = without_waiting(path)?;
    // Another file may have come in its place.
    check(&file.metadata()?)?;
    Ok(file)
}

fn check(facts: &std::fs::Metadata) -> io::Result<()> {
    if facts.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if facts.is_file() {
        return Ok(());
    }
    let kind = io::ErrorKind::InvalidInput;
    Err(io::Error::new(
        kind,
        "a pipe or device, and no regular file",
    ))
}

#[cfg(unix)]
fn without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(libc::O_NONBLOCK).open(path);
    match opened {
        // A file server may first have to take the file back from another machine.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => File::open(path),
        opened => opened,
    }
}

#[cfg(not(unix))]
fn without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Reads a regular file to its end, at most so many bytes of it.
///
/// # Errors
/// Those of [`open`], and of reading.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(open(path)?, most), &mut bytes)?;
    Ok(bytes)
}

/// Reads a file that is an input, as [`read`] does.
///
/// # Errors
/// The same, as one that names the file.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>> {
    read(path, most).map_err(|error| Error::reading(path, error))
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn open_waits_for_no_pipe_and_takes_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::fs::write(at("file"), "abc").unwrap();
        let kind = |path: &Path| open(path).map(drop).map_err(|error| error.kind());
        assert_eq!(kind(&at("pipe")), Err(ErrorKind::InvalidInput));
        assert_eq!(kind(&at("socket")), Err(ErrorKind::InvalidInput));
        assert_eq!(kind(Path::new("/dev/null")), Err(ErrorKind::InvalidInput));
        assert_eq!(kind(folder.path()), Err(ErrorKind::IsADirectory));
        assert_eq!(kind(&at("none")), Err(ErrorKind::NotFound));
        assert_eq!(read(&at("file"), 2).unwrap(), b"ab");
    }
}
