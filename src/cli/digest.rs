//! Inputs named by the digest of their content, computed beside the work.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A file that was read.
#[derive(Debug, Serialize)]
pub(super) struct Input {
    pub(super) role: &'static str,
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Does `work` while another thread reads the files, given by role and path, for their digests,
/// which `work` asks for when it needs them. Work that fails does not wait for them. Where `beside`
/// is false, they are only computed when they are asked for: one thread is to be busy at a time.
pub(super) fn beside<T>(
    files: &[(&'static str, &Path)],
    beside: bool,
    work: impl FnOnce(Digests) -> Result<T>,
) -> Result<T> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let digests = || {
            let each = files.iter().map(|(role, path)| digest(role, path, &stop));
            each.collect()
        };
        // Where no thread can be had, digests come after the work.
        let thread = beside.then(|| thread::Builder::new().spawn_scoped(scope, digests));
        let inputs = Digests {
            thread: thread.and_then(std::io::Result::ok),
            now: &digests,
        };
        work(inputs).inspect_err(|_| stop.store(true, Ordering::Relaxed))
    })
}

/// Digests under way.
pub(super) struct Digests<'s> {
    thread: Option<thread::ScopedJoinHandle<'s, Result<Vec<Input>>>>,
    now: &'s dyn Fn() -> Result<Vec<Input>>,
}

impl Digests<'_> {
    /// Waits for them.
    pub(super) fn wait(self) -> Result<Vec<Input>> {
        match self.thread {
            Some(thread) => thread.join().unwrap_or(Err(Error::Cancelled)),
            None => (self.now)(),
        }
    }
}

/// Reads a file once more to name its content.
fn digest(role: &'static str, path: &Path, stop: &AtomicBool) -> Result<Input> {
    let failed = |e| Error::reading(path, e);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let n = file.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            break;
        }
        bytes += n as u64;
        hash.update(&buffer[..n]);
    }
    let sha256 = hash
        .finalize()
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Ok(Input {
        role,
        path: path.display().to_string(),
        bytes,
        sha256,
    })
}
