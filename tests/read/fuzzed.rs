//! The corpus of the fuzzing targets, replayed by the bodies that the targets have.

#[path = "../../fuzz/src/bodies/mod.rs"]
mod bodies;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Runs a target's body over its corpus.
fn replay(target: &str) {
    let (_, run) = bodies::ALL
        .into_iter()
        .find(|(name, _)| *name == target)
        .expect("a target of that name");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).expect("its corpus") {
        let path = entry.expect("a readable folder").path();
        let bytes = fs::read(&path).expect("an input");
        println!("{}", path.display());
        let started = Instant::now();
        run(&bytes);
        assert!(started.elapsed() < Duration::from_secs(10));
        inputs += 1;
    }
    assert!(inputs >= 5, "{target} has {inputs} inputs");
}

macro_rules! replayed {
    ($($target:ident: $test:ident),* $(,)?) => {
        $(#[test]
        fn $test() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed() {
            let tested = [$(stringify!($target)),*];
            assert!(bodies::ALL.iter().map(|(name, _)| *name).eq(tested));
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
            let corpora = fs::read_dir(folder).expect("the corpora").count();
            assert_eq!(corpora, tested.len());
        }
    };
}

replayed! {
    bed: corpus_of_bed_is_read_well,
    columnar: corpus_of_columnar_is_read_well,
    delimited: corpus_of_delimited_is_read_well,
    json_lines: corpus_of_json_lines_is_read_well,
    npy: corpus_of_npy_is_read_well,
    npz: corpus_of_npz_is_read_well,
    records: corpus_of_records_is_read_well,
    safetensors: corpus_of_safetensors_is_read_well,
    tallies: corpus_of_tallies_is_read_well,
    torch: corpus_of_torch_is_read_well,
    vcf: corpus_of_vcf_is_read_well,
}
