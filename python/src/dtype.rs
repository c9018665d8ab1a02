//! The types of numbers, as DLPack names them.

use atomscope::rows::ElementType;

/// The type of an array's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dtype {
    pub(crate) code: u8,
    pub(crate) bits: u8,
    pub(crate) lanes: u16,
}

impl Dtype {
    /// The type of embeddings, if it is one.
    pub(crate) fn element(self) -> Option<ElementType> {
        match (self.code, self.bits, self.lanes) {
            (2, 16, 1) => Some(ElementType::F16),
            (2, 32, 1) => Some(ElementType::F32),
            (2, 64, 1) => Some(ElementType::F64),
            (4, 16, 1) => Some(ElementType::Bf16),
            _ => None,
        }
    }

    /// True of uint16, as which numpy hands on the bits of bfloat16.
    pub(crate) fn is_u16(self) -> bool {
        (self.code, self.bits, self.lanes) == (1, 16, 1)
    }

    /// The name in safetensors, if there is one.
    pub(crate) fn safetensors(self) -> Option<&'static str> {
        Some(match (self.code, self.bits, self.lanes) {
            (2, 16, 1) => "F16",
            (2, 32, 1) => "F32",
            (2, 64, 1) => "F64",
            (4, 16, 1) => "BF16",
            (0, 8, 1) => "I8",
            (0, 16, 1) => "I16",
            (0, 32, 1) => "I32",
            (0, 64, 1) => "I64",
            (1, 8, 1) => "U8",
            (1, 16, 1) => "U16",
            (1, 32, 1) => "U32",
            (1, 64, 1) => "U64",
            (6, 8, 1) => "BOOL",
            _ => return None,
        })
    }

    /// The name in messages.
    pub(crate) fn name(self) -> String {
        let kind = match self.code {
            0 => "int",
            1 => "uint",
            2 => "float",
            4 => "bfloat",
            5 => "complex",
            6 => return "bool".to_owned(),
            code => return format!("{code} of DLPack with {} bits", self.bits),
        };
        format!("{kind}{}", self.bits)
    }

    /// The bytes of a number.
    pub(crate) fn bytes(self) -> usize {
        usize::from(self.bits).div_ceil(8)
    }
}
