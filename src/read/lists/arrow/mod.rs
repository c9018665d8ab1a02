//! Arrow IPC: a file (`ARROW1`, also Feather of version 2) or a stream, which the library datasets
//! writes. Numbers are read where they lie, unless a batch is compressed: then they are unpacked once
//! into a file without a name.
//!
//! <https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc>
//!
//! A list column needs little of the format, and all of it is read here by bounds that are checked: no
//! length in a header is believed before the bytes are there.

mod batch;
mod lists;
mod scalars;
mod schema;

use super::flat::{Table, bytes_at};
use super::{ListColumn, choose, rows_of};
use crate::error::{Error, Result};
use crate::read::embedding_rows::EmbeddingRows;
use crate::read::source::Source;
use crate::rows::{EmbeddingsChoice, TakenEmbeddings};
use batch::Batch;
use schema::Field;

const MAGIC: &[u8] = b"ARROW1";
/// The mark before every message.
const MARK: [u8; 4] = [0xff; 4];

/// Says whether a file begins as Arrow IPC does.
pub(in crate::read) fn is_arrow(head: &[u8], length: u64) -> bool {
    head.starts_with(MAGIC) || crate::read::sniff::is_arrow_stream(head, length)
}

/// A table in a file.
#[derive(Debug)]
pub(in crate::read) struct ArrowTable {
    pub(in crate::read) source: Source,
    fields: Vec<Field>,
    batches: Vec<Batch>,
}

/// Makes the error of bytes that make no sense.
fn damaged(source: &Source, place: &str, found: &str) -> Error {
    Error::input(
        source.name(),
        place,
        found,
        "a whole Arrow file or stream",
        "the file is cut short or damaged: copy it again from where it was whole, or save it again",
    )
}

impl ArrowTable {
    /// Opens a table, and reads what its messages say.
    pub(in crate::read) fn open(source: &Source) -> Result<Self> {
        if source.head(MAGIC.len() as u64)? == MAGIC {
            Self::of_file(source)
        } else {
            Self::of_stream(source)
        }
    }

    fn of_stream(source: &Source) -> Result<Self> {
        let mut messages = Messages { source, at: 0 };
        let Some(first) = messages.next()? else {
            return Err(damaged(source, "the beginning", "no schema"));
        };
        let schema = match first.header() {
            Some((SCHEMA, schema)) => read_fields(source, &schema),
            _ => Err(damaged(source, "the beginning", "no schema")),
        };
        let fields = schema?;
        let mut batches = Vec::new();
        while let Some(message) = messages.next()? {
            // The values of dictionaries, whose columns are not read, are in messages of their own.
            if !matches!(message.header(), Some((DICTIONARY, _))) {
                batches.push(message.batch(source, &fields)?);
            }
        }
        if messages.at != source.len() {
            let place = format!("byte {}, the end of the stream", messages.at);
            let found = format!("{} bytes more", source.len() - messages.at);
            return Err(damaged(source, &place, &found));
        }
        Ok(Self {
            source: source.clone(),
            fields,
            batches,
        })
    }

    /// A file has its schema, and the places of its batches, at its end. What it begins with is not
    /// looked at: polars puts a schema there that is no message.
    fn of_file(source: &Source) -> Result<Self> {
        let bad = |found: &str| damaged(source, "the file's end", found);
        let bytes = footer(source)?;
        let footer = Table::root(&bytes).ok_or_else(|| bad("a footer that cannot be read"))?;
        let schema = footer
            .table(1)
            .ok_or_else(|| bad("a footer without a schema"))?;
        let fields = read_fields(source, &schema)?;
        let (_, blocks) = footer.list(3, 24).unwrap_or_default();
        let (mut batches, mut end) = (Vec::new(), MAGIC.len() as u64);
        for block in blocks.chunks_exact(24) {
            let start = bytes_at(block, 0).map_or(0, u64::from_le_bytes);
            let body = bytes_at(block, 16).map_or(0, u64::from_le_bytes);
            let mut messages = Messages { source, at: start };
            let message = messages.next()?.filter(|message| message.body.1 == body);
            // Batches follow one another, so that none is taken twice.
            let message = message.filter(|_| start >= end);
            let message =
                message.ok_or_else(|| bad("the place of a batch where there is another"))?;
            batches.push(message.batch(source, &fields)?);
            end = messages.at;
        }
        Ok(Self {
            source: source.clone(),
            fields,
            batches,
        })
    }

    /// The number of rows.
    pub(in crate::read) fn count(&self) -> usize {
        let rows = self.batches.iter().map(|batch| batch.rows);
        rows.fold(0, usize::saturating_add)
    }

    /// The names of all columns.
    pub(in crate::read) fn columns(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }

    /// Looks what column is chosen, and how long its lists are, by the first batch.
    pub(in crate::read) fn look(&self, choice: &EmbeddingsChoice) -> Result<TakenEmbeddings> {
        let first = self.batches.iter().find(|batch| batch.rows > 0);
        let first = Self {
            source: self.source.clone(),
            fields: self.fields.clone(),
            batches: first.cloned().into_iter().collect(),
        };
        Ok(first.rows(choice)?.about().clone().of_rows(self.count()))
    }

    /// The rows of the column that is chosen.
    pub(in crate::read) fn rows(&self, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
        let lists = self.fields.iter().enumerate();
        let lists: Vec<_> = lists
            .filter_map(|(at, field)| Some((at, field.list_column()?)))
            .collect();
        let columns: Vec<ListColumn> = lists.iter().map(|(_, column)| column.clone()).collect();
        let (place, taken) = choose(&self.source, &columns, &self.columns(), choice)?;
        let Some((at, column)) = lists.get(place) else {
            // The place is that of one of them.
            return Err(Error::Cancelled);
        };
        let tensors = self.tensors(*at, column)?;
        rows_of(&tensors, &self.source, &taken, choice)
    }
}

/// Says whether a batch has the nodes and buffers of all columns, each as long as the batch.
fn fits(fields: &[Field], batch: &Batch) -> bool {
    let Some(places) = schema::places(fields, &batch.more) else {
        return false;
    };
    let all = (batch.nodes.len(), batch.count());
    let is_long = |&(node, _): &(usize, usize)| {
        batch
            .nodes
            .get(node)
            .is_some_and(|&(length, _)| length == batch.rows)
    };
    places.last() == Some(&all) && places.iter().take(fields.len()).all(is_long)
}

fn read_fields(source: &Source, schema: &Table) -> Result<Vec<Field>> {
    let bad = |found: &str, expected: &str, action: &str| {
        Error::input(source.name(), "the schema", found, expected, action)
    };
    if !schema::is_little_endian(schema) {
        return Err(bad(
            "numbers of a big-endian machine",
            "a little-endian file",
            "save it again on a little-endian machine",
        ));
    }
    schema::fields(schema).ok_or_else(|| {
        bad(
            "a schema that is damaged, or a column of a type that is not known (a union)",
            "columns of lists, numbers and text",
            "save the columns that are needed alone",
        )
    })
}

/// Kinds of messages.
const SCHEMA: u8 = 1;
const DICTIONARY: u8 = 2;
const BATCH: u8 = 3;

/// A message: its place, what it says, and the place and length of its body.
struct Message {
    at: u64,
    metadata: Vec<u8>,
    body: (u64, u64),
}

impl Message {
    /// The kind of the message, and what it says.
    fn header(&self) -> Option<(u8, Table<'_>)> {
        let message = Table::root(&self.metadata)?;
        let [kind] = message.get(1)?;
        Some((kind, message.table(2)?))
    }

    /// The batch of a table of these columns.
    fn batch(&self, source: &Source, fields: &[Field]) -> Result<Batch> {
        let batch = match self.header() {
            Some((BATCH, batch)) => Batch::read(&batch, self.body),
            _ => None,
        };
        batch.filter(|batch| fits(fields, batch)).ok_or_else(|| {
            let place = format!("the message at byte {}", self.at);
            damaged(source, &place, "no batch of the schema's columns")
        })
    }
}

/// Messages one after another: the mark, the length of what is said, that, and a body.
struct Messages<'a> {
    source: &'a Source,
    at: u64,
}

impl Messages<'_> {
    /// The next message: its place, what it says, and the place and length of its body. Returns `None`
    /// at the end, which must be marked.
    fn next(&mut self) -> Result<Option<Message>> {
        let (source, at) = (self.source, self.at);
        let bad = |found: &str| damaged(source, &format!("byte {at}"), found);
        if at.checked_add(8).is_none_or(|end| end > source.len()) {
            return Err(bad("the end of the file, without the mark of the end"));
        }
        let mut head = [0; 8];
        source.read_at(&mut head, at)?;
        let [a, b, c, d, length @ ..] = head;
        let length = u64::from(u32::from_le_bytes(length));
        if [a, b, c, d] != MARK {
            return Err(bad("no message"));
        }
        if length == 0 {
            self.at = at + 8;
            return Ok(None);
        }
        let start = at + 8;
        if start
            .checked_add(length)
            .is_none_or(|end| end > source.len())
        {
            return Err(bad(&format!(
                "a message of {length} bytes, beyond the file's end"
            )));
        }
        let mut metadata = vec![0; length as usize];
        source.read_at(&mut metadata, start)?;
        let message = Table::root(&metadata).ok_or_else(|| bad("no message that can be read"))?;
        let body = message.get(3).map_or(0, i64::from_le_bytes);
        let begin = start + length;
        let end = u64::try_from(body)
            .ok()
            .and_then(|body| begin.checked_add(body));
        match end.filter(|&end| end <= source.len()) {
            Some(end) => {
                self.at = end;
                let body = (begin, end - begin);
                Ok(Some(Message { at, metadata, body }))
            }
            None => Err(bad(&format!(
                "a body of {body} bytes, beyond the file's end"
            ))),
        }
    }
}

/// Reads the footer of a file: its length and the magic number are behind it.
fn footer(source: &Source) -> Result<Vec<u8>> {
    const END: u64 = 10;
    let bad = |found: &str| damaged(source, "the file's end", found);
    let mut end = [0; END as usize];
    let at = source
        .len()
        .checked_sub(END)
        .ok_or_else(|| bad("a few bytes"))?;
    source.read_at(&mut end, at)?;
    let length = u64::from(u32::from_le_bytes(bytes_at(&end, 0).unwrap_or_default()));
    if !end.ends_with(MAGIC) {
        return Err(bad("no ARROW1"));
    }
    let start = at
        .checked_sub(length)
        .ok_or_else(|| bad("a footer longer than the file"))?;
    let mut footer = vec![0; length as usize];
    source.read_at(&mut footer, start)?;
    Ok(footer)
}
