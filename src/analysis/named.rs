//! Counts of rows in memory as a shard of its own: known by its name and its content, as files are.

use sha2::{Digest as _, Sha256};

use super::counted::{Counted, no_model};
use crate::control::Control;
use crate::digest::Digest;
use crate::error::Result;
use crate::rows::Rows;
use crate::tally::CohortTally;

impl Counted {
    /// The same counts as those of a shard of this name, so that its tally merges with others. The rows'
    /// numbers and the model's content are read for their digests.
    ///
    /// # Errors
    /// Counts that are not of rows in memory; rows that cannot be read; cancellation.
    pub fn as_shard(self, name: &str, rows: &dyn Rows, control: &Control) -> Result<Self> {
        let sae = self.run.as_ref().and_then(|run| run.sae.as_ref());
        let mut model = self.cohort.model;
        model.sha256 = sae.ok_or_else(no_model)?.digest();
        let Some(shard) = self.cohort.shards.iter().next() else {
            return Ok(self);
        };
        let mut shard = shard.clone();
        name.clone_into(&mut shard.name);
        shard.sha256 = digest(rows, control)?;
        let firings = self.firings.map(|firings| firings.renamed(&shard));
        let CohortTally {
            scheme,
            rule,
            tally,
            ..
        } = self.cohort;
        Ok(Self {
            cohort: CohortTally::of_shard(model, scheme, shard, tally).with_rule(rule),
            firings,
            ..self
        })
    }
}

/// The digest of rows: of their element type, their length, and their numbers as they are stored.
fn digest(rows: &dyn Rows, control: &Control) -> Result<Digest> {
    const PIECE: usize = 1 << 20;
    let (element, dim) = (rows.element_type(), rows.dim());
    let mut hash = Sha256::new();
    hash.update(format!("rows in memory: {element:?}, {dim}\n"));
    let size = (dim * element.bytes()).max(1);
    let step = (PIECE / size).max(1);
    let mut buffer = Vec::new();
    for first in (0..rows.count()).step_by(step) {
        control.check()?;
        let last = rows.count().min(first + step);
        buffer.resize((last - first) * size, 0);
        rows.read_stored(first..last, &mut buffer)?;
        hash.update(&buffer);
    }
    Ok(Digest::finish(hash))
}
