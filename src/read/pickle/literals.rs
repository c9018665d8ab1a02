//! The opcodes of numbers, text and bytes.

use super::machine::Machine;
use super::opcode as op;
use super::scan::PickleError;
use super::value::Value;

type Step<T = ()> = Result<T, PickleError>;

impl Machine<'_> {
    pub(super) fn number(&mut self, opcode: u8) -> Step {
        let value = match opcode {
            op::BININT1 => Value::Int(i64::from(u8::from_le_bytes(self.scan.array()?))),
            op::BININT2 => Value::Int(i64::from(u16::from_le_bytes(self.scan.array()?))),
            op::BININT => Value::Int(i64::from(i32::from_le_bytes(self.scan.array()?))),
            op::BINFLOAT => Value::Float(f64::from_be_bytes(self.scan.array()?)),
            op::LONG1 => {
                let length = u8::from_le_bytes(self.scan.array()?);
                self.long(u64::from(length))?
            }
            op::LONG4 => {
                let length = i32::from_le_bytes(self.scan.array()?);
                let Ok(length) = u64::try_from(length) else {
                    return Err(self.scan.fail(format!("length {length}"), "at least 0"));
                };
                self.long(length)?
            }
            _ => self.written_number(opcode)?,
        };
        self.push(value);
        Ok(())
    }

    /// Reads an integer in little-endian two's complement of any length.
    fn long(&mut self, length: u64) -> Step<Value> {
        let (start, len) = self.scan.run(length)?;
        let bytes = self.scan.slice((start, len));
        if bytes.len() > 8 {
            return Ok(Value::Long(start, len));
        }
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        for (to, from) in wide.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(Value::Int(i64::from_le_bytes(wide)))
    }

    fn written_number(&mut self, opcode: u8) -> Step<Value> {
        let line = self.scan.line_text()?.trim();
        match (opcode, line) {
            (op::INT, "00") => return Ok(Value::Bool(false)),
            (op::INT, "01") => return Ok(Value::Bool(true)),
            _ => {}
        }
        let digits = line.strip_suffix(['L', 'l']).unwrap_or(line);
        if opcode != op::FLOAT
            && let Ok(number) = digits.parse()
        {
            return Ok(Value::Int(number));
        }
        // These files hold no integer beyond 64 bits; the nearest float stands for one.
        match digits.parse() {
            Ok(number) => Ok(Value::Float(number)),
            Err(_) => Err(self.scan.fail(format!("{line:?}"), "a number")),
        }
    }

    pub(super) fn text(&mut self, opcode: u8) -> Step {
        let length = match opcode {
            op::SHORT_BINUNICODE | op::SHORT_BINSTRING => {
                u64::from(u8::from_le_bytes(self.scan.array()?))
            }
            op::BINUNICODE8 => u64::from_le_bytes(self.scan.array()?),
            _ => u64::from(u32::from_le_bytes(self.scan.array()?)),
        };
        let (start, len) = self.scan.run(length)?;
        self.push(Value::Str(start, len));
        Ok(())
    }

    pub(super) fn binary(&mut self, opcode: u8) -> Step {
        let length = match opcode {
            op::SHORT_BINBYTES => u64::from(u8::from_le_bytes(self.scan.array()?)),
            op::BINBYTES => u64::from(u32::from_le_bytes(self.scan.array()?)),
            _ => u64::from_le_bytes(self.scan.array()?),
        };
        let (start, len) = self.scan.run(length)?;
        self.push(Value::Bytes(start, len));
        Ok(())
    }

    /// Reads text written with escapes, up to the end of a line.
    pub(super) fn spelled(&mut self, opcode: u8) -> Step {
        let line = self.scan.line()?;
        let mut bytes = self.scan.slice(line);
        if opcode == op::STRING {
            bytes = match bytes {
                [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
                _ => return Err(self.scan.fail("text without quotes", "quoted text")),
            };
        }
        let (start, len) = self.add_decoded(&unescape(bytes, opcode == op::UNICODE))?;
        self.push(Value::Str(start, len));
        Ok(())
    }
}

/// Decodes Python's escapes: all of them in a byte string; `\u` and `\U` alone in unicode text,
/// whose other bytes are latin-1.
fn unescape(bytes: &[u8], unicode: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut put = |c: char| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escape = if first == b'\\' {
            after.first().copied()
        } else {
            None
        };
        let Some(escape) = escape else {
            put(char::from(first));
            continue;
        };
        let digits = match (escape, unicode) {
            (b'u', true) => 4,
            (b'U', true) => 8,
            (b'x', false) => 2,
            _ => 0,
        };
        let code = after
            .get(1..=digits)
            .filter(|digits| !digits.is_empty())
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(code) = code {
            put(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = after.get(1 + digits..).unwrap_or_default();
        } else if unicode {
            put('\\');
        } else {
            put(match escape {
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            });
            rest = after.get(1..).unwrap_or_default();
        }
    }
    out
}
