//! Tallies, firing sets and matrices of sets of any size, written and read back.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::cohort::{ATOMS, BAD, DIM, ROWS, cohort, options, shown, tables_of};
use atomscope::Analysis;
use atomscope::analysis::Counted;
use atomscope::analysis::merge;
use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::digest::Digest;
use atomscope::engine::Nonfinite;
use atomscope::fires::{FiringSets, FiringSetsBuilder, InMemory};
use atomscope::rows::SliceRows;
use atomscope::store::{Fires, FiresFile, Maker, read_tally, write_fires, write_tally};
use atomscope::tally::{ModelId, Shard};
use atomscope::write::whole::WholeFile;

const MEMORY: u64 = 1 << 30;

/// Reads a tally, with the firing sets of a folder.
fn read(tally: &Path, folder: &Path) -> Counted {
    let files = fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    let fires: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|e| e == "fires"))
        .collect();
    Counted::of_tally(tally, Some((fires, true)), &Control::default()).expect("as it was written")
}

#[test]
fn tally_and_fires_are_read_back_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tally, fires) = (folder.path().join("c.tally"), folder.path().join("c.fires"));
    let (mut bytes, mut counted_by) = (Vec::new(), Vec::new());
    let cohort = cohort();
    for (threads, batch) in [(1, None), (2, Some(1)), (7, Some(50))] {
        let counted = cohort.counted(&options(Some(threads), batch));
        counted
            .write_tally(&tally, Some(&fires), true)
            .expect("written");
        bytes.push((
            fs::read(&tally).expect("a tally"),
            fs::read(&fires).expect("sets"),
        ));
        // What was left open depends on the screen and the blocks; what was counted does not.
        let counts = &counted.cohort.tally;
        counted_by.push((counts.rows().to_vec(), counts.all_counts().clone()));
        assert_eq!(read_tally(&tally).expect("a tally"), counted.cohort);
        let file = FiresFile::open(&fires).expect("firing sets");
        file.verify(&Control::default()).expect("its checksum");
        let sets = counted
            .firings
            .as_ref()
            .expect("kept")
            .sets()
            .expect("in memory");
        assert_eq!(&file.sets(0..ROWS as u64).expect("sets"), sets);
        // Any rows, of none to all.
        for (start, end) in [
            (0, 0),
            (0, 1),
            (1, 2),
            (57, 60),
            (100, 400),
            (477, 480),
            (480, 480),
        ] {
            let part = file.sets(start..end).expect("sets");
            let rows = part.iter().map(|(row, set)| (row + start as usize, set));
            let kept = cohort
                .kept()
                .filter(|(row, _)| (start..end).contains(&(*row as u64)));
            assert!(rows.eq(kept), "{start}..{end}");
        }
    }
    assert!(
        bytes[0].1 == bytes[1].1 && bytes[0].1 == bytes[2].1,
        "threads and batches show"
    );
    assert!(counted_by[0] == counted_by[1] && counted_by[0] == counted_by[2]);
    let header = String::from_utf8_lossy(&bytes[0].0);
    assert!(header.contains("\"activation\":\"threshold\""));
}

#[test]
fn merged_shards_in_any_order_are_the_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let cohort = cohort();
    let whole = folder.path().join("whole");
    fs::create_dir(&whole).expect("a folder");
    let expected = read(&cohort.write_shard(&whole, 0..ROWS), &whole);
    let in_memory = cohort.counted(&options(None, None));
    assert_eq!(
        expected.cohort.tally.all_counts(),
        in_memory.cohort.tally.all_counts()
    );
    let tables = shown(&tables_of(&in_memory, MEMORY));
    assert!(
        shown(&tables_of(&expected, MEMORY)) == tables,
        "files and memory"
    );
    // A shard of a dropped row alone, and of empty sets.
    let cuts = [0, 1, 5, 6, 250, 477, 478, ROWS];
    let shards: Vec<PathBuf> = cuts
        .windows(2)
        .map(|cut| cohort.write_shard(folder.path(), cut[0]..cut[1]))
        .collect();
    let mut merged_bytes = Vec::new();
    for order in [
        [0, 1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [3, 0, 6, 1, 5, 2, 4],
    ] {
        let paths = order.map(|i| shards[i].clone());
        let merged = merge(&paths, &Control::default()).expect("one cohort");
        assert_eq!(merged, expected.cohort);
        let path = folder.path().join("merged.tally");
        let written = write_tally(&path, &merged, Maker::Merge).and_then(WholeFile::publish);
        written.expect("written");
        merged_bytes.push(fs::read(&path).expect("a tally"));
        let found = read(&path, folder.path());
        assert!(shown(&tables_of(&found, MEMORY)) == tables, "{order:?}");
    }
    assert!(merged_bytes.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn fires_of_many_blocks_are_read_back() {
    const MANY: usize = 4096;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("many.fires");
    let mut sets = FiringSetsBuilder::default();
    for row in 0..2600_usize {
        let size = if row % 5 == 0 { 0 } else { row * 37 % MANY };
        let atoms: Vec<u32> = (0..size as u32)
            .map(|atom| atom + (MANY - size) as u32)
            .collect();
        sets.push(&atoms);
    }
    let sets = sets.finish(vec![3, 1300]);
    let mut calls = Calls::default();
    for row in 0..2602_i64 {
        let (id, chrom) = (format!("call {row}"), format!("chr{}", row % 7));
        calls.push(&Call {
            truvari_class: Some("TP"),
            id: (row % 3 > 0).then_some(&id),
            chrom: Some(&chrom),
            pos: Number::Int(row * 100),
            ..Call::default()
        });
    }
    let (case, thresholds) = crate::common::case::ragged_case(1, 1, 1, MANY);
    let model = ModelId::of(&case.sae_above(&thresholds), Digest::default());
    let shard = Shard::new("many".to_owned(), Digest::default(), 0..2602);
    let shard = shard.with_calls(&calls, sets.dropped());
    let details = InMemory {
        calls: &calls,
        sets: &sets,
    };
    let fires = Fires {
        model: &model,
        shard: &shard,
        calls: &calls,
        details: &details,
        scores: false,
    };
    write_fires(&path, &fires)
        .and_then(WholeFile::publish)
        .expect("written");
    let file = FiresFile::open(&path).expect("firing sets");
    let (mut blocks, mut next) = (0, sets.iter());
    let all = file.blocks(0, &mut |block| {
        blocks += 1;
        for (row, set) in block.sets.iter() {
            let row = row + block.first as usize;
            assert_eq!(next.next(), Some((row, set)));
        }
        for row in 0..block.calls.len() {
            assert_eq!(block.calls.get(row), calls.get(block.first as usize + row));
        }
        Ok(())
    });
    all.expect("read");
    assert!(next.next().is_none() && blocks > 1, "{blocks} blocks");
}

/// An array of an archive: its header's text, and its numbers' bytes.
fn array(archive: &mut zip::ZipArchive<fs::File>, name: &str) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut entry = archive.by_name(name).expect("in the archive");
    entry.read_to_end(&mut bytes).expect("whole");
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let numbers = bytes.split_off(10 + length);
    (
        String::from_utf8(bytes[10..].to_vec()).expect("text"),
        numbers,
    )
}

fn integers(bytes: &[u8]) -> Vec<usize> {
    let each = bytes
        .chunks_exact(8)
        .map(|bytes| bytes.try_into().expect("eight bytes"));
    each.map(|bytes| i64::from_le_bytes(bytes) as usize)
        .collect()
}

#[test]
fn saved_matrix_has_the_sets_as_compressed_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let cohort = cohort();
    let rows = SliceRows::new(&cohort.case.rows, DIM).expect("whole rows");
    let analysis = Analysis::of(&cohort.sae(), &rows, &cohort.calls);
    let analysis = analysis.nonfinite(Nonfinite::Skip).save_firings();
    let found = analysis.run().expect("tables");
    found.write(folder.path()).expect("written");
    let names: BTreeMap<_, _> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|file| file.expect("a file"))
        .map(|file| (file.file_name().into_string().expect("UTF-8"), file.path()))
        .collect();
    assert!(
        !names.contains_key("fires.npy"),
        "sets of one size have that file"
    );
    let mut archive = zip::ZipArchive::new(fs::File::open(&names["fires.npz"]).expect("a file"))
        .expect("an archive");
    assert_eq!(
        integers(&array(&mut archive, "shape.npy").1),
        [ROWS - BAD.len(), ATOMS]
    );
    assert_eq!(array(&mut archive, "format.npy").1, b"csr");
    let indptr = integers(&array(&mut archive, "indptr.npy").1);
    let indices = integers(&array(&mut archive, "indices.npy").1);
    let (header, ones) = array(&mut archive, "data.npy");
    assert!(
        header.contains("u1") && ones == vec![1; indices.len()],
        "{header}"
    );
    let found: Vec<Vec<u32>> = indptr
        .windows(2)
        .map(|ends| {
            indices[ends[0]..ends[1]]
                .iter()
                .map(|&atom| atom as u32)
                .collect()
        })
        .collect();
    assert!(
        found
            .iter()
            .map(Vec::as_slice)
            .eq(cohort.kept().map(|(_, set)| set))
    );
    let dropped = fs::read(&names["dropped_rows.npy"]).expect("dropped rows");
    assert_eq!(integers(&dropped[dropped.len() - 8 * BAD.len()..]), BAD);
}

#[test]
fn file_with_row_ends_that_fall_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let cohort = cohort();
    cohort.write_shard(folder.path(), 0..40);
    let path = folder.path().join("0-40.fires");
    let whole: FiringSets = FiresFile::open(&path)
        .and_then(|file| file.sets(0..40))
        .expect("sets");
    let bytes = fs::read(&path).expect("sets");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).expect("JSON");
    let start = header["row_ends"]["data_offsets"][0]
        .as_u64()
        .expect("a place") as usize;
    // One more than the next row's, or beyond all firings.
    for (row, end) in [
        (5, whole.firings() as u64 + 1),
        (whole.rows() - 1, 1 << 50),
        (2, u64::MAX),
    ] {
        let mut damaged = bytes.clone();
        let place = 8 + length + start + 8 * row;
        damaged[place..place + 8].copy_from_slice(&end.to_le_bytes());
        fs::write(&path, &damaged).expect("written");
        let refused = FiresFile::open(&path).and_then(|file| file.sets(0..40));
        let error = refused.expect_err("no firing sets").to_string();
        assert!(error.contains("0-40.fires"), "{error}");
    }
}
