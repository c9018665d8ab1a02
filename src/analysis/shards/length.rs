//! The number of rows of a cohort, before all of its files are open.

use std::fs;

use super::ShardInput;

/// Rows of all shards: those that were opened are counted, the others estimated by their files'
/// lengths.
pub(super) struct Length {
    known: u64,
    /// Bytes of the files that are not open yet.
    bytes_ahead: u64,
    /// Bytes and rows of the files that were opened.
    bytes: u64,
    rows: u64,
    /// Bytes of each file, in order.
    files: Vec<u64>,
}

impl Length {
    pub(super) fn new(inputs: &[ShardInput]) -> Self {
        let bytes = |input: &ShardInput| fs::metadata(&input.embeddings).map_or(0, |m| m.len());
        let files: Vec<u64> = inputs.iter().map(bytes).collect();
        Self {
            known: 0,
            bytes_ahead: files.iter().sum(),
            bytes: 0,
            rows: 0,
            files,
        }
    }

    /// Takes note of a shard that was opened: the rows of its file, and those of them that are meant.
    pub(super) fn open(&mut self, shard: usize, of_file: u64, meant: u64) {
        let bytes = self.files[shard];
        self.bytes_ahead -= bytes;
        self.bytes += bytes;
        self.rows += of_file;
        self.known += meant;
    }

    /// Rows in all.
    pub(super) fn total(&self) -> u64 {
        let ahead = u128::from(self.bytes_ahead) * u128::from(self.rows);
        self.known + (ahead / u128::from(self.bytes.max(1))) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_is_known_from_the_first_file_on() {
        let folder = tempfile::tempdir().unwrap();
        let input = |name: &str, bytes: usize| {
            let embeddings = folder.path().join(name);
            fs::write(&embeddings, vec![0; bytes]).unwrap();
            ShardInput {
                name: name.to_owned(),
                embeddings,
                metadata: None,
                rows: None,
            }
        };
        let mut length = Length::new(&[input("a", 100), input("b", 300), input("c", 50)]);
        assert_eq!(length.total(), 0);
        length.open(0, 10, 10);
        assert_eq!(length.total(), 45);
        length.open(1, 31, 31);
        assert_eq!(length.total(), 41 + 5);
        length.open(2, 5, 5);
        assert_eq!(length.total(), 46);
    }
}
