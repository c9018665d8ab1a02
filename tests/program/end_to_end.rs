//! The notebook's answer from its two files, byte for byte: on a small cohort that is always
//! here, and on real calls where the data is at hand.

use std::path::{Path, PathBuf};

use crate::common::{atomscope, contents, delly_mims, notebook_section};

/// A folder laid out as the notebook expects it, with what it wrote and printed in `expected`. That of
/// real calls has the same.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cohort")
}

fn analyze(data: &Path, out: &Path, more: &[&str]) -> String {
    let embeddings = data.join("data/processed/sae_sv_embeddings.pt");
    let model = data.join("data/models/BEST_MODEL.json");
    let mut args = vec![
        "analyze".as_ref(),
        "--embeddings".as_ref(),
        embeddings.as_os_str(),
    ];
    args.extend([
        "--model".as_ref(),
        model.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    args.extend(["-q", "--save-fires"].map(AsRef::<std::ffi::OsStr>::as_ref));
    args.extend(more.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
    let output = atomscope(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    // Quiet: warnings alone are left.
    assert!(
        stderr
            .lines()
            .all(|line| line.starts_with("atomscope: warning: ")),
        "{stderr}"
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The fields of a CSV line but for p and its correction, and these two.
fn split(line: &str) -> (Vec<&str>, [&str; 2]) {
    let mut fields: Vec<&str> = line.split(',').collect();
    assert_eq!(fields.len(), 10, "{line}");
    let (fdr, p) = (fields.remove(8), fields.remove(7));
    (fields, [p, fdr])
}

#[test]
fn the_notebooks_answer_is_reproduced() {
    assert_notebooks_answer(&golden());
}

#[test]
#[ignore = "needs real calls: ATOMSCOPE_DELLY_MIMS=FOLDER"]
fn the_notebooks_answer_on_real_calls_is_reproduced() {
    assert_notebooks_answer(&delly_mims());
}

fn assert_notebooks_answer(data: &Path) {
    let expected = data.join("expected");
    let out = tempfile::tempdir().expect("a temporary folder");
    let with_more = analyze(data, out.path(), &[]);
    let text = analyze(data, out.path(), &["--tables", "notebook"]);
    let read = |folder: &Path, name: &str| std::fs::read_to_string(folder.join(name)).expect(name);

    let printed = read(&expected, "notebook_stdout.txt");
    let from = printed
        .find(" SAE Feature Bias Landscape")
        .expect("its first section");
    let to = printed.find("\n Results saved to").expect("its end");
    assert_eq!(text, printed[from..to]);
    // With further tables it is one unbroken section, once, after the summary and before the rest.
    assert_eq!(notebook_section(&with_more), text);
    assert_eq!(with_more.matches(&text).count(), 1);
    let (before, after) = with_more.split_once(&text).expect("the section");
    assert!(before.starts_with(" Summary: what holds\n") && before.ends_with("\n\n"));
    assert!(after.starts_with("\n What holds, in detail\n"));
    assert_eq!(read(out.path(), "report.txt"), text);

    let json = "top_biased_features.json";
    assert_eq!(read(out.path(), json), read(&expected, json));

    let name = "sae_feature_bias_analysis.csv";
    let (ours, theirs) = (read(out.path(), name), read(&expected, name));
    assert_eq!(ours.lines().next(), theirs.lines().next());
    assert_eq!(ours.lines().count(), theirs.lines().count());
    for (ours, theirs) in ours.lines().zip(theirs.lines()).skip(1) {
        let ((ours, our_p), (theirs, their_p)) = (split(ours), split(theirs));
        assert_eq!(ours, theirs);
        for (ours, theirs) in our_p.iter().zip(their_p) {
            let (ours, theirs): (f64, f64) = (ours.parse().expect("p"), theirs.parse().expect("p"));
            assert!(
                (ours - theirs).abs() <= 1e-12 * theirs,
                "{ours:e} {theirs:e}"
            );
        }
    }
}

#[test]
fn firing_sets_are_those_of_binary64() {
    assert_binary64_sets(&golden());
}

#[test]
#[ignore = "needs real calls: ATOMSCOPE_DELLY_MIMS=FOLDER"]
fn firing_sets_of_real_calls_are_those_of_binary64() {
    assert_binary64_sets(&delly_mims());
}

fn assert_binary64_sets(data: &Path) {
    let out = tempfile::tempdir().expect("a temporary folder");
    analyze(data, out.path(), &[]);
    let load = |path: &Path| {
        let bytes = std::fs::read(path).expect("fires.npy");
        npyz::NpyFile::new(&bytes[..])
            .map(|npy| (npy.shape().to_vec(), bytes.clone()))
            .expect("an npy file")
    };
    let (shape, theirs) = load(&data.join("expected/fires.npy"));
    let theirs: Vec<u16> = npyz::NpyFile::new(&theirs[..])
        .unwrap()
        .into_vec()
        .expect("uint16");
    let (our_shape, ours) = load(&out.path().join("fires.npy"));
    let ours: Vec<u32> = npyz::NpyFile::new(&ours[..])
        .unwrap()
        .into_vec()
        .expect("uint32");
    assert_eq!(our_shape, shape);
    assert_eq!(ours, theirs.into_iter().map(u32::from).collect::<Vec<_>>());
}

#[test]
fn the_bytes_are_the_same_however_it_runs() {
    assert_same_bytes(&golden());
}

#[test]
#[ignore = "needs real calls: ATOMSCOPE_DELLY_MIMS=FOLDER"]
fn the_bytes_of_real_calls_are_the_same_however_it_runs() {
    assert_same_bytes(&delly_mims());
}

fn assert_same_bytes(data: &Path) {
    let answer = |more: &[&str]| {
        let out = tempfile::tempdir().expect("a temporary folder");
        let text = analyze(data, out.path(), more);
        let mut files = contents(out.path());
        files.retain(|(name, _)| name != "run.json");
        assert_eq!(files.len(), 16);
        (text, files)
    };
    let first = answer(&["--threads", "1"]);
    for more in [
        &["--threads", "2"][..],
        &["--threads", "7", "--batch-rows", "17"],
        &["--batch-rows", "1"],
        &["--batch-rows", "4096", "--device", "cpu"],
        &["--simd", "portable"],
    ] {
        assert!(answer(more) == first, "{more:?} gives other bytes");
    }
    for simd in atomscope::engine::Simd::all() {
        let more = ["--simd", &simd.to_string()];
        assert!(answer(&more) == first, "{more:?} gives other bytes");
    }
}
