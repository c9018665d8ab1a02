//! Growing sequences in one pool. A list's items lie in chunks, in the order of appending.

/// A value's index in the arena.
pub(crate) type Id = u32;

/// A sequence's first and last chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    first: u32,
    last: u32,
}

impl Chain {
    pub(crate) const EMPTY: Self = Self {
        first: NIL,
        last: NIL,
    };
}

const NIL: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Chunk {
    start: u32,
    len: u32,
    next: u32,
}

/// All items of all sequences.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    ids: Vec<Id>,
    chunks: Vec<Chunk>,
}

impl Pool {
    /// Adds items that never change, as a tuple's.
    pub(super) fn fixed(&mut self, items: &[Id]) -> (u32, u32) {
        let start = self.ids.len() as u32;
        self.ids.extend_from_slice(items);
        (start, items.len() as u32)
    }

    pub(crate) fn slice(&self, start: u32, len: u32) -> &[Id] {
        let start = start as usize;
        self.ids
            .get(start..start + len as usize)
            .unwrap_or_default()
    }

    pub(super) fn append(&mut self, chain: Chain, items: &[Id]) -> Chain {
        if items.is_empty() {
            return chain;
        }
        let end = self.ids.len() as u32;
        let (start, len) = self.fixed(items);
        let number = self.chunks.len() as u32;
        if let Some(last) = self.chunks.get_mut(chain.last as usize) {
            if last.start + last.len == end {
                last.len += len;
                return chain;
            }
            last.next = number;
        }
        self.chunks.push(Chunk {
            start,
            len,
            next: NIL,
        });
        let first = if chain.first == NIL {
            number
        } else {
            chain.first
        };
        Chain {
            first,
            last: number,
        }
    }

    /// The bytes of memory that all items take.
    pub(super) fn held(&self) -> usize {
        size_of_val(&*self.ids) + size_of_val(&*self.chunks)
    }

    /// Iterates over a sequence's items, in order.
    pub(crate) fn iter(&self, chain: Chain) -> Items<'_> {
        Items {
            pool: self,
            rest: [].iter(),
            next: chain.first,
        }
    }
}

/// An iterator over the items of a sequence.
#[derive(Debug, Clone)]
pub(crate) struct Items<'a> {
    pool: &'a Pool,
    rest: std::slice::Iter<'a, Id>,
    next: u32,
}

impl Iterator for Items<'_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        loop {
            if let Some(&id) = self.rest.next() {
                return Some(id);
            }
            // Chunks are only ever linked forwards, so this ends.
            let chunk = *self.pool.chunks.get(self.next as usize)?;
            self.rest = self.pool.slice(chunk.start, chunk.len).iter();
            self.next = chunk.next;
        }
    }
}
