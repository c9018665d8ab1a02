//! The parser's view of the file. Each page's sizes are checked first, since the parser allocates
//! what a page's header claims.

use std::io::BufReader;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::super::super::source::{Source, Stream};
use crate::memory::zeros;

/// A Parquet file's bytes.
pub(in crate::read) struct Pages(pub(in crate::read) Source);

/// The greatest factor by which a page may grow when it is inflated, and the size that it may
/// always reach.
const MOST: u64 = 1032;
const SMALL: u64 = 64 << 20;
/// The bytes of the file's end, which is read like pages' headers: the footer's length and the
/// magic number.
const END: u64 = 8;

impl Length for Pages {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Pages {
    type T = BufReader<Stream>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        if start.checked_add(END) != Some(self.len()) {
            self.check_page(start)?;
        }
        Ok(BufReader::new(self.0.stream_from(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len()) {
            let text = format!("{length} bytes from byte {start} on, beyond the file's end");
            return Err(ParquetError::EOF(text));
        }
        let mut bytes = zeros(length as u64, "a page")
            .map_err(|error| ParquetError::General(error.to_string()))?;
        let read = self.0.read_at(&mut bytes, start);
        read.map_err(|error| ParquetError::General(error.to_string()))?;
        Ok(bytes.into())
    }
}

impl Pages {
    /// Checks the sizes that a page claims.
    fn check_page(&self, start: u64) -> Result<()> {
        let mut head = [0; 24];
        let left = self.len().saturating_sub(start).min(head.len() as u64);
        let part = head.get_mut(..left as usize).unwrap_or_default();
        let read = self.0.read_at(part, start);
        read.map_err(|error| ParquetError::General(error.to_string()))?;
        let text = match sizes(part) {
            Some((size, packed)) if size <= packed.saturating_mul(MOST).max(SMALL) => return Ok(()),
            Some((size, packed)) => format!("a page of {size} bytes from {packed} packed"),
            None => format!("no page's header at byte {start}"),
        };
        Err(ParquetError::General(text))
    }
}

/// Reads the inflated and the packed size from a page's header: fields 1 to 3 of a struct in
/// Thrift's compact protocol. All three are 32-bit integers; the first is the page's kind.
fn sizes(mut head: &[u8]) -> Option<(u64, u64)> {
    let mut field = || {
        let (&0x15, rest) = head.split_first()? else {
            return None;
        };
        let length = rest.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
        let (number, rest) = rest.split_at_checked(length)?;
        head = rest;
        let bits = number.iter().rev();
        let number = bits.fold(0_u64, |n, byte| n << 7 | u64::from(byte & 0x7f));
        // Zigzag encoding: odd numbers are negative.
        (number % 2 == 0).then_some(number / 2)
    };
    field()?;
    Some((field()?, field()?))
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn sizes_match_what_thrift_writes() {
        let head = [0x15, 0x04, 0x15, 0x80, 0x02, 0x15, 0xfe, 0x01, 0x2c];
        assert_eq!(sizes(&head), Some((128, 127)));
        for end in 0..8 {
            assert_eq!(sizes(&head[..end]), None);
        }
        assert_eq!(sizes(&[0x15, 0x00, 0x15, 0x01, 0x15, 0x02]), None);
        assert_eq!(sizes(&[0x25, 0x00, 0x15, 0x02, 0x15, 0x02]), None);
        assert_eq!(sizes(&[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), None);
    }
}
