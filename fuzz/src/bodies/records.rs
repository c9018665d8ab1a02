//! Small files of JSON that stand beside others: records of runs, configurations of models, what a
//! benchmark says of itself. The first byte chooses which.

use std::fs;
use std::path::Path;

use atomscope::Control;
use atomscope::read::benchmark::{BenchmarkOptions, read_benchmark};
use atomscope::read::read_model;
use atomscope::tally::StratifyBy;
use atomscope::write::record::{self, Found, WrittenFile};
use atomscope::write::verify::verify;

use super::shared::{keep, named, place, put, well};

/// Reads a record (`R`), or makes one and reads it (`W`), a model's configuration (`C`), a JSON that names
/// the best model (`B`), a benchmark's summary (`S`) or parameters (`P`), or names of strata (`T`).
pub fn run(bytes: &[u8]) {
    let Some((kind, text)) = bytes.split_first() else {
        return;
    };
    match kind {
        b'R' => read_record(text),
        b'W' => write_record(text),
        b'C' => configuration(text),
        b'B' => {
            put("records/best/BEST_MODEL.json", text);
            well(read_model(&place("records/best/BEST_MODEL.json")));
        }
        b'S' => benchmark("records/summary/summary.json", text),
        b'P' => benchmark("records/params/params.json", text),
        b'T' => strata(text),
        _ => {}
    }
}

fn read_record(text: &[u8]) {
    let path = put("records/run/run.json", text);
    keep("records/run/report.txt", || b"abc".to_vec());
    let found = record::read(&path);
    assert!(!matches!(found, Found::Nothing));
    check(path.parent().expect("a folder"));
}

fn check(folder: &Path) -> usize {
    let found = well(verify(folder, false, &Control::default())).expect("a folder");
    let faults = found.faults.len();
    for fault in found.faults {
        well::<()>(Err(fault));
    }
    faults
}

/// Seals a record of whatever JSON, with one output of whatever content.
fn write_record(text: &[u8]) {
    let (json, content) = named(text);
    let Ok(serde_json::Value::Object(mut entries)) = serde_json::from_str(&json) else {
        return;
    };
    // A record has these two keys from the seal.
    entries.remove("seal");
    entries.remove("outputs");
    let output = put("records/sealed/report.txt", content);
    let written = WrittenFile {
        name: "report.txt".to_owned(),
        bytes: content.len() as u64,
        sha256: atomscope::digest::Digest::of(&fs::read(output).expect("the file")),
    };
    let sealed = record::seal(&entries, std::slice::from_ref(&written)).expect("JSON");
    let path = put("records/sealed/run.json", &sealed);
    assert_eq!(record::read(&path), Found::Whole(vec![written]));
    assert_eq!(check(path.parent().expect("a folder")), 0);
}

/// Reads the configuration of a model whose tensors have the names of `SAELens`.
fn configuration(text: &[u8]) {
    keep("records/model/sae_weights.safetensors", || {
        let header = concat!(
            r#"{"W_enc":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},"#,
            r#""W_dec":{"dtype":"F32","shape":[4,3],"data_offsets":[48,96]},"#,
            r#""b_enc":{"dtype":"F32","shape":[4],"data_offsets":[96,112]},"#,
            r#""b_dec":{"dtype":"F32","shape":[3],"data_offsets":[112,124]}}"#
        );
        let length = (header.len() as u64).to_le_bytes();
        let numbers = (0..31_u8).flat_map(|n| (f32::from(n) / 8.0).to_le_bytes());
        let data: Vec<u8> = numbers.collect();
        [&length, header.as_bytes(), &data].concat()
    });
    put("records/model/cfg.json", text);
    if let Some(model) = well(read_model(&place("records/model"))) {
        let again =
            well(read_model(&place("records/model"))).expect("a model that was read before");
        assert_eq!(model.sae.digest(), again.sae.digest());
    }
}

/// Reads a folder of Truvari with this file in it.
fn benchmark(name: &str, text: &[u8]) {
    let path = put(name, text);
    let folder = path.parent().expect("a folder");
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    for (file, id) in [("tp-comp", "a"), ("fp", "b"), ("tp-base", "c"), ("fn", "d")] {
        let file = folder.join(file).with_extension("vcf");
        if !file.exists() {
            let record = format!("chr1\t100\t{id}\tN\t<DEL>\t.\t.\tSVLEN=-70;END=170\n");
            fs::write(file, format!("{head}{record}")).expect("a file");
        }
    }
    if let Some(calls) = well(read_benchmark(Some(folder), &BenchmarkOptions::default())) {
        assert!(calls.len() <= 2);
    }
}

fn strata(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(scheme) = text.parse::<StratifyBy>() {
        let again = scheme.to_string().parse::<StratifyBy>();
        assert!(again.is_ok_and(|again| again == scheme), "{scheme}");
    }
}
