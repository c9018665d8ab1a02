//! What the tests of reading share: messages, and bytes that are spoiled.

use std::path::Path;

use atomscope::error::{BadInput, Error};

/// Checks what every message must have; gives its parts.
pub(crate) fn parts(path: &Path, error: &Error) -> BadInput {
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    let Error::Input(parts) = error else {
        panic!("{message}")
    };
    let five = [
        &parts.file,
        &parts.place,
        &parts.found,
        &parts.expected,
        &parts.action,
    ];
    assert!(five.iter().all(|part| !part.is_empty()), "{message}");
    assert_eq!(parts.file, path.display().to_string(), "{message}");
    (**parts).clone()
}

/// A small generator of our own: seeded, the same on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `end`; 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end.max(1) as u64) as usize
    }
}
