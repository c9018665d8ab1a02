//! Tallies and files of firing sets.

use std::fmt::Write;

use atomscope::Control;
use atomscope::store::{FiresFile, Maker, read_tally, write_tally};
use atomscope::tally::Merger;
use sha2::{Digest, Sha256};

use super::shared::{named, place, put, same, well, wrapped};

/// Reads a tally, or firing sets. Wrapped bytes are the header, up to the first line's end, and the
/// data: its checksum is made anew.
pub fn run(bytes: &[u8]) {
    let path = match wrapped(bytes) {
        Some(rest) => put("tallies/x.tally", &sealed(rest)),
        None => put("tallies/x.tally", bytes),
    };
    if let Some(tally) = well(read_tally(&path)) {
        let place = place("tallies/again.tally");
        let written =
            well(write_tally(&place, &tally, Maker::Tally)).expect("a tally as it was read");
        well(written.publish()).expect("a place for it");
        let again = well(read_tally(&place));
        same(&again, &Some(tally.clone()), "a tally written and read");
        let mut merger = Merger::default();
        well(merger.add(tally.clone(), "one")).expect("the first of a merge");
        let has_rows = tally.shards.rows() > 0;
        let twice = well(merger.add(tally, "another")).is_some();
        assert!(!(twice && has_rows), "rows were counted twice");
    }
    if let Some(file) = well(FiresFile::open(&path)) {
        well(file.verify(&Control::default()));
        let mut blocks = 0;
        well(file.blocks(0, &mut |block| {
            blocks += block.calls.len();
            Ok(())
        }));
        well(file.all_sets(&mut |_| Ok(())));
    }
}

/// A file with its checksum: the digest of itself with zeros for these digits.
fn sealed(rest: &[u8]) -> Vec<u8> {
    const MARK: &str = "\"checksum\":\"";
    let (header, data) = named(rest);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let digits = header.find(MARK).map(|at| 8 + at + MARK.len());
    let digits = digits
        .map(|at| at..at + 64)
        .filter(|digits| digits.end <= file.len());
    file.extend(data);
    if let Some(digits) = digits {
        file[digits.clone()].fill(b'0');
        let mut hex = String::new();
        for byte in Sha256::digest(&file) {
            write!(hex, "{byte:02x}").expect("memory");
        }
        file[digits].copy_from_slice(hex.as_bytes());
    }
    file
}
