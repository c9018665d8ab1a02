//! Texts that many records share, each kept once.

use std::collections::HashSet;
use std::sync::Arc;

/// The texts that were met so far.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    /// Says whether a text was met.
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// The one copy of a text.
    pub(super) fn of(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        let word: Arc<str> = word.into();
        self.0.insert(Arc::clone(&word));
        word
    }
}
