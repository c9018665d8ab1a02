//! Python's pickle, protocol 2, as `torch.save` writes it: emitted value by value, so that a
//! list of millions of dicts never sits in memory.
//!
//! The opcodes are those of Python's `pickletools`, and only those which `torch.load` takes
//! with its default `weights_only=True`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use super::tensor::Tensor;

/// A Python value to write.
pub enum Value<'a> {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `float`.
    Float(f64),
    /// `str` that is seldom the same twice.
    Text(Cow<'a, str>),
    /// `str` that recurs, as keys do: stored once and referred to after that.
    Name(Cow<'a, str>),
    /// `list` of as many items as the number says, each made when its turn comes.
    List(u64, Box<dyn Fn(u64) -> Value<'a> + 'a>),
    /// `dict`, in the order given.
    Dict(Vec<(&'a str, Value<'a>)>),
    /// `collections.OrderedDict`, in the order given: what a torch model's state is.
    OrderedDict(Vec<(&'a str, Value<'a>)>),
    /// `torch.Tensor`; its numbers go to a storage of their own.
    Tensor(Tensor<'a>),
}

impl<'a> Value<'a> {
    /// A string that recurs.
    pub fn name(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Name(text.into())
    }

    /// A string that is seldom the same twice.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }
}

/// How many items go between two marks, as Python does it: bounds the reader's stack.
const BATCH: u64 = 1000;

/// Writes one value as a whole pickle; returns the tensors met, in the order of their storages.
pub fn write<'a>(value: Value<'a>, out: &mut impl Write) -> io::Result<Vec<Tensor<'a>>> {
    let mut pickler = Pickler {
        out,
        strings: HashMap::new(),
        globals: HashMap::new(),
        tensors: Vec::new(),
    };
    pickler.out.write_all(b"\x80\x02")?;
    pickler.value(value)?;
    pickler.out.write_all(b".")?;
    Ok(pickler.tensors)
}

struct Pickler<'a, 'w, W> {
    out: &'w mut W,
    /// The memo: a string's number in it. Globals share the numbers, not the names.
    strings: HashMap<Box<str>, u32>,
    globals: HashMap<&'static str, u32>,
    tensors: Vec<Tensor<'a>>,
}

impl<'a, W: Write> Pickler<'a, '_, W> {
    fn value(&mut self, value: Value<'a>) -> io::Result<()> {
        match value {
            Value::None => self.out.write_all(b"N"),
            Value::Bool(true) => self.out.write_all(b"\x88"),
            Value::Bool(false) => self.out.write_all(b"\x89"),
            Value::Int(n) => self.int(n),
            Value::Float(x) => {
                self.out.write_all(b"G")?;
                self.out.write_all(&x.to_be_bytes())
            }
            Value::Text(text) => self.text(&text),
            Value::Name(name) => self.name(&name),
            Value::List(count, item) => self.list(count, &*item),
            Value::Dict(entries) => {
                self.out.write_all(b"}")?;
                self.entries(entries)
            }
            Value::OrderedDict(entries) => {
                self.global("collections\nOrderedDict")?;
                self.out.write_all(b")R")?;
                self.entries(entries)
            }
            Value::Tensor(tensor) => self.tensor(tensor),
        }
    }

    fn int(&mut self, n: i64) -> io::Result<()> {
        if let Ok(n) = u8::try_from(n) {
            self.out.write_all(&[b'K', n])
        } else if let Ok(n) = u16::try_from(n) {
            self.out.write_all(b"M")?;
            self.out.write_all(&n.to_le_bytes())
        } else if let Ok(n) = i32::try_from(n) {
            self.out.write_all(b"J")?;
            self.out.write_all(&n.to_le_bytes())
        } else {
            // LONG1 of eight bytes: little-endian two's complement.
            self.out.write_all(b"\x8a\x08")?;
            self.out.write_all(&n.to_le_bytes())
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let length = u32::try_from(text.len())
            .map_err(|_| io::Error::other("a string of 4 GiB or more cannot be pickled"))?;
        self.out.write_all(b"X")?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(text.as_bytes())
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        if let Some(&number) = self.strings.get(name) {
            return self.recall(number);
        }
        self.text(name)?;
        let number = self.remember()?;
        self.strings.insert(name.into(), number);
        Ok(())
    }

    /// Puts `module\nname` on the stack.
    fn global(&mut self, path: &'static str) -> io::Result<()> {
        if let Some(&number) = self.globals.get(path) {
            return self.recall(number);
        }
        self.out.write_all(b"c")?;
        self.out.write_all(path.as_bytes())?;
        self.out.write_all(b"\n")?;
        let number = self.remember()?;
        self.globals.insert(path, number);
        Ok(())
    }

    /// Gives what is on top of the stack the next number of the memo.
    fn remember(&mut self) -> io::Result<u32> {
        let number = (self.strings.len() + self.globals.len()) as u32;
        self.numbered(b'q', b'r', number)?;
        Ok(number)
    }

    fn recall(&mut self, number: u32) -> io::Result<()> {
        self.numbered(b'h', b'j', number)
    }

    fn numbered(&mut self, short: u8, long: u8, number: u32) -> io::Result<()> {
        if let Ok(number) = u8::try_from(number) {
            self.out.write_all(&[short, number])
        } else {
            self.out.write_all(&[long])?;
            self.out.write_all(&number.to_le_bytes())
        }
    }

    fn list(&mut self, count: u64, item: &dyn Fn(u64) -> Value<'a>) -> io::Result<()> {
        self.out.write_all(b"]")?;
        for start in (0..count).step_by(BATCH as usize) {
            self.out.write_all(b"(")?;
            for i in start..count.min(start + BATCH) {
                self.value(item(i))?;
            }
            self.out.write_all(b"e")?;
        }
        Ok(())
    }

    fn entries(&mut self, entries: Vec<(&'a str, Value<'a>)>) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.out.write_all(b"(")?;
        for (key, value) in entries {
            self.name(key)?;
            self.value(value)?;
        }
        self.out.write_all(b"u")
    }

    /// `torch._utils._rebuild_tensor_v2(storage, offset, shape, stride, requires_grad, hooks)`,
    /// the storage by a persistent id `('storage', class, key, location, number of elements)`.
    fn tensor(&mut self, tensor: Tensor<'a>) -> io::Result<()> {
        self.global("torch._utils\n_rebuild_tensor_v2")?;
        self.out.write_all(b"((")?;
        self.name("storage")?;
        self.global(tensor.element().storage_class())?;
        self.text(&self.tensors.len().to_string())?;
        self.name("cpu")?;
        self.int(tensor.shape().iter().product::<u64>().cast_signed())?;
        self.out.write_all(b"tQK\x00")?;
        let mut stride = vec![1_i64; tensor.shape().len()];
        for axis in (1..stride.len()).rev() {
            stride[axis - 1] = stride[axis] * tensor.shape()[axis].cast_signed();
        }
        let shape: Vec<i64> = tensor.shape().iter().map(|&n| n.cast_signed()).collect();
        self.tuple(&shape)?;
        self.tuple(&stride)?;
        self.out.write_all(b"\x89")?;
        self.global("collections\nOrderedDict")?;
        self.out.write_all(b")RtR")?;
        self.tensors.push(tensor);
        Ok(())
    }

    fn tuple(&mut self, numbers: &[i64]) -> io::Result<()> {
        self.out.write_all(b"(")?;
        for &n in numbers {
            self.int(n)?;
        }
        self.out.write_all(b"t")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pickled(value: Value<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(value, &mut bytes).map_or_else(|e| panic!("{e}"), |_| bytes)
    }

    // Each right side was decoded by hand with the table of opcodes in Python's `pickletools`.
    #[test]
    fn plain_values_have_their_opcodes() {
        assert_eq!(pickled(Value::None), b"\x80\x02N.");
        assert_eq!(pickled(Value::Bool(true)), b"\x80\x02\x88.");
        assert_eq!(pickled(Value::Int(255)), b"\x80\x02K\xff.");
        assert_eq!(pickled(Value::Int(256)), b"\x80\x02M\x00\x01.");
        assert_eq!(pickled(Value::Int(-1)), b"\x80\x02J\xff\xff\xff\xff.");
        assert_eq!(
            pickled(Value::Int(1 << 40)),
            b"\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x01\x00\x00."
        );
        assert_eq!(
            pickled(Value::Float(1.5)),
            b"\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00."
        );
        assert_eq!(
            pickled(Value::text("μ")),
            b"\x80\x02X\x02\x00\x00\x00\xce\xbc."
        );
    }

    #[test]
    fn a_name_is_stored_once() {
        let list = Value::List(
            2,
            Box::new(|i| Value::Dict(vec![("pos", Value::Int(i.cast_signed() + 7))])),
        );
        let expected = b"\x80\x02](}(X\x03\x00\x00\x00posq\x00K\x07u}(h\x00K\x08ue.";
        assert_eq!(pickled(list), expected);
    }

    #[test]
    fn long_lists_are_appended_in_batches() {
        let bytes = pickled(Value::List(1001, Box::new(|_| Value::None)));
        let mut expected = b"\x80\x02](".to_vec();
        expected.extend([b'N'; 1000]);
        expected.extend(b"e(Ne.");
        assert_eq!(bytes, expected);
        assert_eq!(
            pickled(Value::List(0, Box::new(|_| Value::None))),
            b"\x80\x02]."
        );
    }

    #[test]
    fn names_beyond_the_first_256_have_long_numbers() {
        let names = |i: u64| Value::name(format!("n{}", i % 300));
        let bytes = pickled(Value::List(301, Box::new(names)));
        assert!(bytes.ends_with(b"X\x04\x00\x00\x00n299r\x2b\x01\x00\x00h\x00e."));
    }
}
