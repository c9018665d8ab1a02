//! `report.html` and the command `html`.

use std::fs;
use std::io::Read;

use crate::common::cohort::Cohort;
use crate::common::{assert_refused, atomscope, contents};

fn names(cohort: &Cohort) -> Vec<String> {
    let files = contents(&cohort.out()).into_iter();
    files.map(|(name, _)| name).collect()
}

#[test]
fn html_says_whether_the_page_is_written() {
    let cohort = Cohort::simulated(200);
    assert!(
        cohort
            .analyze(None, None, &["-q", "--html", "no"])
            .status
            .success()
    );
    assert!(!names(&cohort).contains(&"report.html".to_owned()));
    assert!(names(&cohort).contains(&"atoms.parquet".to_owned()));
    assert!(
        cohort
            .analyze(None, None, &["-q", "--html", "only"])
            .status
            .success()
    );
    assert_eq!(names(&cohort), ["report.html", "run.json"]);
    let none = ["-q", "--html", "only", "--tables", "notebook"];
    assert_refused(
        &cohort.analyze(None, None, &none),
        &["--html: found only, beside --tables notebook, expected --tables all"],
    );
}

#[test]
fn html_of_a_tally_is_the_page_of_its_report_and_takes_names_later() {
    let cohort = Cohort::simulated(300);
    let path = |name: &str| cohort.path(name).to_str().expect("UTF-8").to_owned();
    let [embeddings, model] = ["embeddings.pt", "sae.pt"].map(path);
    let [tally, results, page, named, labels] = [
        "c.tally",
        "results",
        "page.html",
        "named.html",
        "labels.tsv",
    ]
    .map(path);
    let succeed = |args: &[&str]| {
        let output = atomscope(args.iter().copied());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
    };
    succeed(&[
        "tally",
        "-q",
        "--fires",
        "--embeddings",
        &embeddings,
        "--model",
        &model,
        "--out",
        &tally,
    ]);
    succeed(&["report", "-q", &tally, "--out", &results]);
    succeed(&["html", "-q", &tally, "--out", &page]);
    let read = |name: &str| fs::read_to_string(name).expect("a page");
    assert!(read(&page) == read(&format!("{results}/report.html")));
    fs::write(&labels, "atom\tname\n3\t<b>Alu</b>\n").expect("written");
    succeed(&[
        "html", "-q", &results, "--genome", "hg19", "--labels", &labels, "--out", &named,
    ]);
    assert!(read(&named).contains("\"labels\":{\"3\":\"\\u003cb>Alu\\u003c/b>\"}"));
    // What is there already is not replaced, and what is no page of this version is refused.
    let refused =
        |args: &[&str], words: &[&str]| assert_refused(&atomscope(args.iter().copied()), words);
    refused(
        &["html", &results, "--out", &named],
        &["named.html", "already"],
    );
    fs::write(&labels, "atom\tname\nthree\tAlu\n").expect("written");
    refused(
        &[
            "html", &results, "--labels", &labels, "--out", &page, "--force",
        ],
        &["three", "line 2", "labels.tsv"],
    );
    let broken: [(&[u8], &[&str]); 4] = [
        (b"3\tAlu\n3\tL1\n", &["Alu", "L1", "line 2", "atom 3"]),
        (b"3,Alu\n", &["3,Alu", "line 1", "a tab"]),
        (b"3\t\xff\xfe\n", &["byte 2", "UTF-8"]),
        (b"atom\tname\n-1\tAlu\n", &["-1", "line 2"]),
    ];
    for (bytes, words) in broken {
        fs::write(&labels, bytes).expect("written");
        let args = [
            "html", &results, "--labels", &labels, "--out", &page, "--force",
        ];
        refused(&args, words);
    }
    let whole = read(&page);
    let cut = whole.get(..whole.len() / 2).expect("its first half");
    fs::write(format!("{results}/report.html"), cut).expect("written");
    refused(
        &["html", &results, "--out", &page, "--force"],
        &["report.html", "without its end"],
    );
}

#[test]
fn html_of_tables_alone_says_what_is_missing_and_refuses_what_is_none() {
    let cohort = Cohort::simulated(300);
    assert!(cohort.analyze(None, None, &["-q"]).status.success());
    let (results, page) = (cohort.out(), cohort.path("page.html"));
    let [folder, out] = [&results, &page].map(|path| path.to_str().expect("UTF-8"));
    let html = || atomscope(["html", "-q", folder, "--out", out, "--force"]);
    fs::remove_file(results.join("report.html")).expect("removed");
    fs::remove_file(results.join("atom_sizes.parquet")).expect("removed");
    let output = html();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = fs::read_to_string(&page).expect("a page");
    assert!(text.contains("no longer in the folder: report.html, atom_sizes.parquet."));
    assert!(text.contains("it has no example calls"));
    // Columns mean what the files say: the words are those of the table itself.
    let table = docs_of("cmh_holm");
    assert!(table.starts_with("The same by Holm"), "{table}");
    assert!(text.contains(&format!("\"n\":\"cmh_holm\",\"a\":\"{table}\"")));
    assert!(!text.contains("does not say what it means"));
    // The same words and numbers as in the other files.
    let report = fs::read_to_string(results.join("report.txt")).expect("a report");
    let line = report.lines().nth(2).expect("what holds");
    assert!(text.contains(&format!("<li>{line}</li>")));
    let tsv = fs::read_to_string(results.join("atoms.tsv")).expect("a table");
    let mut rows = tsv.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let names = rows.next().expect("names");
    let at = names.iter().position(|name| *name == "tp_on");
    let expected = rows.map(|row| row[at.expect("a column")].parse::<u32>().expect("a count"));
    assert_eq!(counts(&text, "tp_on"), expected.collect::<Vec<_>>());

    let record = results.join("run.json");
    let own = fs::read_to_string(&record).expect("a record");
    let version = format!("\"atomscope\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(own.contains(&version));
    fs::write(&record, own.replace(&version, "\"atomscope\": \"0.0.9\"")).expect("written");
    assert_refused(&html(), &["run.json", "version 0.0.9"]);
    fs::write(&record, &own).expect("written");
    fs::write(results.join("atoms.parquet"), "PAR1").expect("written");
    assert_refused(&html(), &["atoms.parquet"]);
    fs::remove_file(results.join("atoms.parquet")).expect("removed");
    assert_refused(
        &html(),
        &["run.json, without report.html and without atoms.parquet"],
    );
    fs::remove_file(&record).expect("removed");
    assert_refused(
        &html(),
        &["neither report.html, nor atoms.parquet, nor run.json"],
    );
}

/// The meaning of a column of `atoms`, as `docs/TABLES.md` has it.
fn docs_of(column: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/TABLES.md");
    let text = fs::read_to_string(path).expect("the page of tables");
    let row = text
        .lines()
        .find(|line| line.starts_with(&format!("| `{column}` |")));
    let cells = row.expect("a row").trim_end_matches(" |").splitn(4, " | ");
    cells.last().expect("a meaning").to_owned()
}

#[test]
fn page_has_neighbours_by_the_decoder_of_the_model() {
    let cohort = Cohort::simulated(300);
    assert!(cohort.analyze(None, None, &["-q"]).status.success());
    let html = fs::read_to_string(cohort.out().join("report.html")).expect("a page");
    let model = atomscope::read::read_model(&cohort.path("sae.pt")).expect("a model");
    // The simulation's decoder has the encoder's directions.
    let (weight, dim) = (model.sae.weight(), model.sae.input_dim());
    let row = |atom: usize| &weight[atom * dim..(atom + 1) * dim];
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let cosine = |a: usize, b: usize| {
        dot(row(a), row(b)) / (dot(row(a), row(a)) * dot(row(b), row(b))).sqrt()
    };
    let bytes = inflated(&html, "cards-0");
    let arrays = sections(&bytes);
    let [numbers, atoms, steps] = [&arrays[19], &arrays[20], &arrays[21]];
    let mut at = 0;
    for (atom, &number) in numbers
        .iter()
        .enumerate()
        .filter(|(_, number)| **number > 0)
    {
        let mut all: Vec<f64> = (0..model.sae.feature_dim())
            .filter(|&other| other != atom)
            .map(|other| cosine(atom, other))
            .collect();
        all.sort_by(|a, b| b.total_cmp(a));
        for (place, expected) in all.iter().take(number as usize).enumerate() {
            let found = f64::from(steps[at + place]) / 1000.0 - 1.0;
            // Three digits are shown.
            assert!(
                (found - expected).abs() < 5.01e-4,
                "{atom}: {found}, not {expected}"
            );
            let named = cosine(atom, atoms[at + place] as usize);
            assert!(
                (named - expected).abs() < 1e-5,
                "{atom}: another atom is as near"
            );
        }
        at += number as usize;
    }
    assert!(at >= 6 * 8, "some atoms have neighbours");
}

fn inflated(html: &str, id: &str) -> Vec<u8> {
    let (_, rest) = html
        .split_once(&format!("id=\"{id}\">"))
        .expect("an island");
    let packed = crate::common::letters::bytes(rest.split_once('<').expect("its end").0);
    let mut bytes = Vec::new();
    let mut zlib = flate2::read::ZlibDecoder::new(&packed[..]);
    zlib.read_to_end(&mut bytes).expect("zlib");
    bytes
}

/// Numbers of `width` bytes, all first bytes first.
fn whole(bytes: &[u8], width: usize) -> Vec<u32> {
    let count = bytes.len() / width;
    let byte = |i: usize, place: usize| u32::from(bytes[place * count + i]) << (8 * place);
    (0..count)
        .map(|i| (0..width).map(|place| byte(i, place)).sum())
        .collect()
}

/// Arrays after one another: how many; of each its width and length; their bytes.
fn sections(bytes: &[u8]) -> Vec<Vec<u32>> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
    let mut from = 4 + 8 * word(0);
    let array = |i: usize| {
        let (width, length) = (word(4 + 8 * i), word(8 + 8 * i));
        from += width * length;
        whole(&bytes[from - width * length..from], width)
    };
    (0..word(0)).map(array).collect()
}

/// A column of counts that a page begins with.
fn counts(html: &str, name: &str) -> Vec<u32> {
    let (_, about) = html.split_once("id=\"about\">").expect("data");
    let about = about.split_once("</script>").expect("its end").0;
    let about: serde_json::Value = serde_json::from_str(about).expect("JSON");
    let columns = about["tables"][0]["columns"]
        .as_array()
        .expect("columns")
        .iter();
    let column = columns
        .clone()
        .find(|column| column["n"] == name)
        .expect("a column");
    let mut from = 0;
    for piece in about["first"].as_array().expect("pieces") {
        let length = piece[1].as_u64().expect("a length") as usize;
        if piece[0] == column["i"] {
            let width = column["w"].as_u64().expect("a width") as usize;
            return whole(&inflated(html, "first")[from..from + length], width);
        }
        from += length;
    }
    panic!("{name} is not in the first island")
}
