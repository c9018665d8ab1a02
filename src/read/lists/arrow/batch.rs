//! A record batch: the buffers of its columns, which may be compressed one by one.
//!
//! <https://github.com/apache/arrow/blob/main/format/Message.fbs>

use std::io::Read;

use super::super::flat::{Table, bytes_at};
use super::damaged;
use crate::error::{Error, Result};
use crate::read::source::Source;
use crate::read::tensor::Storage;

/// The way in which buffers are compressed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Codec {
    Lz4,
    Zstd,
}

/// A batch of rows.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) rows: usize,
    /// The length of each node, and how many of its values are missing.
    pub(super) nodes: Vec<(usize, usize)>,
    /// The place of each buffer in the file, and its length.
    buffers: Vec<(u64, u64)>,
    pub(super) codec: Option<Codec>,
    /// The number of further buffers of each column that has some.
    pub(super) more: Vec<usize>,
}

/// The greatest factor by which a buffer may grow, and the size that it may always reach.
const MOST: u64 = 1032;
const SMALL: u64 = 64 << 20;

impl Batch {
    /// Reads what a message says of a batch whose buffers lie in `body`; `None` if it makes no sense.
    pub(super) fn read(table: &Table, body: (u64, u64)) -> Option<Self> {
        let natural = |bytes: [u8; 8]| u64::try_from(i64::from_le_bytes(bytes)).ok();
        let pairs = |number| -> Option<Vec<(u64, u64)>> {
            let (_, bytes) = table.list(number, 16)?;
            let pair =
                |pair: &[u8]| Some((natural(bytes_at(pair, 0)?)?, natural(bytes_at(pair, 8)?)?));
            bytes.chunks_exact(16).map(pair).collect()
        };
        let nodes = pairs(1)?.into_iter().map(|(length, missing)| {
            Some((
                usize::try_from(length).ok()?,
                usize::try_from(missing).ok()?,
            ))
        });
        let more = table.list(4, 8).map_or(Some(Vec::new()), |(_, bytes)| {
            let count = |count: &[u8]| usize::try_from(natural(bytes_at(count, 0)?)?).ok();
            bytes.chunks_exact(8).map(count).collect()
        });
        let codec = match table.table(3) {
            None => None,
            Some(how) => match how.get(0).unwrap_or([0]) {
                [0] => Some(Codec::Lz4),
                [1] => Some(Codec::Zstd),
                _ => return None,
            },
        };
        Some(Self {
            rows: usize::try_from(natural(table.get(0).unwrap_or_default())?).ok()?,
            nodes: nodes.collect::<Option<_>>()?,
            buffers: in_body(&pairs(2)?, body)?,
            codec,
            more: more?,
        })
    }

    fn buffer(&self, number: usize) -> Option<(u64, u64)> {
        self.buffers.get(number).copied()
    }

    /// The number of buffers.
    pub(super) fn count(&self) -> usize {
        self.buffers.len()
    }

    /// Says whether a buffer has any bytes.
    pub(super) fn has(&self, number: usize) -> bool {
        self.buffer(number).is_some_and(|(_, length)| length > 0)
    }

    /// Opens a buffer: its length when it is unpacked, and its bytes.
    pub(super) fn open(&self, source: &Source, number: usize) -> Result<(u64, Box<dyn Read>)> {
        let bad = |found: &str| damaged(source, &format!("buffer {number}"), found);
        let Some((start, length)) = self.buffer(number) else {
            return Err(bad("no such buffer"));
        };
        let stream = |start: u64, length: u64| source.stream_from(start).take(length);
        let Some(codec) = self.codec.filter(|_| length > 0) else {
            return Ok((length, Box::new(stream(start, length))));
        };
        let mut head = [0; 8];
        let Some(packed) = length.checked_sub(8) else {
            return Err(bad("a packed buffer without its length"));
        };
        source.read_at(&mut head, start)?;
        let bytes = stream(start + 8, packed);
        let unpacked = match i64::from_le_bytes(head) {
            // The buffer is as it was, since packing gained nothing.
            -1 => return Ok((packed, Box::new(bytes))),
            length => u64::try_from(length).unwrap_or(u64::MAX),
        };
        if unpacked > packed.saturating_mul(MOST).max(SMALL) {
            return Err(bad(&format!("{unpacked} bytes from {packed} packed")));
        }
        let unpack: Box<dyn Read> = match codec {
            Codec::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(bytes)),
            Codec::Zstd => {
                let opened = zstd::stream::read::Decoder::new(bytes);
                Box::new(opened.map_err(|error| bad(&error.to_string()))?)
            }
        };
        Ok((unpacked, unpack))
    }

    /// Reads a buffer's first bytes, of which there must be so many.
    pub(super) fn load(&self, source: &Source, number: usize, needed: u64) -> Result<Vec<u8>> {
        let (length, bytes) = self.open(source, number)?;
        let mut loaded = Vec::new();
        let read = bytes.take(needed).read_to_end(&mut loaded);
        read.map_err(|error| unpacking(source, number, &error))?;
        if length >= needed && loaded.len() as u64 == needed {
            return Ok(loaded);
        }
        let found = format!("{} bytes where {needed} are needed", loaded.len());
        Err(damaged(source, &format!("buffer {number}"), &found))
    }

    /// Reads a whole buffer.
    pub(super) fn whole(&self, source: &Source, number: usize) -> Result<Vec<u8>> {
        let (length, _) = self.open(source, number)?;
        self.load(source, number, length)
    }

    /// The bytes of a buffer that is not packed, from `start` on.
    pub(super) fn storage(
        &self,
        source: &Source,
        number: usize,
        start: u64,
        length: u64,
    ) -> Option<Storage> {
        let (begins, there) = self.buffer(number)?;
        (start.checked_add(length)? <= there).then(|| Storage {
            source: source.clone(),
            start: begins + start,
            length,
        })
    }
}

/// Makes the error of bytes that cannot be unpacked.
pub(super) fn unpacking(source: &Source, number: usize, error: &std::io::Error) -> Error {
    damaged(source, &format!("buffer {number}"), &error.to_string())
}

/// The bytes to whose multiples writers fill up buffers.
const ALIGNMENTS: [u64; 5] = [8, 16, 32, 64, 128];

/// Says whether `length` is `needed`, or that filled up.
pub(super) fn is_filled_up(needed: u64, length: u64) -> bool {
    let filled = |&step: &u64| needed.checked_next_multiple_of(step) == Some(length);
    needed == length || ALIGNMENTS.iter().any(filled)
}

/// The places of buffers in the file. Writers put them one after another, each at the next multiple of
/// its alignment: others are refused, so that a wrong place is not read in silence.
fn in_body(buffers: &[(u64, u64)], (start, length): (u64, u64)) -> Option<Vec<(u64, u64)>> {
    let mut end = 0_u64;
    let mut placed = Vec::with_capacity(buffers.len());
    for &(at, bytes) in buffers {
        if bytes > 0 {
            let follows = at % 8 == 0 && is_filled_up(end, at);
            end = at
                .checked_add(bytes)
                .filter(|&end| follows && end <= length)?;
        }
        placed.push((start.checked_add(at)?, bytes));
    }
    Some(placed)
}
