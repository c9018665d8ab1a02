//! Text compressed by gzip: any number of members in sequence, as bgzip writes them. Zero bytes may
//! follow any member, since tapes and archives pad files. Any other bytes after a member are
//! refused.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The concatenated text of all members.
pub(in crate::read) enum Members<R> {
    Within(Box<GzDecoder<R>>),
    Between(R),
    Over,
}

impl<R: BufRead> Members<R> {
    pub(in crate::read) fn new(bytes: R) -> Self {
        Self::Within(Box::new(GzDecoder::new(bytes)))
    }

    /// Opens the next member, if there is one.
    fn next(mut bytes: R) -> io::Result<Self> {
        loop {
            let ahead = bytes.fill_buf()?;
            match ahead.iter().position(|&byte| byte != 0) {
                None if ahead.is_empty() => return Ok(Self::Over),
                None => {
                    let zeros = ahead.len();
                    bytes.consume(zeros);
                }
                Some(zeros) if ahead.get(zeros) == Some(&0x1f) => {
                    bytes.consume(zeros);
                    return Ok(Self::new(bytes));
                }
                Some(_) => {
                    let text = "bytes after the end of what gzip compressed, which are neither \
                                zeros nor compressed";
                    return Err(io::Error::other(text));
                }
            }
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Self::Within(member) = self {
                let count = member.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
            }
            *self = match std::mem::replace(self, Self::Over) {
                Self::Within(member) => Self::Between(member.into_inner()),
                Self::Between(bytes) => Self::next(bytes)?,
                Self::Over => return Ok(0),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::Members;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    fn inflated(bytes: &[u8], buffer: usize) -> std::io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Members::new(BufReader::with_capacity(buffer, bytes)).read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn members_padded_with_zeros_are_one_text() {
        let (first, second, empty) = (member(b"one\n"), member(b"two\n"), member(b""));
        let zeros = vec![0; 1000];
        for parts in [
            vec![&first, &second],
            vec![&first, &empty, &second, &empty],
            vec![&first, &zeros, &second],
            vec![&first, &second, &zeros],
        ] {
            for buffer in [1, 7, 4096] {
                let bytes: Vec<u8> = parts.iter().copied().flatten().copied().collect();
                assert_eq!(inflated(&bytes, buffer).unwrap(), b"one\ntwo\n");
            }
        }
    }

    #[test]
    fn members_refuse_other_bytes_after_one() {
        for more in [&b"x"[..], b"\0\0\0x", b"\x1f\x8c\x08", b"\n"] {
            let bytes = [&member(b"one\n"), more].concat();
            assert!(inflated(&bytes, 64).is_err(), "{more:?}");
        }
        let whole = member(b"one\n");
        for end in 0..whole.len() {
            assert!(inflated(&whole[..end], 64).is_err(), "{end}");
        }
    }
}
