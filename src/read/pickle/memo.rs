//! The memo: what a pickle has put aside to refer to again.

use std::collections::HashMap;

use super::machine::Machine;
use super::opcode as op;
use super::scan::PickleError;
use super::value::Id;

/// Ids by memo index. Indices that follow on from one another, as every pickler writes them,
/// lie in a vector; an index far ahead costs one entry, not all those before it.
#[derive(Debug, Default)]
pub(super) struct Memo {
    dense: Vec<Id>,
    sparse: HashMap<u32, Id>,
    count: u32,
}

/// No id: an arena never grows so far.
const UNSET: Id = Id::MAX;
/// How far ahead of the vector's end an index may lie and still extend it.
const NEAR: usize = 64;

impl Memo {
    pub(super) fn get(&self, index: u32) -> Option<Id> {
        match self.dense.get(index as usize) {
            Some(&id) if id != UNSET => Some(id),
            _ => self.sparse.get(&index).copied(),
        }
    }

    pub(super) fn put(&mut self, index: u32, id: Id) {
        let at = index as usize;
        if at == self.dense.len() {
            self.dense.push(id);
            self.count += u32::from(!self.sparse.contains_key(&index));
            return;
        }
        if self.get(index).is_none() {
            self.count += 1;
        }
        if at > self.dense.len() && at - self.dense.len() <= NEAR {
            self.dense.resize(at + 1, UNSET);
        }
        match self.dense.get_mut(at) {
            Some(slot) => *slot = id,
            None => {
                self.sparse.insert(index, id);
            }
        }
    }

    /// What MEMOIZE does: the index is the number of entries so far.
    pub(super) fn push(&mut self, id: Id) {
        self.put(self.count, id);
    }
}

/// What the memo's opcodes do to the machine.
impl Machine<'_> {
    fn line_index(&mut self) -> Result<u32, PickleError> {
        let line = self.scan.line_text()?;
        line.trim()
            .parse()
            .map_err(|_| self.scan.fail(format!("memo index {line:?}"), "a number"))
    }

    pub(super) fn recall(&mut self, opcode: u8) -> Result<(), PickleError> {
        let index = match opcode {
            op::BINGET => u32::from(u8::from_le_bytes(self.scan.array()?)),
            op::LONG_BINGET => u32::from_le_bytes(self.scan.array()?),
            _ => self.line_index()?,
        };
        let Some(id) = self.memo.get(index) else {
            let found = format!("memo index {index}, which nothing was put under");
            return Err(self.scan.fail(found, "an index in the memo"));
        };
        self.push_id(id);
        Ok(())
    }

    pub(super) fn remember(&mut self, opcode: u8) -> Result<(), PickleError> {
        let id = self.top()?;
        match opcode {
            op::MEMOIZE => self.memo.push(id),
            op::BINPUT => {
                let [index] = self.scan.array()?;
                self.memo.put(u32::from(index), id);
            }
            op::LONG_BINPUT => {
                let index = u32::from_le_bytes(self.scan.array()?);
                self.memo.put(index, id);
            }
            _ => {
                let index = self.line_index()?;
                self.memo.put(index, id);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;

    #[test]
    fn far_indices_cost_one_entry() {
        let mut memo = Memo::default();
        memo.put(4_000_000_000, 7);
        memo.put(1, 8);
        memo.push(9);
        assert_eq!(memo.get(4_000_000_000), Some(7));
        assert_eq!(memo.get(1), Some(8));
        assert_eq!(memo.get(2), Some(9));
        assert_eq!(memo.get(0), None);
        assert!(memo.dense.len() < 100);
    }
}
