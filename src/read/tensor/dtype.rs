//! Number types of tensors.

/// The type of a tensor's elements, in torch's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dtype {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl Dtype {
    /// Returns the floating-point type of a safetensors name.
    pub(crate) fn of_safetensors(name: &str) -> Option<Self> {
        Some(match name {
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            "F32" => Self::F32,
            "F64" => Self::F64,
            _ => return None,
        })
    }

    /// Returns the type of a safetensors name, whole numbers and truth values included.
    pub(crate) fn of_any_safetensors(name: &str) -> Option<Self> {
        Self::of_safetensors(name).or(match name {
            "I8" => Some(Self::I8),
            "I16" => Some(Self::I16),
            "I32" => Some(Self::I32),
            "I64" => Some(Self::I64),
            "U8" => Some(Self::U8),
            "U16" => Some(Self::U16),
            "U32" => Some(Self::U32),
            "U64" => Some(Self::U64),
            "BOOL" => Some(Self::Bool),
            _ => None,
        })
    }

    /// Returns the type of a storage class of `torch`, as `FloatStorage`.
    pub(crate) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "CharStorage" => Self::I8,
            "ShortStorage" => Self::I16,
            "IntStorage" => Self::I32,
            "LongStorage" => Self::I64,
            "ByteStorage" | "UntypedStorage" | "_UntypedStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// Returns the type of a torch name, as `float32`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "float16" | "half" => Self::F16,
            "bfloat16" => Self::Bf16,
            "float32" | "float" => Self::F32,
            "float64" | "double" => Self::F64,
            "int8" => Self::I8,
            "int16" | "short" => Self::I16,
            "int32" | "int" => Self::I32,
            "int64" | "long" => Self::I64,
            "uint8" => Self::U8,
            "uint16" => Self::U16,
            "uint32" => Self::U32,
            "uint64" => Self::U64,
            "bool" => Self::Bool,
            _ => return None,
        })
    }

    /// Returns the type of a numpy type string without its byte order, as `f8`.
    pub(crate) fn of_numpy(code: &str) -> Option<Self> {
        Some(match code {
            "f2" => Self::F16,
            "f4" => Self::F32,
            "f8" => Self::F64,
            "i1" => Self::I8,
            "i2" => Self::I16,
            "i4" => Self::I32,
            "i8" => Self::I64,
            "u1" => Self::U8,
            "u2" => Self::U16,
            "u4" => Self::U32,
            "u8" => Self::U64,
            "b1" => Self::Bool,
            _ => return None,
        })
    }

    /// Says whether the type is a floating-point type.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// Returns torch's name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::Bool => "bool",
        }
    }

    /// Returns the bytes of an element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }
}

/// Widens little-endian elements, `stride` elements apart, to binary32: exactly where the type
/// is narrower, to nearest where it is wider.
pub(crate) fn widen(dtype: Dtype, bytes: &[u8], stride: usize, out: &mut [f32]) {
    macro_rules! each {
        ($type:ty) => {
            each::<{ size_of::<$type>() }>(bytes, stride, out, |b| <$type>::from_le_bytes(b) as f32)
        };
    }
    match dtype {
        Dtype::F16 => each::<2>(bytes, stride, out, |b| f16_to_f32(u16::from_le_bytes(b))),
        Dtype::Bf16 => each::<2>(bytes, stride, out, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        }),
        Dtype::F32 => each!(f32),
        Dtype::F64 => each!(f64),
        Dtype::I8 => each!(i8),
        Dtype::I16 => each!(i16),
        Dtype::I32 => each!(i32),
        Dtype::I64 => each!(i64),
        Dtype::U8 => each!(u8),
        Dtype::U16 => each!(u16),
        Dtype::U32 => each!(u32),
        Dtype::U64 => each!(u64),
        Dtype::Bool => each::<1>(bytes, stride, out, |[b]| f32::from(u8::from(b != 0))),
    }
}

fn each<const SIZE: usize>(
    bytes: &[u8],
    stride: usize,
    out: &mut [f32],
    widen: impl Fn([u8; SIZE]) -> f32,
) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    match stride {
        // The common case is separate, so that it becomes vector instructions.
        1 => {
            for (to, from) in out.iter_mut().zip(elements) {
                *to = widen(*from);
            }
        }
        0 => {
            if let Some(first) = elements.first() {
                out.fill(widen(*first));
            }
        }
        _ => {
            for (to, from) in out.iter_mut().zip(elements.iter().step_by(stride)) {
                *to = widen(*from);
            }
        }
    }
}

/// Widens a binary16 exactly and without branches, so that a loop over it becomes vector
/// instructions. The bits are placed as a binary32 whose exponent is 112 too small; a product by
/// 2¹¹² corrects it, also for subnormal numbers. Infinity and NaN get the exponent of all ones.
fn f16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let rest = u32::from(bits & 0x7fff);
    let scaled = f32::from_bits(rest << 13) * f32::from_bits((112 + 127) << 23);
    let special = if rest >= 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(sign | scaled.to_bits() | special)
}

#[cfg(test)]
mod tests {
    use super::f16_to_f32;

    #[test]
    fn f16_to_f32_widens_every_value_exactly() {
        for bits in 0..=u16::MAX {
            let (ours, theirs) = (f16_to_f32(bits), half::f16::from_bits(bits).to_f32());
            if theirs.is_nan() {
                assert!(ours.is_nan(), "{bits:04x}");
            } else {
                assert_eq!(ours.to_bits(), theirs.to_bits(), "{bits:04x}");
            }
        }
    }
}
