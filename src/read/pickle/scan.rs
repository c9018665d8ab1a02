//! A scanner of a pickle's bytes. Every length is checked against the bytes that are left.

use super::opcode;
use crate::error::Error;

/// An error in a pickle, and its place.
#[derive(Debug)]
pub(crate) struct PickleError {
    /// The byte of the offending opcode, or the end of a truncated pickle.
    pub(crate) offset: usize,
    /// The opcode that could not be followed.
    pub(crate) opcode: Option<u8>,
    /// The bytes or value found.
    pub(crate) found: String,
    /// The expected bytes or value.
    pub(crate) expected: &'static str,
    /// True if the bytes end before the pickle does.
    pub(crate) truncated: bool,
}

impl PickleError {
    /// Makes the error of a file. `place` names the pickle in it, and `base` is the byte at which
    /// it begins.
    pub(crate) fn in_file(self, file: &str, place: &str, base: u64) -> Error {
        let at = base + self.offset as u64;
        let opcode = match self.opcode {
            Some(byte) => match opcode::name(byte) {
                Some(name) => format!(" (opcode {name})"),
                None => format!(" (opcode 0x{byte:02x})"),
            },
            None => String::new(),
        };
        let action = if self.truncated {
            "the file is cut short: copy it again from where it was whole"
        } else {
            "the file is damaged: copy it again, or save it again with torch.save"
        };
        let place = format!("{place} byte {at}{opcode}");
        Error::input(file, place, self.found, self.expected, action)
    }
}

/// A position in a pickle's bytes.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
    /// The position of the opcode that is being followed, and its code.
    pub(super) opcode_at: usize,
    pub(super) opcode: Option<u8>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            opcode_at: 0,
            opcode: None,
        }
    }

    #[cold]
    pub(super) fn fail(&self, found: impl Into<String>, expected: &'static str) -> PickleError {
        PickleError {
            offset: self.opcode_at,
            opcode: self.opcode,
            found: found.into(),
            expected,
            truncated: false,
        }
    }

    #[cold]
    fn cut(&self, wanted: u64) -> PickleError {
        let left = self.bytes.len().saturating_sub(self.position);
        PickleError {
            offset: self.bytes.len(),
            opcode: self.opcode,
            found: format!("the end, with {left} of {wanted} bytes left"),
            expected: "a whole pickle",
            truncated: true,
        }
    }

    pub(super) fn next_opcode(&mut self) -> Result<u8, PickleError> {
        self.opcode_at = self.position;
        self.opcode = None;
        let [byte] = self.array::<1>()?;
        self.opcode = Some(byte);
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        match self
            .bytes
            .get(self.position..)
            .and_then(<[u8]>::first_chunk)
        {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(self.cut(N as u64)),
        }
    }

    /// Takes `length` bytes. Returns their start and their number.
    pub(super) fn run(&mut self, length: u64) -> Result<(u32, u32), PickleError> {
        let left = (self.bytes.len() - self.position) as u64;
        if length > left {
            return Err(self.cut(length));
        }
        let start = self.position;
        self.position += length as usize;
        // A pickle has at most 4 GiB, so both fit.
        Ok((start as u32, length as u32))
    }

    pub(super) fn slice(&self, (start, length): (u32, u32)) -> &'a [u8] {
        let start = start as usize;
        self.bytes
            .get(start..start + length as usize)
            .unwrap_or_default()
    }

    /// Takes the bytes up to the next line feed, and skips it.
    pub(super) fn line(&mut self) -> Result<(u32, u32), PickleError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.cut(rest.len() as u64 + 1));
        };
        let run = self.run(length as u64)?;
        self.position += 1;
        Ok(run)
    }

    pub(super) fn line_text(&mut self) -> Result<&'a str, PickleError> {
        let run = self.line()?;
        std::str::from_utf8(self.slice(run))
            .map_err(|_| self.fail("bytes that are not text", "a line of text"))
    }
}
