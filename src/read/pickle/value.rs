//! The values of a pickle, in an arena. Each is referred to by its index.
//!
//! Shared objects stay shared, cycles are harmless, and nothing recurses.

use std::borrow::Cow;

use super::chain::{Chain, Id, Items, Pool};

/// One value of 16 bytes. Text and bytes refer to the pickle, containers to the pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits: little-endian, two's complement.
    Long(u32, u32),
    Float(f64),
    /// Text: its start, and its length in bytes.
    Str(u32, u32),
    Bytes(u32, u32),
    Tuple(u32, u32),
    List(Chain),
    Set(Chain),
    Dict(Chain),
    /// A Python name, by its number in [`Document::globals`].
    Global(u32),
    /// A value outside of the pickle, in the file around it, by its id's value.
    Persistent(Id),
    /// The result of a call, by its number.
    Object(u32),
}

const _: () = assert!(size_of::<Value>() == 16);

impl Value {
    /// Returns a value's kind, in Python's words.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Long(..) => "an int",
            Self::Float(_) => "a float",
            Self::Str(..) => "a str",
            Self::Bytes(..) => "bytes",
            Self::Tuple(..) => "a tuple",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a Python name",
            Self::Persistent(_) => "a storage",
            Self::Object(_) => "an object",
        }
    }
}

/// A call that a pickle asks for. It is never made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object {
    pub(crate) callable: Id,
    pub(crate) args: Id,
    pub(crate) state: Id,
    pub(crate) items: Chain,
    pub(crate) entries: Chain,
}

/// A Python name, and the place where it is first seen.
#[derive(Debug, Clone)]
pub(crate) struct Global {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) offset: usize,
}

impl Global {
    /// Returns `module.name`.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }
}

/// The contents of a pickle.
#[derive(Debug)]
pub(crate) struct Document {
    /// The pickle, up to its STOP.
    pub(crate) bytes: Vec<u8>,
    /// Text that the pickle writes with escapes, decoded and addressed from `decoded_base`.
    pub(crate) decoded: Vec<u8>,
    pub(crate) decoded_base: usize,
    pub(crate) values: Vec<Value>,
    pub(crate) pool: Pool,
    pub(crate) objects: Vec<Object>,
    pub(crate) globals: Vec<Global>,
    pub(crate) root: Id,
    pub(crate) protocol: u8,
    /// The number of bytes of the pickle.
    pub(crate) end: usize,
    /// The bytes of memory that were taken for it.
    pub(crate) held: u64,
}

impl Document {
    pub(crate) const NONE: Id = 0;

    pub(crate) fn value(&self, id: Id) -> Value {
        self.values.get(id as usize).copied().unwrap_or(Value::None)
    }

    /// Returns a value's kind, in Python's words.
    pub(crate) fn kind(&self, id: Id) -> &'static str {
        self.value(id).kind()
    }

    pub(crate) fn raw(&self, start: u32, len: u32) -> &[u8] {
        let (start, len) = (start as usize, len as usize);
        match start.checked_sub(self.decoded_base) {
            None => self.bytes.get(start..start + len),
            Some(start) => self.decoded.get(start..start + len),
        }
        .unwrap_or_default()
    }

    /// Returns a string's text. Bytes that are not UTF-8 (lone surrogates) are replaced.
    pub(crate) fn text(&self, id: Id) -> Option<Cow<'_, str>> {
        match self.value(id) {
            Value::Str(start, len) => Some(String::from_utf8_lossy(self.raw(start, len))),
            _ => None,
        }
    }

    pub(crate) fn object(&self, id: Id) -> Option<&Object> {
        match self.value(id) {
            Value::Object(number) => self.objects.get(number as usize),
            _ => None,
        }
    }

    pub(crate) fn global(&self, id: Id) -> Option<&Global> {
        match self.value(id) {
            Value::Global(number) => self.globals.get(number as usize),
            _ => None,
        }
    }

    /// Returns the module and name that an object's call names.
    pub(crate) fn callable(&self, object: &Object) -> (&str, &str) {
        match self.global(object.callable) {
            Some(global) => (&global.module, &global.name),
            None => ("", ""),
        }
    }

    pub(crate) fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.value(id) {
            Value::Tuple(start, len) => Some(self.pool.slice(start, len)),
            _ => None,
        }
    }

    /// Returns an object's positional arguments.
    pub(crate) fn args(&self, object: &Object) -> &[Id] {
        self.tuple(object.args).unwrap_or_default()
    }

    /// Returns the items of a list, tuple or set.
    pub(crate) fn items(&self, id: Id) -> Option<Sequence<'_>> {
        match self.value(id) {
            Value::Tuple(start, len) => Some(Sequence::Fixed(self.pool.slice(start, len).iter())),
            Value::List(chain) | Value::Set(chain) => Some(Sequence::Chain(self.pool.iter(chain))),
            Value::Object(_) => self.object_items(id),
            _ => None,
        }
    }

    /// Returns the items of `set([...])`, `list(...)`, `frozenset(...)` and `torch.Size(...)`.
    fn object_items(&self, id: Id) -> Option<Sequence<'_>> {
        let object = self.object(id)?;
        let sequence = matches!(
            self.callable(object),
            (
                "builtins" | "__builtin__",
                "set" | "frozenset" | "list" | "tuple"
            ) | ("torch", "Size")
        );
        if !sequence {
            return None;
        }
        match self.args(object).first().map(|&arg| self.value(arg)) {
            None => Some(Sequence::Chain(self.pool.iter(object.items))),
            Some(Value::Tuple(start, len)) => {
                Some(Sequence::Fixed(self.pool.slice(start, len).iter()))
            }
            Some(Value::List(chain)) => Some(Sequence::Chain(self.pool.iter(chain))),
            Some(_) => None,
        }
    }

    /// Returns the entries of a dict, or of an object like one: `OrderedDict`, `defaultdict`,
    /// `Counter`, `Namespace`, `SimpleNamespace`.
    pub(crate) fn entries(&self, id: Id) -> Option<Entries<'_>> {
        if let Value::Dict(chain) = self.value(id) {
            return Some(Entries::Pairs(self.pool.iter(chain)));
        }
        let object = self.object(id)?;
        match self.callable(object) {
            ("collections", "OrderedDict" | "Counter" | "defaultdict")
            | ("builtins" | "__builtin__", "dict") => Some(self.mapping_entries(object)),
            ("argparse", "Namespace") | ("types", "SimpleNamespace") => {
                match self.value(object.state) {
                    Value::Dict(chain) => Some(Entries::Pairs(self.pool.iter(chain))),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn mapping_entries(&self, object: &Object) -> Entries<'_> {
        // `Counter({…})` and `OrderedDict([[key, value], …])` have their content as the first
        // argument; `defaultdict(factory)` and `OrderedDict()` set items afterwards.
        match self.args(object).first().map(|&arg| self.value(arg)) {
            Some(Value::Dict(chain)) => Entries::Pairs(self.pool.iter(chain)),
            Some(Value::List(chain)) => Entries::Lists(self, self.pool.iter(chain)),
            _ => Entries::Pairs(self.pool.iter(object.entries)),
        }
    }

    /// Returns the value of a text key. Of equal keys the last one counts, as in Python.
    pub(crate) fn get(&self, dict: Id, key: &str) -> Option<Id> {
        self.entries(dict)?
            .filter(|&(name, _)| self.is_text(name, key))
            .last()
            .map(|(_, value)| value)
    }

    pub(crate) fn is_text(&self, id: Id, text: &str) -> bool {
        match self.value(id) {
            Value::Str(start, len) => self.raw(start, len) == text.as_bytes(),
            _ => false,
        }
    }
}

/// An iterator over a list's, tuple's or set's items.
#[derive(Debug, Clone)]
pub(crate) enum Sequence<'a> {
    Fixed(std::slice::Iter<'a, Id>),
    Chain(Items<'a>),
}

impl Iterator for Sequence<'_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        match self {
            Self::Fixed(ids) => ids.next().copied(),
            Self::Chain(items) => items.next(),
        }
    }
}

/// An iterator over a mapping's keys and values.
#[derive(Debug, Clone)]
pub(crate) enum Entries<'a> {
    /// Keys and values in turn.
    Pairs(Items<'a>),
    /// Sequences of two items each, a key and a value.
    Lists(&'a Document, Items<'a>),
}

impl Iterator for Entries<'_> {
    type Item = (Id, Id);

    fn next(&mut self) -> Option<(Id, Id)> {
        match self {
            Self::Pairs(items) => Some((items.next()?, items.next()?)),
            Self::Lists(document, items) => {
                let mut pair = document.items(items.next()?)?;
                Some((pair.next()?, pair.next()?))
            }
        }
    }
}
