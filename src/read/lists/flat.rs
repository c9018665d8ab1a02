//! Tables of flatbuffers, read without trust: any offset may lead anywhere.
//!
//! <https://flatbuffers.dev/internals/>: a table begins with the distance back to its list of fields,
//! which begins with its own length; each field's entry is its distance from the table, or 0.

/// A table in some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The entries of its fields, two bytes each.
    fields: &'a [u8],
}

/// Reads bytes at a place.
pub(super) fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn forward(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32::from_le_bytes(bytes_at(bytes, at)?) as usize)
}

impl<'a> Table<'a> {
    /// The table that the bytes begin with.
    pub(super) fn root(bytes: &'a [u8]) -> Option<Self> {
        Self::at(bytes, forward(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = i64::from(i32::from_le_bytes(bytes_at(bytes, at)?));
        let list = usize::try_from(i64::try_from(at).ok()?.checked_sub(back)?).ok()?;
        let length = usize::from(u16::from_le_bytes(bytes_at(bytes, list)?));
        let fields = bytes.get(list..list.checked_add(length)?)?.get(4..)?;
        Some(Self { bytes, at, fields })
    }

    /// The place of a field; `None` if the table does not have it.
    fn field(&self, number: usize) -> Option<usize> {
        let entry = u16::from_le_bytes(bytes_at(self.fields, 2 * number)?);
        (entry != 0).then_some(self.at + usize::from(entry))
    }

    /// A field of N bytes; `None` if it is missing, and has its default value.
    pub(super) fn get<const N: usize>(&self, number: usize) -> Option<[u8; N]> {
        bytes_at(self.bytes, self.field(number)?)
    }

    /// A table that a field leads to.
    pub(super) fn table(&self, number: usize) -> Option<Self> {
        Self::at(self.bytes, forward(self.bytes, self.field(number)?)?)
    }

    /// A list that a field leads to: its number of elements, and its bytes, of so many an element.
    pub(super) fn list(&self, number: usize, size: usize) -> Option<(usize, &'a [u8])> {
        let start = forward(self.bytes, self.field(number)?)?;
        let count = u32::from_le_bytes(bytes_at(self.bytes, start)?) as usize;
        let elements = self.bytes.get(start.checked_add(4)?..)?;
        Some((count, elements.get(..count.checked_mul(size)?)?))
    }

    /// The tables of a list; `None` if the field is missing, or leads nowhere.
    pub(super) fn tables(&self, number: usize) -> Option<Vec<Self>> {
        let start = forward(self.bytes, self.field(number)?)?;
        let (count, _) = self.list(number, 4)?;
        let table =
            |index: usize| Self::at(self.bytes, forward(self.bytes, start + 4 + 4 * index)?);
        (0..count).map(table).collect()
    }

    /// A text.
    pub(super) fn text(&self, number: usize) -> Option<&'a str> {
        let (_, bytes) = self.list(number, 1)?;
        std::str::from_utf8(bytes).ok()
    }
}
