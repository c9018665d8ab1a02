//! What the tests of reading share: messages, and bytes that are spoiled.

use std::path::Path;
use std::sync::Once;

use atomscope::error::{BadInput, Error};
use atomscope::read::PARSER_THREAD;

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

/// Flips, cuts out, inserts and repeats bytes.
pub(crate) fn damage(random: &mut Random, whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let end = (at + random.below(24)).min(bytes.len());
        match random.below(8) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.truncate(at),
            2 => {
                let extra: Vec<_> = (0..end - at).map(|_| random.below(256) as u8).collect();
                drop(bytes.splice(at..at, extra));
            }
            3 => {
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
            4 => bytes[at..end].fill(0xff),
            5 => bytes[at..end].fill(0),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
}

/// Panics of the parser's own thread become errors; they would only fill the screen here.
pub(crate) fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(PARSER_THREAD) {
                tell(panic);
            }
        }));
    });
}
