//! The columns that a schema describes, and how many nodes and buffers of a batch belong to each.
//!
//! <https://github.com/apache/arrow/blob/main/format/Schema.fbs>

use super::super::ListColumn;
use super::super::flat::Table;
use crate::read::tensor::Dtype;

/// The bytes of an offset: 4, or 8 in large lists and texts.
pub(super) type OffsetBytes = usize;

/// The meaning of a column's values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    List(OffsetBytes),
    FixedList(usize),
    Float(Dtype),
    Whole {
        bytes: usize,
        signed: bool,
    },
    Bool,
    Text(OffsetBytes),
    /// Texts that are each in one of several buffers, or in place.
    TextView,
    Null,
    Other,
}

/// A column, or what lies in one.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) children: Vec<Self>,
    /// Its own buffers in a batch, without those of its children.
    buffers: usize,
    /// True if further buffers of it are counted in each batch.
    has_more: bool,
}

/// The greatest number of columns, with what lies in them.
const MOST: usize = 1 << 16;
/// The deepest nesting that is looked at.
const DEEPEST: usize = 32;

/// Reads the columns of a schema; `None` if it makes no sense, or if a column has a type whose buffers
/// are not known (a union).
pub(super) fn fields(schema: &Table) -> Option<Vec<Field>> {
    let mut left = MOST;
    let fields = schema.tables(1)?;
    fields
        .iter()
        .map(|field| read(field, DEEPEST, &mut left))
        .collect()
}

/// Says whether numbers lie with their lowest byte first.
pub(super) fn is_little_endian(schema: &Table) -> bool {
    schema.get(0).is_none_or(|bytes: [u8; 2]| bytes == [0, 0])
}

fn read(field: &Table, depth: usize, left: &mut usize) -> Option<Field> {
    *left = left.checked_sub(1)?;
    let depth = depth.checked_sub(1)?;
    let name = field.text(0).unwrap_or_default().to_owned();
    // The values of a dictionary are in messages of their own; a batch has indices.
    if field.table(4).is_some() {
        return Some(Field {
            name,
            kind: Kind::Other,
            children: Vec::new(),
            buffers: 2,
            has_more: false,
        });
    }
    let [code] = field.get(2)?;
    let about = field.table(3);
    let children = field.tables(5).unwrap_or_default();
    let children: Option<Vec<_>> = children
        .iter()
        .map(|child| read(child, depth, left))
        .collect();
    let (kind, buffers) = kind(code, about.as_ref())?;
    Some(Field {
        name,
        kind,
        children: children?,
        buffers,
        has_more: matches!(code, 23 | 24),
    })
}

/// The meaning of a type, and the number of its own buffers.
fn kind(code: u8, about: Option<&Table>) -> Option<(Kind, usize)> {
    // Fields that have their default value are left out; but a type that has any has a table.
    if matches!(code, 2 | 3 | 16) {
        about?;
    }
    let number = |at| {
        about
            .and_then(|about| about.get(at))
            .map_or(0, i32::from_le_bytes)
    };
    Some(match code {
        1 => (Kind::Null, 0),
        2 => {
            let bytes = usize::try_from(number(0) / 8).ok()?;
            let signed = about.and_then(|about| about.get(1)) == Some([1]);
            let is_whole = matches!(bytes, 1 | 2 | 4 | 8);
            (
                if is_whole {
                    Kind::Whole { bytes, signed }
                } else {
                    Kind::Other
                },
                2,
            )
        }
        3 => {
            let precision: [u8; 2] = about.and_then(|about| about.get(0)).unwrap_or_default();
            let dtype = match u16::from_le_bytes(precision) {
                0 => Dtype::F16,
                1 => Dtype::F32,
                2 => Dtype::F64,
                _ => return None,
            };
            (Kind::Float(dtype), 2)
        }
        5 => (Kind::Text(4), 3),
        20 => (Kind::Text(8), 3),
        4 | 19 | 25 | 26 => (Kind::Other, 3),
        6 => (Kind::Bool, 2),
        7..=11 | 15 | 17 | 18 | 23 => (Kind::Other, 2),
        12 => (Kind::List(4), 2),
        21 => (Kind::List(8), 2),
        13 => (Kind::Other, 1),
        16 => (Kind::FixedList(usize::try_from(number(0)).ok()?), 1),
        22 => (Kind::Other, 0),
        24 => (Kind::TextView, 2),
        _ => return None,
    })
}

impl Field {
    /// The column of lists of numbers that this is; `None` if it is another.
    pub(super) fn list_column(&self) -> Option<ListColumn> {
        let is_list = |field: &Self| matches!(field.kind, Kind::List(_) | Kind::FixedList(_));
        let inner = self.children.first().filter(|_| is_list(self))?;
        let (depth, last) = if is_list(inner) {
            (2, inner.children.first()?)
        } else {
            (1, inner)
        };
        let Kind::Float(dtype) = last.kind else {
            return None;
        };
        Some(ListColumn {
            name: self.name.clone(),
            dtype,
            depth,
        })
    }

    /// Counts nodes and buffers in a batch, whose further buffers `more` counts.
    fn count(&self, more: &mut dyn Iterator<Item = usize>) -> Option<(usize, usize)> {
        let further = if self.has_more { more.next()? } else { 0 };
        let mut sum = (1, self.buffers.checked_add(further)?);
        for child in &self.children {
            let (nodes, buffers) = child.count(more)?;
            sum = (sum.0 + nodes, buffers.checked_add(sum.1)?);
        }
        Some(sum)
    }
}

/// The first node and the first buffer of each column in a batch, and of the end; `None` if a batch
/// counts fewer further buffers than it has columns with some.
pub(super) fn places(fields: &[Field], more: &[usize]) -> Option<Vec<(usize, usize)>> {
    let mut more = more.iter().copied();
    let mut at = (0_usize, 0_usize);
    let mut places = vec![at];
    for field in fields {
        let (nodes, buffers) = field.count(&mut more)?;
        at = (at.0 + nodes, at.1.checked_add(buffers)?);
        places.push(at);
    }
    Some(places)
}
