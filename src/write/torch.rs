//! A `.pt` file as `torch.save` writes it: a zip archive of stored entries, a pickle for the
//! structure, and one entry for each tensor's numbers, streamed.
//!
//! `torch.load` reads it with its defaults (`weights_only=True`), and with `mmap=True`, as the
//! numbers start at multiples of 64 bytes. The same contents give the same bytes: the file holds no
//! date.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::pickle::{self, Value};
pub use super::tensor::{Element, Number, Sink, Tensor};
use super::whole::WholeFile;
use crate::error::{Error, Result};

/// The name of the archive's one folder; torch writes the same when it saves to memory.
const ROOT: &str = "archive";
const ALIGNMENT: u16 = 64;

/// Writes `value` in torch's format and returns the file, ready to be
/// [published](WholeFile::publish).
///
/// `pickle_bytes` is an upper bound of the size without tensors. Only whether it reaches 4 GiB
/// matters, since a zip archive then needs its long form.
pub fn save(path: &Path, value: Value<'_>, pickle_bytes: u64) -> Result<WholeFile> {
    let whole = WholeFile::create(path)?;
    let writing = |e: io::Error| Error::writing(path, e);
    let file = Ending::new(whole.file());
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
    start(&mut zip, "data.pkl", pickle_bytes).map_err(writing)?;
    let mut buffered = BufWriter::with_capacity(1 << 18, &mut zip);
    let tensors = pickle::write(value, &mut buffered).map_err(writing)?;
    buffered.flush().map_err(writing)?;
    drop(buffered);

    let order = if cfg!(target_endian = "little") {
        "little"
    } else {
        "big"
    };
    for (name, text) in [
        (".format_version", "1"),
        (".storage_alignment", "64"),
        ("byteorder", order),
    ] {
        start(&mut zip, name, 0)
            .and_then(|()| zip.write_all(text.as_bytes()))
            .map_err(writing)?;
    }
    for (number, tensor) in tensors.into_iter().enumerate() {
        start(&mut zip, &format!("data/{number}"), tensor.bytes()).map_err(writing)?;
        tensor.write(number, &mut zip, path)?;
    }
    start(&mut zip, "version", 0)
        .and_then(|()| zip.write_all(b"3\n"))
        .and_then(|()| zip.finish().map_err(io::Error::from))
        .and_then(|mut out| out.flush())
        .map_err(writing)?;
    Ok(whole)
}

/// A writer that is written to until it fails, and then only pretended to be. A failed archive is given up; the
/// library would still write its end when it is dropped, and print that it cannot.
struct Ending<W> {
    out: W,
    failed: bool,
    position: u64,
    end: u64,
}

impl<W> Ending<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            failed: false,
            position: 0,
            end: 0,
        }
    }

    /// Does some work, or gives what it would have given.
    fn once<T>(&mut self, instead: T, work: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.failed {
            return Ok(instead);
        }
        let done = work(&mut self.out);
        let is_over = |e: &io::Error| e.kind() != io::ErrorKind::Interrupted;
        self.failed = done.as_ref().is_err_and(is_over);
        done
    }
}

impl<W: Write> Write for Ending<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.once(bytes.len(), |out| out.write(bytes))?;
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.once((), Write::flush)
    }
}

impl<W: Seek> Seek for Ending<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let instead = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        let instead = instead.unwrap_or(self.position);
        self.position = self.once(instead, |out| out.seek(to))?;
        Ok(self.position)
    }
}

/// Starts a stored entry with aligned data.
fn start<W: Write + io::Seek>(zip: &mut ZipWriter<W>, name: &str, bytes: u64) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .with_alignment(ALIGNMENT)
        .large_file(bytes >= u64::from(u32::MAX));
    zip.start_file(format!("{ROOT}/{name}"), options)
        .map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use std::io::Read;

    fn entry(file: &WholeFile, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        zip::ZipArchive::new(file.file())
            .and_then(|mut archive| Ok(archive.by_name(name)?.read_to_end(&mut bytes)?))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        bytes
    }

    // The bytes were decoded by hand: a dict of one key, whose value is the call
    // `_rebuild_tensor_v2(('storage', HalfStorage, '0', 'cpu', 6), 0, (2, 3), (3, 1), False, OrderedDict())`.
    #[test]
    fn save_writes_a_tensor_as_a_call_that_rebuilds_it() -> Result<()> {
        let path = std::env::temp_dir().join("atomscope-tensor.pt");
        let numbers: Vec<f16> = (0..6_u8).map(f16::from).collect();
        let tensor = Value::Tensor(Tensor::new(&[2, 3], &numbers));
        let file = save(&path, Value::Dict(vec![("x", tensor)]), 0)?;
        let pickle = b"\x80\x02}(X\x01\x00\x00\x00xq\x00\
            ctorch._utils\n_rebuild_tensor_v2\nq\x01((X\x07\x00\x00\x00storageq\x02\
            ctorch\nHalfStorage\nq\x03X\x01\x00\x00\x000X\x03\x00\x00\x00cpuq\x04K\x06tQ\
            K\x00(K\x02K\x03t(K\x03K\x01t\x89ccollections\nOrderedDict\nq\x05)RtRu.";
        assert_eq!(entry(&file, "archive/data.pkl"), pickle);
        // binary16: 1 is 0x3c00, 2 is 0x4000, 3 is 0x4200, 4 is 0x4400, 5 is 0x4500.
        let bytes = [0, 0, 0, 0x3c, 0, 0x40, 0, 0x42, 0, 0x44, 0, 0x45];
        assert_eq!(entry(&file, "archive/data/0"), bytes);
        Ok(())
    }

    #[test]
    fn save_refuses_a_tensor_with_too_few_numbers_and_leaves_no_file() {
        let path = std::env::temp_dir().join("atomscope-short.pt");
        let tensor = Value::Tensor(Tensor::new(&[2, 3], &[1.0_f64; 5]));
        let message = save(&path, tensor, 0).err().map(|e| e.to_string());
        let message = message.unwrap_or_default();
        assert!(
            message.contains("has 40 bytes of numbers where its shape has 48"),
            "{message}"
        );
        assert!(!path.exists());
    }
}
