//! What each family of opcodes does to the machine.

use super::chain::Chain;
use super::machine::Machine;
use super::opcode as op;
use super::scan::PickleError;
use super::value::{Document, Id, Object, Value};

type Step<T = ()> = Result<T, PickleError>;

/// Numbers, text and bytes.
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

    /// An integer as little-endian two's complement of any length.
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
        // An integer beyond 64 bits is met nowhere in these files; as a float it is near.
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

    /// Text that is spelled out with escapes, up to the end of a line.
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

/// Python's escapes: all of them in a byte string; `\u` and `\U` alone in unicode text, whose
/// other bytes are latin-1.
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

/// Containers.
impl Machine<'_> {
    pub(super) fn tuple(&mut self, opcode: u8) -> Step {
        let (start, len) = match opcode {
            op::TUPLE => self.above_mark(|machine, items| machine.pool.fixed(items))?,
            op::TUPLE1 => {
                let items = [self.pop()?];
                self.pool.fixed(&items)
            }
            op::TUPLE2 => {
                let (b, a) = (self.pop()?, self.pop()?);
                self.pool.fixed(&[a, b])
            }
            _ => {
                let (c, b, a) = (self.pop()?, self.pop()?, self.pop()?);
                self.pool.fixed(&[a, b, c])
            }
        };
        self.push(Value::Tuple(start, len));
        Ok(())
    }

    /// A container with all its items above the mark.
    pub(super) fn whole(&mut self, opcode: u8) -> Step {
        let (chain, count) = self
            .above_mark(|machine, items| (machine.pool.append(Chain::EMPTY, items), items.len()))?;
        self.push(match opcode {
            op::LIST => Value::List(chain),
            op::FROZENSET => Value::Set(chain),
            _ => {
                self.even(count)?;
                Value::Dict(chain)
            }
        });
        Ok(())
    }

    fn even(&self, count: usize) -> Step {
        if count.is_multiple_of(2) {
            return Ok(());
        }
        Err(self
            .scan
            .fail("a key without a value", "keys and values in turn"))
    }

    pub(super) fn append(&mut self, opcode: u8) -> Step {
        if opcode == op::APPEND {
            let item = self.pop()?;
            let container = self.top()?;
            return self.append_to(container, &[item]);
        }
        let items = self.above_mark(|_, items| items.to_vec())?;
        let container = self.top()?;
        self.append_to(container, &items)
    }

    fn append_to(&mut self, container: Id, items: &[Id]) -> Step {
        let grown = match self.value(container) {
            Value::List(chain) => Value::List(self.pool.append(chain, items)),
            Value::Set(chain) => Value::Set(self.pool.append(chain, items)),
            Value::Object(number) => {
                if let Some(object) = self.objects.get_mut(number as usize) {
                    object.items = self.pool.append(object.items, items);
                }
                return Ok(());
            }
            other => return Err(self.scan.fail(other.kind(), "a list or a set to add to")),
        };
        self.replace(container, grown);
        Ok(())
    }

    pub(super) fn set_items(&mut self, opcode: u8) -> Step {
        let items = if opcode == op::SETITEM {
            let (value, key) = (self.pop()?, self.pop()?);
            vec![key, value]
        } else {
            self.above_mark(|_, items| items.to_vec())?
        };
        self.even(items.len())?;
        let container = self.top()?;
        match self.value(container) {
            Value::Dict(chain) => {
                let grown = Value::Dict(self.pool.append(chain, &items));
                self.replace(container, grown);
            }
            Value::Object(number) => {
                if let Some(object) = self.objects.get_mut(number as usize) {
                    object.entries = self.pool.append(object.entries, &items);
                }
            }
            other => return Err(self.scan.fail(other.kind(), "a dict to set items of")),
        }
        Ok(())
    }

    fn replace(&mut self, id: Id, value: Value) {
        if let Some(slot) = self.values.get_mut(id as usize) {
            *slot = value;
        }
    }
}

/// Names, calls and persistent ids.
impl Machine<'_> {
    pub(super) fn named(&mut self, opcode: u8) -> Step {
        let (module, name) = if opcode == op::GLOBAL {
            let module = self.scan.line_text()?.to_owned();
            (module, self.scan.line_text()?.to_owned())
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            (self.owned_text(module)?, self.owned_text(name)?)
        };
        let id = self.intern(module, name);
        self.push_id(id);
        Ok(())
    }

    fn owned_text(&self, id: Id) -> Step<String> {
        match self.value(id) {
            Value::Str(start, len) => {
                Ok(String::from_utf8_lossy(self.raw(start, len)).into_owned())
            }
            other => Err(self.scan.fail(other.kind(), "a name as text")),
        }
    }

    pub(super) fn called(&mut self, opcode: u8) -> Step {
        match opcode {
            op::BUILD => return self.build(),
            op::INST => {
                let module = self.scan.line_text()?.to_owned();
                let name = self.scan.line_text()?.to_owned();
                let (start, len) = self.above_mark(|machine, items| machine.pool.fixed(items))?;
                let callable = self.intern(module, name);
                let args = self.add(Value::Tuple(start, len));
                self.object(callable, args);
            }
            op::OBJ => {
                let split = self.above_mark(|machine, items| {
                    let (callable, args) = items.split_first()?;
                    Some((*callable, machine.pool.fixed(args)))
                })?;
                let Some((callable, (start, len))) = split else {
                    return Err(self.scan.fail("nothing above the mark", "a class"));
                };
                let args = self.add(Value::Tuple(start, len));
                self.object(callable, args);
            }
            _ => {
                if opcode == op::NEWOBJ_EX {
                    // Keyword arguments: no class with a meaning here takes any.
                    self.pop()?;
                }
                let (args, callable) = (self.pop()?, self.pop()?);
                if !matches!(self.value(args), Value::Tuple(..)) {
                    let found = self.value(args).kind();
                    return Err(self.scan.fail(found, "a tuple of arguments"));
                }
                self.object(callable, args);
            }
        }
        Ok(())
    }

    fn object(&mut self, callable: Id, args: Id) {
        let number = self.objects.len() as u32;
        self.objects.push(Object {
            callable,
            args,
            state: Document::NONE,
            items: Chain::EMPTY,
            entries: Chain::EMPTY,
        });
        self.push(Value::Object(number));
    }

    fn build(&mut self) -> Step {
        let state = self.pop()?;
        let target = self.top()?;
        match self.value(target) {
            Value::Object(number) => {
                if let Some(object) = self.objects.get_mut(number as usize) {
                    object.state = state;
                }
                Ok(())
            }
            other => Err(self.scan.fail(other.kind(), "an object to give a state")),
        }
    }

    pub(super) fn persistent(&mut self, opcode: u8) -> Step {
        let id = if opcode == op::BINPERSID {
            self.pop()?
        } else {
            let (start, len) = self.scan.line()?;
            self.add(Value::Str(start, len))
        };
        self.push(Value::Persistent(id));
        Ok(())
    }
}
