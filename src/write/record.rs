//! Records: JSON files that list the files that a run wrote, by name, length and digest. A seal
//! identifies a record itself.
//!
//! ```json
//! {
//!   "seal": "the SHA-256 of this file with zeros for these 64 digits",
//!   "outputs": [{"name": "report.txt", "bytes": 4711, "sha256": "…"}]
//! }
//! ```

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::regular;

/// The seal's key, the first key of a record.
const SEAL: &str = "seal";
/// The placeholder of the seal while it is computed.
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The greatest length of a record, which has a line for each shard.
const LONGEST: u64 = 256 << 20;

/// A file that a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// The file's name in the record's folder.
    pub name: String,
    /// The file's length in bytes.
    pub bytes: u64,
    /// The digest of the file's content.
    pub sha256: Digest,
}

#[derive(Serialize)]
struct Sealed<'a, T> {
    seal: &'static str,
    #[serde(flatten)]
    record: &'a T,
    outputs: &'a [WrittenFile],
}

/// The entries of a record that concern files.
#[derive(Deserialize)]
struct Listed {
    seal: Option<String>,
    outputs: Option<Vec<WrittenFile>>,
}

/// The state of a file that should be a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// There is no file.
    Nothing,
    /// A record as it was written.
    Whole(Vec<WrittenFile>),
    /// A record that was changed after it was written.
    Changed,
    /// JSON without digests.
    WithoutDigests,
    /// Anything else.
    Other,
}

/// Writes a record's text. `record` is a struct or a map, whose entries come between the seal and
/// the list of files.
///
/// # Errors
/// Fails if JSON cannot hold `record`.
pub fn seal(record: &impl Serialize, outputs: &[WrittenFile]) -> io::Result<Vec<u8>> {
    let sealed = Sealed {
        seal: ZEROS,
        record,
        outputs,
    };
    let mut text = serde_json::to_vec_pretty(&sealed)?;
    text.push(b'\n');
    let digest = Digest::of(&text).to_string();
    if let Some(digits) = find(&text, ZEROS).and_then(|at| text.get_mut(at..at + ZEROS.len())) {
        digits.copy_from_slice(digest.as_bytes());
    }
    Ok(text)
}

/// Reads a file, and checks that it is a record as it was written.
pub fn read(path: &Path) -> Found {
    let Ok(facts) = std::fs::metadata(path) else {
        let is_link = std::fs::symlink_metadata(path).is_ok();
        return if is_link {
            Found::Other
        } else {
            Found::Nothing
        };
    };
    if !facts.is_file() || facts.len() > LONGEST {
        return Found::Other;
    }
    match regular::read(path, LONGEST) {
        Ok(text) => understand(text),
        Err(_) => Found::Other,
    }
}

fn understand(mut text: Vec<u8>) -> Found {
    match serde_json::from_slice(&text) {
        Ok(Listed {
            seal: Some(seal),
            outputs: Some(outputs),
        }) => {
            let digest = seal.parse::<Digest>().ok();
            let place = find(&text, &seal);
            let digits = place.and_then(|at| text.get_mut(at..at + seal.len()));
            if let Some(digits) = digits {
                digits.fill(b'0');
            }
            if digest == Some(Digest::of(&text)) {
                Found::Whole(outputs)
            } else {
                Found::Changed
            }
        }
        Ok(Listed { seal: None, .. }) => Found::WithoutDigests,
        Ok(_) => Found::Changed,
        Err(_) => Found::Other,
    }
}

/// Finds the seal's digits.
fn find(text: &[u8], seal: &str) -> Option<usize> {
    let entry = format!("{{\n  \"{SEAL}\": \"{seal}\"");
    let digits = entry.len() - 1 - seal.len();
    text.starts_with(entry.as_bytes()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<WrittenFile> {
        let file = |name: &str| WrittenFile {
            name: name.to_owned(),
            bytes: 3,
            sha256: Digest::of(name.as_bytes()),
        };
        vec![file("a.txt"), file("ä \"b\".txt")]
    }

    #[test]
    fn read_returns_a_sealed_record_and_detects_changes() {
        let record = serde_json::json!({"atomscope": "1", "seconds": 0.1, "seal ": [ZEROS]});
        let text = seal(&record, &files()).unwrap();
        assert_eq!(understand(text.clone()), Found::Whole(files()));
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            let found = understand(changed);
            assert!(!matches!(found, Found::Whole(_)), "byte {at}: {found:?}");
        }
        for changed in [
            &text[1..],
            &text[..text.len() - 1],
            &[&text[..], b" "].concat(),
        ] {
            assert!(!matches!(understand(changed.to_vec()), Found::Whole(_)));
        }
    }

    /// Computes the seal as another program would from the documentation.
    #[test]
    fn seal_is_the_digest_with_zeros_for_its_digits() {
        let text = String::from_utf8(seal(&serde_json::json!({}), &files()).unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let seal = json["seal"].as_str().unwrap();
        let blank = text.replacen(seal, ZEROS, 1);
        assert_eq!(Digest::of(blank.as_bytes()).to_string(), seal);
        assert_eq!(json["outputs"][0]["bytes"], 3);
    }

    #[test]
    fn read_refuses_other_json_files() {
        for (text, expected) in [
            ("", Found::Other),
            ("mine", Found::Other),
            ("[]", Found::Other),
            ("{}", Found::WithoutDigests),
            (
                r#"{"atomscope": "0.1.0", "inputs": []}"#,
                Found::WithoutDigests,
            ),
            (r#"{"seal": "x", "outputs": []}"#, Found::Changed),
            (r#"{"seal": "x"}"#, Found::Changed),
            (r#"{"seal": 1}"#, Found::Other),
        ] {
            assert_eq!(understand(text.as_bytes().to_vec()), expected, "{text}");
        }
    }
}
