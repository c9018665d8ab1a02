//! Checksums of archives. Stored entries are checked while the file is read for its digest;
//! inflated entries, and entries read into memory, are checked there.
//!
//! Several threads read rows in any order, so rows cannot be checked where they are used. The
//! digest reads every byte of the file once, in order, before anything is written.
//!
//! A recorded sum of 0 that differs from the data's means that none was computed: torch writes such
//! files after `torch.serialization.set_crc32_options(False)`.

use crc32fast::Hasher;
use zip::CompressionMethod;

use super::{Archive, Zip};
use crate::control::Control;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::read::sniff;
use crate::read::source::Source;

/// Returns an error if an entry's bytes, whose sum is `found`, are not those that were written.
pub(super) fn check(source: &Source, name: &str, sum: Hasher, recorded: u32) -> Result<()> {
    let found = sum.finalize();
    if recorded == 0 || found == recorded {
        return Ok(());
    }
    // A file that is being written gets that error instead.
    source.check_unchanged()?;
    Err(Error::input(
        source.name(),
        format!("zip entry {name}"),
        format!("bytes whose CRC-32 is {found:08x}"),
        format!("the CRC-32 that was written with them, {recorded:08x}"),
        "the file is damaged: copy it again from where it was whole",
    ))
}

/// Computes the digest of a whole file. Checks the stored entries of a zip archive on the way.
pub(crate) fn digest(source: &Source, control: &Control) -> Result<Digest> {
    if !sniff::is_zip(&source.head(sniff::HEAD)?) {
        return source.digest(control, &mut |_| Ok(()));
    }
    let archive = Archive::open(source)?;
    let mut sums = Sums::of(source, &mut archive.zip.borrow_mut())?;
    source.digest(control, &mut |bytes| sums.feed(bytes))
}

/// A stored entry of an archive.
#[derive(Debug)]
struct Member {
    name: String,
    start: u64,
    end: u64,
    recorded: u32,
}

/// The sums of an archive's stored entries, over the bytes fed so far.
#[derive(Debug)]
struct Sums {
    source: Source,
    /// The entries in the order of their bytes, which do not overlap.
    members: std::vec::IntoIter<Member>,
    current: Option<Member>,
    sum: Hasher,
    position: u64,
}

impl Sums {
    fn of(source: &Source, zip: &mut Zip) -> Result<Self> {
        let mut members = Vec::new();
        for index in 0..zip.len() {
            let Ok(entry) = zip.by_index_raw(index) else {
                continue;
            };
            let (start, length) = (entry.data_start(), entry.compressed_size());
            let range = start.and_then(|start| Some((start, start.checked_add(length)?)));
            if let Some((start, end)) = range
                && length > 0
                && entry.crc32() != 0
                && entry.compression() == CompressionMethod::Stored
            {
                members.push(Member {
                    name: String::from_utf8_lossy(entry.name_raw()).into_owned(),
                    start,
                    end,
                    recorded: entry.crc32(),
                });
            }
        }
        members.sort_by_key(|member| member.start);
        let mut before = 0;
        for member in &members {
            if member.start < before || member.end > source.len() {
                return Err(Error::input(
                    source.name(),
                    format!("zip entry {}", member.name),
                    "bytes that another entry has, too, or that are not in the file",
                    "bytes of its own",
                    "the file is damaged: copy it again, or save it again",
                ));
            }
            before = member.end;
        }
        let mut members = members.into_iter();
        Ok(Self {
            source: source.clone(),
            current: members.next(),
            members,
            sum: Hasher::new(),
            position: 0,
        })
    }

    /// Takes the file's next bytes.
    fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        let (begin, end) = (self.position, self.position + bytes.len() as u64);
        self.position = end;
        while let Some(member) = self.current.take_if(|member| member.start < end) {
            let from = member.start.max(begin) - begin;
            let to = member.end.min(end) - begin;
            self.sum
                .update(bytes.get(from as usize..to as usize).unwrap_or_default());
            if member.end > end {
                self.current = Some(member);
                break;
            }
            let sum = std::mem::take(&mut self.sum);
            check(&self.source, &member.name, sum, member.recorded)?;
            self.current = self.members.next();
        }
        Ok(())
    }
}
