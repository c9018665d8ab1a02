//! Regions, and lists of files of them.

use std::path::Path;

use atomscope::read::{NamedBy, Regions};

use super::shared::{gzip, place, put, same, well, wrapped};

/// Reads a `.bed` file. Wrapped bytes are compressed, which makes no difference.
pub fn run(bytes: &[u8]) {
    let path = put("bed/x.bed", wrapped(bytes).unwrap_or(bytes));
    for by in [NamedBy::File, NamedBy::Column] {
        let found = read(&path, by);
        if let Some(plain) = wrapped(bytes) {
            // The name of a set is that of its file.
            let packed = put("bed/packed/x.bed", &gzip(plain));
            same(&found, &read(&packed, by), "regions plain and compressed");
            std::fs::remove_file(place("bed/packed/x.bed")).expect("the file");
        }
    }
}

/// The sets' names, digests, bases and contigs.
fn read(path: &Path, by: NamedBy) -> Option<Vec<(String, String, u64, usize)>> {
    let mut found = well(Regions::read(path, by))?;
    assert_eq!(found.sets.len(), found.paths.len());
    well(found.check_names());
    let fact = |set: &atomscope::regions::RegionSet| {
        assert_eq!(set.is_empty(), set.bases() == 0);
        assert!(set.bases() == 0 || !set.contigs().is_empty());
        let digest = set.digest().to_string();
        (set.name.clone(), digest, set.bases(), set.contigs().len())
    };
    let facts = found.sets.iter().map(fact).collect();
    let before = found.sets.len();
    assert_eq!(found.take_complements().len() + found.sets.len(), before);
    Some(facts)
}
