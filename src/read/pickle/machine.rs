//! The machine that follows a pickle's opcodes and builds values. It calls nothing.

use std::collections::HashMap;

use super::chain::{Chain, Id, Pool};
use super::memo::Memo;
use super::opcode as op;
use super::scan::{PickleError, Scanner};
use super::value::{Document, Global, Object, Value};
use crate::control;

/// The index of the values that every arena begins with.
const NONE: Id = Document::NONE;
const TRUE: Id = 1;
const FALSE: Id = 2;
const EMPTY_TUPLE: Id = 3;

/// The greatest length of a pickle. Offsets are 32 bits wide: enough for the calls of some forty
/// million variants.
const LONGEST: usize = u32::MAX as usize - 64;

/// The opcodes after which what the values take is counted again: each adds some bytes at most.
const COUNTED_EVERY: usize = 1 << 12;
/// The bytes of an entry in a map of names or far memo indices, without letters.
const ENTRY: usize = 320;
const FAR: usize = 40;
/// The longest module or name.
pub(super) const LONGEST_NAME: usize = 1 << 12;

/// Loads the pickle that `bytes` begins with. Bytes after its STOP are ignored.
///
/// All of it takes at most `most` bytes of memory, the pickle's own included.
pub(crate) fn load(mut bytes: Vec<u8>, most: u64) -> Result<Document, PickleError> {
    let mut document = run(&bytes, most)?;
    bytes.truncate(document.end);
    document.bytes = bytes;
    Ok(document)
}

/// Follows a pickle's opcodes.
fn run(bytes: &[u8], most: u64) -> Result<Document, PickleError> {
    let mut machine = Machine::new(bytes);
    if bytes.len() > LONGEST {
        let found = format!("{} bytes", bytes.len());
        return Err(machine.scan.fail(found, "a pickle of less than 4 GiB"));
    }
    let mut turn = 0_usize;
    loop {
        turn = turn.wrapping_add(1);
        if control::hear_at(turn).is_err() {
            return Err(machine.scan.fail("an interruption", "time to the end"));
        }
        if turn.is_multiple_of(COUNTED_EVERY) {
            machine.check_room(most)?;
        }
        let opcode = machine.scan.next_opcode()?;
        if opcode == op::STOP {
            let root = machine.pop()?;
            machine.check_room(most)?;
            return Ok(machine.finish(root));
        }
        machine.step(opcode)?;
    }
}

pub(super) struct Machine<'a> {
    pub(super) scan: Scanner<'a>,
    pub(super) values: Vec<Value>,
    pub(super) pool: Pool,
    pub(super) objects: Vec<Object>,
    globals: Vec<Global>,
    names: HashMap<(String, String), Id>,
    decoded: Vec<u8>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    pub(super) memo: Memo,
    protocol: u8,
    /// The letters of names, of which there are two copies.
    letters: usize,
}

type Step<T = ()> = Result<T, PickleError>;

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            scan: Scanner::new(bytes),
            values: vec![
                Value::None,
                Value::Bool(true),
                Value::Bool(false),
                Value::Tuple(0, 0),
            ],
            pool: Pool::default(),
            objects: Vec::new(),
            globals: Vec::new(),
            names: HashMap::new(),
            decoded: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            protocol: 0,
            letters: 0,
        }
    }

    /// The bytes of memory that all this takes.
    fn held(&self) -> usize {
        self.scan.bytes.len()
            + size_of_val(&*self.values)
            + self.pool.held()
            + size_of_val(&*self.objects)
            + self.globals.len() * ENTRY
            + 2 * self.letters
            + self.decoded.len()
            + size_of_val(&*self.stack)
            + size_of_val(&*self.marks)
            + self.memo.held(FAR)
    }

    fn check_room(&self, most: u64) -> Step {
        let held = self.held() as u64;
        if held <= most {
            return Ok(());
        }
        Err(self.scan.fail(
            format!("values that take {held} bytes of memory or more, where {most} may be kept of this file"),
            "a pickle that takes what its file can stand for",
        ))
    }

    fn finish(self, root: Id) -> Document {
        let (end, held) = (self.scan.position, self.held() as u64);
        Document {
            bytes: Vec::new(),
            decoded: self.decoded,
            decoded_base: self.scan.bytes.len(),
            values: self.values,
            pool: self.pool,
            objects: self.objects,
            globals: self.globals,
            root,
            protocol: self.protocol,
            end,
            held,
        }
    }

    fn step(&mut self, opcode: u8) -> Step {
        match opcode {
            op::MARK => self.marks.push(self.stack.len()),
            op::NONE => self.stack.push(NONE),
            op::NEWTRUE => self.stack.push(TRUE),
            op::NEWFALSE => self.stack.push(FALSE),
            op::EMPTY_TUPLE => self.stack.push(EMPTY_TUPLE),
            op::BININT1
            | op::BININT2
            | op::BININT
            | op::BINFLOAT
            | op::INT
            | op::LONG
            | op::FLOAT
            | op::LONG1
            | op::LONG4 => self.number(opcode)?,
            op::BINUNICODE
            | op::SHORT_BINUNICODE
            | op::BINUNICODE8
            | op::BINSTRING
            | op::SHORT_BINSTRING => self.text(opcode)?,
            op::BINBYTES | op::SHORT_BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => {
                self.binary(opcode)?;
            }
            op::STRING | op::UNICODE => self.spelled(opcode)?,
            op::BINGET | op::LONG_BINGET | op::GET => self.recall(opcode)?,
            op::BINPUT | op::LONG_BINPUT | op::PUT | op::MEMOIZE => self.remember(opcode)?,
            op::TUPLE | op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.tuple(opcode)?,
            op::EMPTY_LIST => self.push(Value::List(Chain::EMPTY)),
            op::EMPTY_DICT => self.push(Value::Dict(Chain::EMPTY)),
            op::EMPTY_SET => self.push(Value::Set(Chain::EMPTY)),
            op::LIST | op::DICT | op::FROZENSET => self.whole(opcode)?,
            op::APPEND | op::APPENDS | op::ADDITEMS => self.append(opcode)?,
            op::SETITEM | op::SETITEMS => self.set_items(opcode)?,
            op::GLOBAL | op::STACK_GLOBAL => self.named(opcode)?,
            op::REDUCE | op::NEWOBJ | op::NEWOBJ_EX | op::INST | op::OBJ | op::BUILD => {
                self.called(opcode)?;
            }
            op::PERSID | op::BINPERSID => self.persistent(opcode)?,
            op::POP | op::POP_MARK | op::DUP => self.rearrange(opcode)?,
            op::PROTO | op::FRAME => self.header(opcode)?,
            // A read-only buffer serves as well as a writable one.
            op::READONLY_BUFFER => {}
            _ => self.elsewhere(opcode)?,
        }
        Ok(())
    }

    /// Pushes a stand-in for a value outside of the pickle: a code of Python's extension registry,
    /// or a buffer stored elsewhere. It is a foreign name without more facts.
    fn elsewhere(&mut self, opcode: u8) -> Step {
        let (module, name) = match opcode {
            op::EXT1 => (
                "copyreg",
                format!("extension {}", self.scan.array::<1>()?[0]),
            ),
            op::EXT2 => {
                let code = u16::from_le_bytes(self.scan.array()?);
                ("copyreg", format!("extension {code}"))
            }
            op::EXT4 => {
                let code = u32::from_le_bytes(self.scan.array()?);
                ("copyreg", format!("extension {code}"))
            }
            op::NEXT_BUFFER => ("pickle", "PickleBuffer".to_owned()),
            _ => {
                let found = format!("byte 0x{opcode:02x}");
                let expected = "an opcode of pickle protocols 0 to 5";
                return Err(self.scan.fail(found, expected));
            }
        };
        let id = self.intern(module.to_owned(), name);
        self.push_id(id);
        Ok(())
    }

    fn header(&mut self, opcode: u8) -> Step {
        if opcode == op::FRAME {
            self.scan.array::<8>()?;
            return Ok(());
        }
        let [protocol] = self.scan.array()?;
        if protocol > 5 {
            let found = format!("pickle protocol {protocol}");
            return Err(self.scan.fail(found, "a protocol of at most 5"));
        }
        self.protocol = protocol;
        Ok(())
    }

    // The stack and the arena.

    pub(super) fn add(&mut self, value: Value) -> Id {
        // Every value takes at least a byte of the pickle, so the number fits.
        let id = self.values.len() as Id;
        self.values.push(value);
        id
    }

    pub(super) fn push(&mut self, value: Value) {
        let id = self.add(value);
        self.stack.push(id);
    }

    pub(super) fn push_id(&mut self, id: Id) {
        self.stack.push(id);
    }

    /// Returns the lowest stack position that opcodes may take from: nothing below a mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn pop(&mut self) -> Step<Id> {
        if self.stack.len() > self.floor()
            && let Some(id) = self.stack.pop()
        {
            return Ok(id);
        }
        Err(self.scan.fail("an empty stack", "a value on it"))
    }

    pub(super) fn top(&self) -> Step<Id> {
        match self.stack.last() {
            Some(&id) if self.stack.len() > self.floor() => Ok(id),
            _ => Err(self.scan.fail("an empty stack", "a value on it")),
        }
    }

    pub(super) fn value(&self, id: Id) -> Value {
        self.values.get(id as usize).copied().unwrap_or(Value::None)
    }

    /// Takes the values above the last mark, and the mark, and hands the values to `take`.
    pub(super) fn above_mark<T>(&mut self, take: impl FnOnce(&mut Self, &[Id]) -> T) -> Step<T> {
        let Some(mark) = self.marks.pop() else {
            return Err(self.scan.fail("no mark", "a mark on the stack"));
        };
        let stack = std::mem::take(&mut self.stack);
        let result = take(self, stack.get(mark..).unwrap_or_default());
        self.stack = stack;
        self.stack.truncate(mark);
        Ok(result)
    }

    fn rearrange(&mut self, opcode: u8) -> Step {
        match opcode {
            op::POP if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
            }
            op::POP => {
                self.pop()?;
            }
            op::DUP => {
                let id = self.top()?;
                self.stack.push(id);
            }
            _ => self.above_mark(|_, _| ())?,
        }
        Ok(())
    }

    // Names.

    pub(super) fn intern(&mut self, module: String, name: String) -> Id {
        if let Some(&id) = self.names.get(&(module.clone(), name.clone())) {
            return id;
        }
        self.letters += module.len() + name.len();
        let number = self.globals.len() as u32;
        self.globals.push(Global {
            module: module.clone(),
            name: name.clone(),
            offset: self.scan.opcode_at,
        });
        let id = self.add(Value::Global(number));
        self.names.insert((module, name), id);
        id
    }

    /// Adds text decoded from escapes. Its addresses follow the pickle's own bytes.
    pub(super) fn add_decoded(&mut self, text: &[u8]) -> Step<(u32, u32)> {
        let start = self.scan.bytes.len() + self.decoded.len();
        match u32::try_from(start + text.len()) {
            Ok(_) => {
                self.decoded.extend_from_slice(text);
                Ok((start as u32, text.len() as u32))
            }
            Err(_) => Err(self.scan.fail("too much text", "a pickle below 4 GiB")),
        }
    }

    pub(super) fn raw(&self, start: u32, len: u32) -> &[u8] {
        let at = start as usize;
        match at.checked_sub(self.scan.bytes.len()) {
            None => self.scan.slice((start, len)),
            Some(at) => self.decoded.get(at..at + len as usize).unwrap_or_default(),
        }
    }
}
