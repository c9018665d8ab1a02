//! The choice of files of firing sets that together hold each row of a shard once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Choice, Error, Proposal};
use crate::store::FiresFile;
use crate::tally::Shard;

/// Files that may overlap: the whole of a shard beside parts of it, copies.
pub(super) struct Cover(Vec<(PathBuf, FiresFile)>);

impl Cover {
    pub(super) fn new(mut files: Vec<(PathBuf, FiresFile)>) -> Self {
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self(files)
    }

    /// Takes out files that lie after one another from the shard's first row to its last; `None`
    /// where there are no such.
    pub(super) fn take(&mut self, shard: &Shard) -> Option<Vec<(PathBuf, FiresFile)>> {
        // For each row at which a file begins, the one from whose end there is a way to the
        // shard's: the longest, so that there are few.
        let mut way = BTreeMap::<u64, usize>::new();
        let mut order: Vec<usize> = (0..self.0.len())
            .filter(|&i| self.is_of(i, shard))
            .collect();
        order.sort_by_key(|&i| {
            std::cmp::Reverse((self.0[i].1.shard().rows.start, self.0[i].1.shard().rows.end))
        });
        for i in order {
            let rows = &self.0[i].1.shard().rows;
            if rows.end == shard.rows.end || way.contains_key(&rows.end) {
                way.entry(rows.start).or_insert(i);
            }
        }
        let mut taken = Vec::new();
        let mut row = shard.rows.start;
        while row < shard.rows.end {
            let &i = way.get(&row)?;
            taken.push(i);
            row = self.0[i].1.shard().rows.end;
        }
        taken.sort_unstable_by_key(|&i| std::cmp::Reverse(i));
        Some(taken.into_iter().map(|i| self.0.remove(i)).collect())
    }

    fn is_of(&self, file: usize, shard: &Shard) -> bool {
        let found = self.0[file].1.shard();
        found.name == shard.name && shard.holds(found)
    }

    /// Returns the error that names the missing rows of a shard.
    pub(super) fn missing(&self, shard: &Shard) -> Error {
        let of = |file: &&(PathBuf, FiresFile)| file.1.shard().sha256 == shard.sha256;
        let found = match self.0.iter().find(of) {
            None => "no firing sets of it".to_owned(),
            Some((path, file)) if file.shard().name != shard.name => format!(
                "firing sets of the same content, but by the name {} ({})",
                file.shard().name,
                path.display()
            ),
            Some(_) => "firing sets of some of these rows alone".to_owned(),
        };
        Error::input(
            shard.name.clone(),
            format!("rows {}..{}", shard.rows.start, shard.rows.end),
            found,
            "the firing sets of every row that was counted",
            "name them all, or leave them all out",
        )
        .proposing([Choice::Fires, Choice::WithoutFires].map(Proposal::of))
    }
}
