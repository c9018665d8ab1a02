//! The memo: values that a pickle refers to again.

use std::collections::HashMap;

use super::chain::Id;

/// Ids by memo index. Consecutive indices, as every pickler writes them, lie in a vector. An index
/// far ahead costs one entry, not all those before it.
#[derive(Debug, Default)]
pub(super) struct Memo {
    dense: Vec<Id>,
    sparse: HashMap<u32, Id>,
    count: u32,
}

/// The mark of an empty entry: an arena never grows so large.
const UNSET: Id = Id::MAX;
/// The greatest distance from the vector's end at which an index still extends the vector.
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

    /// The bytes of memory that it takes, where each index far ahead takes so many.
    pub(super) fn held(&self, far: usize) -> usize {
        size_of_val(&*self.dense) + self.sparse.len() * far
    }

    /// Follows MEMOIZE: the index is the number of entries so far.
    pub(super) fn push(&mut self, id: Id) {
        self.put(self.count, id);
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;

    #[test]
    fn memo_far_index_costs_one_entry() {
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
