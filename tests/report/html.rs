//! `report.html` from outside: what is in it is read back by a decoder of the test's own, and compared
//! with the results it was made of.

use std::collections::BTreeMap;
use std::io::Read;

use atomscope::analysis::outputs::page;
use atomscope::cohort::{Call, Calls};
use atomscope::report::html::{Genome, Settings, redress};
use atomscope::rows::SliceRows;
use atomscope::simulate::{SimulateOptions, simulate_in_memory};
use atomscope::stats::inference::PValue;
use atomscope::{Analysis, Control, Results};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::Digest;

const HOSTILE: &str = "</script><img src=x onerror='alert(1)'><!--<script>\"$'$&\u{202e}\u{7}";

/// The results of a cohort whose calls `change` alters.
fn results(change: impl Fn(usize, Call<'_>, &mut Calls), look: impl FnOnce(&Results)) {
    let cohort = simulate_in_memory(&SimulateOptions::new(900, 16, 64, 6, 5)).expect("a cohort");
    let mut calls = Calls::default();
    for row in 0..cohort.calls.len() {
        change(row, cohort.calls.get(row), &mut calls);
    }
    calls.rule = cohort.calls.rule.clone();
    let rows = SliceRows::new(&cohort.embeddings, 16).expect("rows");
    let found = Analysis::of(&cohort.sae, &rows, &calls)
        .permutations(40)
        .run();
    look(&found.expect("results"));
}

fn html(found: &Results) -> String {
    let mut bytes = Vec::new();
    let report = found.tables.report().to_string();
    page(
        &found.counted,
        &found.tables,
        (&report, &found.tables.options.page),
        &Control::default(),
        &mut bytes,
    )
    .expect("a page");
    String::from_utf8(bytes).expect("UTF-8")
}

/// The content of every script element: its attributes and its text.
fn scripts(html: &str) -> Vec<(&str, &str)> {
    let parts = html.split("<script").skip(1);
    parts
        .map(|part| {
            let (attributes, rest) = part.split_once('>').expect("a start tag");
            (
                attributes,
                rest.split_once("</script>").expect("an end tag").0,
            )
        })
        .collect()
}

fn about(html: &str) -> Value {
    let all = scripts(html);
    let found = all
        .iter()
        .find(|(attributes, _)| attributes.contains("id=\"about\""));
    serde_json::from_str(found.expect("data").1).expect("JSON")
}

/// The bytes of an island, or of a piece of the first one.
fn island(html: &str, id: &str) -> Vec<u8> {
    let first = about(html)["first"].as_array().expect("a list").clone();
    let mut from = 0;
    for piece in first {
        let length = piece[1].as_u64().expect("a length") as usize;
        if piece[0] == id {
            return inflated(html, "first")[from..from + length].to_vec();
        }
        from += length;
    }
    inflated(html, id)
}

fn inflated(html: &str, id: &str) -> Vec<u8> {
    let wanted = format!("id=\"{id}\"");
    let all = scripts(html);
    let text = all
        .iter()
        .find(|(attributes, _)| attributes.contains(&wanted))
        .expect("an island")
        .1;
    let packed = crate::letters::bytes(text);
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..])
        .read_to_end(&mut bytes)
        .expect("zlib");
    bytes
}

/// Numbers of `width` bytes, all first bytes first.
fn whole(bytes: &[u8], width: usize) -> Vec<u64> {
    let count = bytes.len() / width;
    let number = |i: usize| {
        (0..width)
            .map(|place| u64::from(bytes[place * count + i]) << (8 * place))
            .sum()
    };
    (0..count).map(number).collect()
}

/// The values of a column of a table, as the page's script reads it; missing ones are NaN.
fn column(html: &str, about: &Value, table: &str, name: &str) -> Vec<f64> {
    let of = |list: &Value, key: &str, name: &str| {
        let mut found = list.as_array().expect("a list").iter();
        found.find(|each| each[key] == name).expect("there").clone()
    };
    let columns = of(&about["tables"], "name", table)["columns"].clone();
    let described = of(&columns, "n", name);
    let kind = described["k"].as_str().expect("a kind");
    let id = described["i"].as_str().expect("an island");
    let twin = columns
        .as_array()
        .expect("columns")
        .iter()
        .find(|each| each["i"] == id && each["w"].is_u64());
    let width = twin.expect("a width")["w"].as_u64().expect("a width") as usize;
    let numbers = whole(&island(html, id), width);
    let log = |code: u64| match code {
        4_294_967_295 => f64::NAN,
        4_294_967_294 => f64::INFINITY,
        // The power of ten, and four digits that fall as the number grows.
        code => {
            let power = code.div_ceil(9000);
            let digits = 9000 * power + 1000 - code;
            power as f64 + 3.0 - (digits as f64).log10()
        }
    };
    numbers
        .into_iter()
        .map(|number| match kind {
            "u" => number as f64,
            "f" => f64::from_bits(number << 32),
            "n" => log(number),
            "p" => 10_f64.powf(-log(number)),
            other => panic!("{other}"),
        })
        .collect()
}

/// A number as its four digits say it.
fn to_four_digits(number: f64) -> f64 {
    format!("{number:.3e}").parse().expect("a number")
}

fn close(found: f64, expected: f64, relative: f64) -> bool {
    found == expected
        || (found.is_nan() && expected.is_nan())
        || ((found - expected) / expected).abs() <= relative
}

#[test]
fn page_has_the_numbers_of_the_tables() {
    results(
        |_, call, calls| calls.push(&call),
        |found| {
            let html = html(found);
            let about = about(&html);
            let tables = found.tables.extended.as_ref().expect("tables");
            let expected: BTreeMap<&str, Vec<f64>> = [
                (
                    "tp_on",
                    tables
                        .atoms
                        .iter()
                        .map(|atom| atom.table.tp_on as f64)
                        .collect(),
                ),
                (
                    "fp_on",
                    tables
                        .atoms
                        .iter()
                        .map(|atom| atom.table.fp_on as f64)
                        .collect(),
                ),
                (
                    "neg_log10_p",
                    tables
                        .atoms
                        .iter()
                        .map(|atom| atom.fisher.p.neg_log10())
                        .collect(),
                ),
                (
                    "fisher_p",
                    tables.atoms.iter().map(|atom| atom.fisher.p.p()).collect(),
                ),
                (
                    "fdr_bh",
                    tables
                        .fisher
                        .bh
                        .iter()
                        .map(|p| p.map_or(f64::NAN, PValue::p))
                        .collect(),
                ),
                (
                    "cmh_or",
                    tables
                        .atoms
                        .iter()
                        .map(|atom| atom.stratified.ln_odds_ratio.map_or(f64::NAN, f64::exp))
                        .collect(),
                ),
            ]
            .into();
            for (name, expected) in expected {
                let found = column(&html, &about, "atoms", name);
                assert_eq!(found.len(), 64, "{name}");
                for (atom, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
                    // Of p-values there are the four digits, and what follows of their logarithms.
                    let is_close = match name {
                        "fisher_p" | "fdr_bh" => close(found, to_four_digits(expected), 1e-12),
                        "neg_log10_p" => (found - expected).abs() < 2.2e-4,
                        _ => close(found, expected, 3e-4),
                    };
                    assert!(is_close, "{name} of atom {atom}: {found}, not {expected}");
                }
            }
        },
    );
}

#[test]
fn page_claims_as_many_atoms_as_the_summary() {
    results(
        |_, call, calls| calls.push(&call),
        |found| {
            let html = html(found);
            let about = about(&html);
            let findings = found.tables.summary.extended.as_ref().expect("findings");
            let width = about["claims"]["w"].as_u64().expect("a width") as usize;
            let bits = whole(&island(&html, "claims"), width);
            assert!(
                findings.claims.iter().any(|claim| claim.atoms > 0),
                "a cohort with findings"
            );
            for (number, claim) in findings.claims.iter().enumerate() {
                let claimed = bits.iter().filter(|&&bits| bits >> number & 1 == 1).count();
                assert_eq!(claimed, claim.atoms, "{:?}", claim.procedure);
                assert_eq!(
                    about["claims"]["names"][number]["procedure"],
                    claim.procedure.as_str()
                );
                assert!(html.contains(&format!(
                    "<strong class=\"number\">{}</strong>",
                    claim.atoms
                )));
            }
            let text = found.tables.report().to_string();
            for line in text.lines().skip(2).take_while(|line| !line.is_empty()) {
                let line = line
                    .replace('\'', "&#39;")
                    .replace('>', "&gt;")
                    .replace('<', "&lt;");
                assert!(html.contains(&format!(">{line}</li>")), "{line}");
            }
        },
    );
}

#[test]
fn page_of_hostile_calls_has_no_markup_of_theirs() {
    let change = |row: usize, call: Call<'_>, calls: &mut Calls| {
        let long = HOSTILE.repeat(200);
        let id = if row.is_multiple_of(3) {
            HOSTILE
        } else {
            &long
        };
        let chrom = if row.is_multiple_of(2) {
            Some(HOSTILE)
        } else {
            call.chrom
        };
        let dataset = if row.is_multiple_of(5) {
            Some(HOSTILE)
        } else {
            call.dataset
        };
        calls.push(&Call {
            id: Some(id),
            chrom,
            dataset,
            reason: Some(HOSTILE),
            svtype: call.svtype,
            ..call
        });
    };
    results(change, |found| {
        let html = html(found);
        assert!(
            !html.contains("<img") && !html.contains("<!--"),
            "markup of a call"
        );
        assert!(!html.contains('\u{202e}') && !html.contains('\u{7}'));
        // The two scripts that run, and the data.
        let all = scripts(&html);
        let run = all
            .iter()
            .filter(|(attributes, _)| attributes.trim().is_empty())
            .count();
        assert_eq!(run, 2);
        let is_data = |attributes: &str| {
            attributes.contains("application/json")
                || attributes.contains("application/octet-stream")
        };
        assert!(
            all.iter()
                .all(|(attributes, _)| attributes.trim().is_empty() || is_data(attributes))
        );
        let about = about(&html);
        let chromosomes = about["chromosomes"].as_array().expect("chromosomes");
        assert!(
            chromosomes.iter().any(|each| each[0] == HOSTILE),
            "the name itself is there"
        );
        // What is cut says so.
        let calls = island(&html, "calls");
        let length = u32::from_le_bytes([calls[0], calls[1], calls[2], calls[3]]) as usize;
        let names: Value = serde_json::from_slice(&calls[4 + length..]).expect("JSON");
        let ids = names["id"].as_array().expect("IDs");
        assert!(ids.iter().any(|id| id == HOSTILE));
        assert!(
            ids.iter()
                .all(|id| id.as_str().expect("text").chars().count() <= 201)
        );
    });
}

#[test]
fn page_allows_its_own_script_and_style_and_nothing_else() {
    results(
        |_, call, calls| calls.push(&call),
        |found| {
            let html = html(found);
            let hash = |text: &str| {
                format!(
                    "'sha256-{}'",
                    STANDARD.encode(sha2::Sha256::digest(text.as_bytes()))
                )
            };
            let all = scripts(&html);
            let run = all.iter().filter(|(attributes, _)| attributes.is_empty());
            let hashes: Vec<String> = run.map(|(_, script)| hash(script)).collect();
            let style = html
                .split_once("<style>")
                .and_then(|(_, rest)| rest.split_once("</style>"))
                .expect("a style")
                .0;
            let policy = html
                .split_once("Content-Security-Policy\" content=\"")
                .expect("a policy")
                .1;
            let policy = policy.split_once('"').expect("its end").0;
            assert!(policy.starts_with("default-src 'none'; "));
            assert!(
                policy.contains(&format!("script-src {};", hashes.join(" "))),
                "{policy}"
            );
            assert!(
                policy.contains(&format!("style-src {};", hash(style))),
                "{policy}"
            );
            // Inline styles and handlers would be ignored, and nothing is fetched.
            for bad in [" style=\"", " onclick=\"", " src=\"", "@import", "url("] {
                let first_layer = html.split_once("<body>").expect("a body").1;
                let first_layer = first_layer.split_once("<script").expect("scripts").0;
                assert!(!first_layer.contains(bad) && !style.contains(bad), "{bad}");
            }
        },
    );
}

#[test]
fn page_of_the_same_results_has_the_same_bytes() {
    let mut pages = Vec::new();
    for _ in 0..2 {
        results(
            |_, call, calls| calls.push(&call),
            |found| pages.push(html(found)),
        );
    }
    assert!(pages[0] == pages[1]);
}

#[test]
fn redressed_page_differs_in_its_settings_alone() {
    results(
        |_, call, calls| calls.push(&call),
        |found| {
            let page = html(found);
            let settings = Settings {
                genome: Some(Genome::Chm13),
                labels: [(7, HOSTILE.to_owned())].into(),
            };
            let dressed = redress(&page, &settings).expect("a page");
            let (mut before, mut after) = (about(&page), about(&dressed));
            assert_eq!(after["genome"], "chm13");
            assert_eq!(after["labels"]["7"], HOSTILE);
            for about in [&mut before, &mut after] {
                let fields = about.as_object_mut().expect("an object");
                fields.remove("genome");
                fields.remove("labels");
            }
            assert_eq!(before, after);
            // What is not given stays.
            let kept = redress(&dressed, &Settings::default()).expect("a page");
            assert!(kept == dressed);
            let renamed = Settings {
                labels: [(7, "another".to_owned())].into(),
                ..Settings::default()
            };
            let renamed = about(&redress(&dressed, &renamed).expect("a page"));
            assert_eq!(renamed["labels"]["7"], "another");
            assert_eq!(renamed["genome"], "chm13");
        },
    );
}
