//! Single values, and how Python prints them.

use super::super::pickle::{Document, Id, Value};
use super::super::tensor::Dtype;
use crate::python;

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as the nearest float.
    Large(f64),
    Float(f64),
    /// A float of lower precision, which prints with fewer digits.
    Single(f32),
    Text(String),
}

impl Scalar {
    /// What Python's `str` makes of it.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::None => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Large(x) => format!("{x}"),
            Self::Float(x) => python::repr(x),
            Self::Single(x) => single_repr(x),
            Self::Text(text) => text,
        }
    }
}

/// The shortest digits that read back to the same binary32.
fn single_repr(x: f32) -> String {
    // The digits of the binary32 as a decimal number are also the shortest of the binary64 that
    // is nearest to them.
    format!("{x:e}")
        .parse()
        .map_or_else(|_| x.to_string(), python::repr)
}

/// A little-endian element; what follows it in `bytes` is zero.
pub(super) fn decode(dtype: Dtype, bytes: [u8; 8]) -> Scalar {
    let [a, b, c, d, ..] = bytes;
    match dtype {
        Dtype::F16 => Scalar::Single(half::f16::from_le_bytes([a, b]).to_f32()),
        Dtype::Bf16 => Scalar::Single(half::bf16::from_le_bytes([a, b]).to_f32()),
        Dtype::F32 => Scalar::Single(f32::from_le_bytes([a, b, c, d])),
        Dtype::F64 => Scalar::Float(f64::from_le_bytes(bytes)),
        Dtype::I8 => Scalar::Int(i64::from(i8::from_le_bytes([a]))),
        Dtype::I16 => Scalar::Int(i64::from(i16::from_le_bytes([a, b]))),
        Dtype::I32 => Scalar::Int(i64::from(i32::from_le_bytes([a, b, c, d]))),
        Dtype::I64 => Scalar::Int(i64::from_le_bytes(bytes)),
        Dtype::Bool => Scalar::Bool(a != 0),
        Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => {
            let number = u64::from_le_bytes(bytes);
            i64::try_from(number).map_or(Scalar::Large(number as f64), Scalar::Int)
        }
    }
}

/// A long integer, little-endian in two's complement, as the nearest float or nearly so.
pub(super) fn large(bytes: &[u8]) -> f64 {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let magnitude = bytes.iter().rev().fold(0.0, |sum: f64, &byte| {
        sum * 256.0 + f64::from(if negative { !byte } else { byte })
    });
    if negative {
        -(magnitude + 1.0)
    } else {
        magnitude
    }
}

/// Bytes as Python prints them.
pub(super) fn bytes_repr(bytes: &[u8]) -> String {
    let mut text = "b'".to_owned();
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.extend(std::ascii::escape_default(byte).map(char::from)),
        }
    }
    text.push('\'');
    text
}

/// An integer as Python's `int()` makes it: of a float its whole part, of text its digits.
fn integer(scalar: &Scalar) -> Option<i64> {
    let whole = |x: f64| (x.abs() < 9e18).then_some(x.trunc() as i64);
    match scalar {
        Scalar::None => None,
        Scalar::Bool(flag) => Some(i64::from(*flag)),
        Scalar::Int(n) => Some(*n),
        Scalar::Large(x) | Scalar::Float(x) => whole(*x),
        Scalar::Single(x) => whole(f64::from(*x)),
        Scalar::Text(text) => text.trim().parse().ok(),
    }
}

/// The integer that a number is, of which nothing is cut off; none of a truth value.
pub(crate) fn whole(scalar: &Scalar) -> Option<i64> {
    let is_whole = match scalar {
        Scalar::None | Scalar::Bool(_) => false,
        Scalar::Int(_) | Scalar::Text(_) => true,
        Scalar::Large(x) | Scalar::Float(x) => x.fract() == 0.0,
        Scalar::Single(x) => x.fract() == 0.0,
    };
    integer(scalar).filter(|_| is_whole)
}

/// The bytes of a Python value: `bytes`, `bytearray`, and what protocol 2 writes for them.
pub(crate) fn raw_bytes(document: &Document, id: Id) -> Option<std::borrow::Cow<'_, [u8]>> {
    match document.value(id) {
        // Python 2 had no other type for bytes.
        Value::Bytes(start, len) | Value::Str(start, len) => Some(document.raw(start, len).into()),
        Value::Object(_) => {
            let object = document.object(id)?;
            let args = document.args(object);
            match document.callable(object) {
                ("_codecs", "encode") => {
                    let text = document.text(*args.first()?)?;
                    let bytes: Option<Vec<u8>> = text
                        .chars()
                        .map(|c| u8::try_from(u32::from(c)).ok())
                        .collect();
                    Some(bytes?.into())
                }
                ("builtins" | "__builtin__", "bytes" | "bytearray") => match args {
                    [] => Some([].as_slice().into()),
                    [inner, ..] => match document.value(*inner) {
                        Value::Bytes(start, len) => Some(document.raw(start, len).into()),
                        Value::Str(..) => {
                            let text = document.text(*inner)?;
                            let bytes: Option<Vec<u8>> = text
                                .chars()
                                .map(|c| u8::try_from(u32::from(c)).ok())
                                .collect();
                            Some(bytes?.into())
                        }
                        _ => None,
                    },
                },
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Scalar, bytes_repr, integer, large, single_repr, whole};

    #[test]
    fn values_print_as_in_python() {
        assert_eq!(single_repr(0.1), "0.1");
        assert_eq!(single_repr(1e-5), "1e-05");
        assert_eq!(single_repr(3.0), "3.0");
        assert_eq!(bytes_repr(b"a'\n\xff"), "b'a\\'\\n\\xff'");
        assert_eq!(Scalar::Bool(true).into_text(), "True");
    }

    #[test]
    fn integers_are_made_as_by_int() {
        assert_eq!(integer(&Scalar::Float(-3.9)), Some(-3));
        assert_eq!(integer(&Scalar::Text(" 32 ".to_owned())), Some(32));
        assert_eq!(integer(&Scalar::Float(f64::NAN)), None);
        assert_eq!(integer(&Scalar::None), None);
    }

    #[test]
    fn sizes_are_whole_numbers() {
        assert_eq!(whole(&Scalar::Float(4.0)), Some(4));
        assert_eq!(whole(&Scalar::Float(4.5)), None);
        assert_eq!(whole(&Scalar::Single(4.9)), None);
        assert_eq!(whole(&Scalar::Bool(true)), None);
        assert_eq!(whole(&Scalar::Int(4)), Some(4));
    }

    #[test]
    fn long_integers_become_floats() {
        let mut two_to_64 = [0; 9];
        two_to_64[8] = 1;
        assert_eq!(large(&two_to_64), 18_446_744_073_709_551_616.0);
        assert_eq!(
            large(&[0, 0, 0, 0, 0, 0, 0, 0, 0xff]),
            -18_446_744_073_709_551_616.0
        );
    }
}
