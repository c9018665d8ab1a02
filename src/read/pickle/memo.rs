//! The memo: what a pickle has put aside to refer to again.

use std::collections::HashMap;

use super::chain::Id;

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
