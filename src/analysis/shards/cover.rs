//! The choice of files of firing sets that together hold each row of a shard once.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::digest::Digest;
use crate::error::{Choice, Error, Proposal};
use crate::rows::EmbeddingsChoice;
use crate::store::FiresFile;
use crate::tally::{CohortTally, Shard};

/// What two shards have in common whose rows are of the same content, by any name.
type Content = (Digest, Option<Digest>, EmbeddingsChoice);

fn content(shard: &Shard) -> Content {
    (shard.sha256, shard.metadata, shard.choice.clone())
}

/// The shards that were counted, to be found by their content.
pub(super) struct Counted<'a> {
    cohort: &'a CohortTally,
    /// The shards of each content, by their first row. None of their rows occurs twice.
    shards: HashMap<Content, BTreeMap<u64, &'a Shard>>,
}

impl<'a> Counted<'a> {
    pub(super) fn of(cohort: &'a CohortTally) -> Self {
        let mut shards = HashMap::<_, BTreeMap<_, _>>::new();
        for shard in cohort.shards.iter().filter(|shard| shard.count() > 0) {
            let of_content = shards.entry(content(shard)).or_default();
            of_content.insert(shard.rows.start, shard);
        }
        Self { cohort, shards }
    }

    /// Says whether a file's rows are among those that were counted. They must be counted by the same
    /// model and under the same rule for which calls are true.
    pub(super) fn has(&self, file: &FiresFile) -> bool {
        let found = file.shard();
        let shard = || {
            let of_content = self.shards.get(&content(found))?;
            let (_, shard) = of_content.range(..=found.rows.start).next_back()?;
            Some(shard.holds(found))
        };
        *file.model() == self.cohort.model
            && *file.rule() == self.cohort.rule
            && shard().unwrap_or(false)
    }
}

/// Files that may overlap: the whole of a shard beside parts of it, copies.
pub(super) struct Cover {
    /// `None` in place of those that were taken.
    files: Vec<Option<(PathBuf, FiresFile)>>,
    /// The files of each content: their first row, their last, and their places.
    places: HashMap<Content, Vec<(u64, u64, usize)>>,
}

impl Cover {
    pub(super) fn new(mut files: Vec<(PathBuf, FiresFile)>) -> Self {
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut places = HashMap::<_, Vec<_>>::new();
        for (place, (_, file)) in files.iter().enumerate() {
            let shard = file.shard();
            let rows = (shard.rows.start, shard.rows.end, place);
            places.entry(content(shard)).or_default().push(rows);
        }
        for of_content in places.values_mut() {
            of_content.sort_unstable();
        }
        Self {
            files: files.into_iter().map(Some).collect(),
            places,
        }
    }

    fn shard(&self, place: usize) -> Option<&Shard> {
        self.files[place].as_ref().map(|(_, file)| file.shard())
    }

    /// Takes out files that lie after one another from the shard's first row to its last; `None`
    /// where there are no such.
    pub(super) fn take(&mut self, shard: &Shard) -> Option<Vec<(PathBuf, FiresFile)>> {
        // For each row at which a file begins, the one from whose end there is a way to the
        // shard's: the longest, so that there are few.
        let mut way = BTreeMap::<u64, (u64, usize)>::new();
        for &(start, end, place) in self.within(shard).iter().rev() {
            let is_free = self.shard(place).is_some_and(|of| of.name == shard.name);
            let leads_on = end == shard.rows.end || way.contains_key(&end);
            if is_free && end <= shard.rows.end && leads_on {
                let known = way.entry(start).or_insert((end, place));
                // Of copies the first one.
                if known.0 == end {
                    known.1 = place;
                }
            }
        }
        let mut places = Vec::new();
        let mut row = shard.rows.start;
        while row < shard.rows.end {
            let &(end, place) = way.get(&row)?;
            places.push(place);
            row = end;
        }
        Some(
            places
                .into_iter()
                .filter_map(|place| self.files[place].take())
                .collect(),
        )
    }

    /// The files of a shard's content that begin within its rows.
    fn within(&self, shard: &Shard) -> &[(u64, u64, usize)] {
        let all = self
            .places
            .get(&content(shard))
            .map_or(&[][..], Vec::as_slice);
        let before = |row: u64| all.partition_point(|&(start, ..)| start < row);
        &all[before(shard.rows.start)..before(shard.rows.end)]
    }

    /// Returns the error that names the missing rows of a shard.
    pub(super) fn missing(&self, shard: &Shard) -> Error {
        let mut left = self.files.iter().flatten();
        let found = match left.find(|(_, file)| file.shard().sha256 == shard.sha256) {
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
