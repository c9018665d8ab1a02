//! bgzip: gzip in blocks of at most 64 KiB, each of which can be read alone, and an index of the records
//! in it. Blocks are compressed by all threads; the bytes do not depend on how many there are.
//!
//! <https://samtools.github.io/hts-specs/SAMv1.pdf>, section 4.1
//!
//! | file | what it holds |
//! |---|---|
//! | `index` | which records lie where: `.tbi` and `.csi` |

pub mod index;

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;

/// Bytes of text in each block but the last: what bgzip itself takes.
pub(super) const BLOCK: usize = 0xff00;
/// Blocks that are compressed together; as many more are filled meanwhile.
const AHEAD: usize = 64;
/// The level of compression: files are some 5 % larger than by bgzip's own, in half the time.
const LEVEL: u32 = 3;
/// The bytes before the compressed ones: gzip's header with the block's length, less 1, at its end.
const HEAD: [u8; 16] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0,
];
/// The empty block that ends a file.
const END: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];

/// Writes bgzip.
///
/// ```
/// use std::io::{Read, Write};
/// use atomscope::write::bgzip::BgzipWriter;
///
/// let mut out = BgzipWriter::new(Vec::new());
/// out.write_all(b"chr1\t5\n")?;
/// let (bytes, _) = out.finish()?;
/// let mut text = String::new();
/// flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text)?;
/// assert_eq!(text, "chr1\t5\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BgzipWriter<W> {
    out: W,
    /// Text that is not compressed yet.
    text: Vec<u8>,
    /// Bytes of text before it.
    before: u64,
    blocks: BlockStarts,
    /// Blocks that are being compressed while the next text comes.
    coming: Option<Receiver<Blocks>>,
}

/// Compressed blocks, in their order.
type Blocks = Vec<io::Result<Vec<u8>>>;

/// Where each block begins in the compressed file.
#[derive(Debug, Clone, Default)]
pub struct BlockStarts {
    starts: Vec<u64>,
    /// Where the next one begins.
    end: u64,
}

impl BlockStarts {
    /// Returns the virtual offset of a byte of text: where its block begins, times 65,536, and its place
    /// in the block.
    pub(super) fn virtual_offset(&self, place: u64) -> u64 {
        let block = usize::try_from(place / BLOCK as u64).unwrap_or(usize::MAX);
        match self.starts.get(block) {
            Some(start) => (start << 16) | (place % BLOCK as u64),
            None => self.end << 16,
        }
    }
}

impl<W: Write> BgzipWriter<W> {
    /// Begins a file.
    pub fn new(out: W) -> Self {
        Self {
            out,
            text: Vec::with_capacity(AHEAD * BLOCK),
            before: 0,
            blocks: BlockStarts::default(),
            coming: None,
        }
    }

    /// Returns how many bytes of text were written.
    pub fn place(&self) -> u64 {
        self.before + self.text.len() as u64
    }

    /// Ends the file, and returns what it was written to, and where its blocks begin.
    ///
    /// # Errors
    /// A failed write.
    pub fn finish(mut self) -> io::Result<(W, BlockStarts)> {
        self.compress()?;
        self.take()?;
        self.out.write_all(&END)?;
        self.out.flush()?;
        Ok((self.out, self.blocks))
    }

    /// Begins to compress what is at hand. All but the last blocks of a file are full.
    fn compress(&mut self) -> io::Result<()> {
        self.take()?;
        let text = std::mem::take(&mut self.text);
        self.before += text.len() as u64;
        let (done, coming) = channel();
        rayon::spawn(move || {
            let chunks = text.par_chunks(BLOCK);
            let blocks = chunks.map_init(|| compressor(Compression::new(LEVEL)), block);
            // Nobody waits any more if something else failed.
            drop(done.send(blocks.collect()));
        });
        self.coming = Some(coming);
        self.text.reserve(AHEAD * BLOCK);
        Ok(())
    }

    /// Writes the blocks that were compressed.
    fn take(&mut self) -> io::Result<()> {
        let Some(coming) = self.coming.take() else {
            return Ok(());
        };
        for bytes in wait(&coming)? {
            let bytes = bytes?;
            self.out.write_all(&bytes)?;
            self.blocks.starts.push(self.blocks.end);
            self.blocks.end += bytes.len() as u64;
        }
        Ok(())
    }
}

/// Waits for blocks. A thread that rayon works with goes on working, lest it wait for itself.
fn wait(coming: &Receiver<Blocks>) -> io::Result<Blocks> {
    loop {
        if let Ok(blocks) = coming.try_recv() {
            return Ok(blocks);
        }
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            continue;
        }
        match coming.recv_timeout(Duration::from_millis(1)) {
            Err(RecvTimeoutError::Timeout) => {}
            found => return found.map_err(io::Error::other),
        }
    }
}

impl<W: Write> Write for BgzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (AHEAD * BLOCK).saturating_sub(self.text.len());
        let (now, _) = bytes.split_at(bytes.len().min(room));
        self.text.extend_from_slice(now);
        if self.text.len() == AHEAD * BLOCK {
            self.compress()?;
        }
        Ok(now.len())
    }

    /// Does nothing: a block that is not full would be one of its own.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn compressor(level: Compression) -> Compress {
    Compress::new(level, false)
}

/// Compresses one block.
fn block(compress: &mut Compress, text: &[u8]) -> io::Result<Vec<u8>> {
    let bytes = match deflated(compress, text)? {
        Some(bytes) => bytes,
        // What cannot be compressed is stored: 5 bytes more than the text.
        None => deflated(&mut compressor(Compression::none()), text)?
            .ok_or_else(|| io::Error::other("a block of bgzip that does not fit"))?,
    };
    let length = (HEAD.len() + 2 + bytes.len() + 8 - 1) as u16;
    let mut block = Vec::with_capacity(usize::from(length) + 1);
    block.extend_from_slice(&HEAD);
    block.extend_from_slice(&length.to_le_bytes());
    block.extend_from_slice(&bytes);
    block.extend_from_slice(&crc32fast::hash(text).to_le_bytes());
    block.extend_from_slice(&(text.len() as u32).to_le_bytes());
    Ok(block)
}

/// Compresses text; `None` if it takes more than a block has room for.
fn deflated(compress: &mut Compress, text: &[u8]) -> io::Result<Option<Vec<u8>>> {
    const MOST: usize = (1 << 16) - HEAD.len() - 2 - 8;
    compress.reset();
    let mut bytes = Vec::with_capacity(MOST);
    let status = compress.compress_vec(text, &mut bytes, FlushCompress::Finish);
    let is_done = status.map_err(io::Error::other)? == Status::StreamEnd;
    Ok(is_done.then_some(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use rand::{Rng, SeedableRng};

    use super::{BLOCK, BgzipWriter};

    /// The texts of blocks, and where they begin, read by their headers alone.
    fn blocks(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(head) = bytes.get(..18) {
            let length = usize::from(u16::from_le_bytes([head[16], head[17]])) + 1;
            let mut text = Vec::new();
            let mut member = flate2::read::GzDecoder::new(&bytes[..length]);
            member.read_to_end(&mut text).expect("a whole member");
            found.push((at, text));
            at += length as u64;
            bytes = &bytes[length..];
        }
        assert!(bytes.is_empty());
        found
    }

    #[test]
    fn blocks_hold_the_text_and_begin_where_it_is_said() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 70 * BLOCK + 7] {
            for is_noise in [false, true] {
                let byte = |i: usize| if is_noise { 0 } else { b"ACGT\t"[i % 5] };
                let mut text: Vec<u8> = (0..length).map(byte).collect();
                if is_noise {
                    random.fill_bytes(&mut text);
                }
                let mut out = BgzipWriter::new(Vec::new());
                for part in text.chunks(1000) {
                    out.write_all(part).unwrap();
                }
                assert_eq!(out.place(), length as u64);
                let (bytes, starts) = out.finish().unwrap();
                let found = blocks(&bytes);
                let (last, full) = found.split_last().expect("the end");
                assert!(last.1.is_empty());
                assert!(
                    full.iter()
                        .rev()
                        .skip(1)
                        .all(|(_, text)| text.len() == BLOCK)
                );
                let all: Vec<u8> = full.iter().flat_map(|(_, text)| text.clone()).collect();
                assert!(all == text);
                let places = [0, 1, length / 2, length.saturating_sub(1), length];
                for place in places.into_iter().filter(|&place| place <= length) {
                    let offset = starts.virtual_offset(place as u64);
                    let (at, within) = (offset >> 16, (offset & 0xffff) as usize);
                    let block = found.iter().position(|(start, _)| *start == at).unwrap();
                    let before: usize = found[..block].iter().map(|(_, text)| text.len()).sum();
                    assert_eq!(before + within, place);
                }
            }
        }
    }
}
