//! Golden files, and how far a figure may be from them.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

/// One line of a golden file, by the names of its columns.
pub(crate) struct Line(BTreeMap<String, String>);

impl Line {
    pub(crate) fn text(&self, column: &str) -> &str {
        self.0
            .get(column)
            .unwrap_or_else(|| panic!("no column {column}"))
    }

    /// The value, unless the file says that there is none.
    pub(crate) fn get<T: FromStr>(&self, column: &str) -> Option<T> {
        let text = self.text(column);
        let parse = || text.parse().unwrap_or_else(|_| panic!("{column}: {text}"));
        (text != "none").then(parse)
    }

    pub(crate) fn must<T: FromStr>(&self, column: &str) -> T {
        self.get(column)
            .unwrap_or_else(|| panic!("{column} is none"))
    }

    pub(crate) fn list(&self, column: &str) -> Vec<f64> {
        let numbers = self.text(column).split(' ');
        numbers.map(|text| text.parse().unwrap()).collect()
    }
}

/// The lines of a golden file; never few.
pub(crate) fn golden(name: &str) -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/association");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let cut = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines().map(cut);
    let columns = lines.next().unwrap();
    let lines: Vec<_> = lines
        .map(|line| {
            assert_eq!(line.len(), columns.len(), "{name}: {line:?}");
            Line(columns.iter().cloned().zip(line).collect())
        })
        .collect();
    assert!(lines.len() > 10, "{name} is nearly empty");
    lines
}

/// The largest distances seen, by what was compared.
#[derive(Default)]
pub(crate) struct Distances(BTreeMap<&'static str, (f64, usize)>);

impl Distances {
    /// Relative distance of two numbers.
    pub(crate) fn number(&mut self, what: &'static str, found: f64, expected: f64, limit: f64) {
        let distance = if found == expected {
            0.0
        } else {
            ((found - expected) / expected).abs()
        };
        self.note(what, distance, limit, found, expected);
    }

    /// As [`number`](Self::number), where an interval's end or a statistic may be 0 by
    /// cancellation: relative to its size and `scale`.
    pub(crate) fn scaled(
        &mut self,
        what: &'static str,
        (found, expected): (f64, f64),
        scale: f64,
        limit: f64,
    ) {
        let distance = if found == expected {
            0.0
        } else {
            (found - expected).abs() / expected.abs().max(scale)
        };
        self.note(what, distance, limit, found, expected);
    }

    /// Distance of two logarithms of p: that of p where p is above 10⁻³⁰⁰, that of `ln p` beyond.
    pub(crate) fn ln_p(&mut self, what: &'static str, found: f64, expected: f64, limit: f64) {
        let distance = if found == expected {
            0.0
        } else if expected > -690.0 {
            (found - expected).abs()
        } else {
            ((found - expected) / expected).abs()
        };
        self.note(what, distance, limit, found, expected);
    }

    /// Distance of a library's p-value; if it has none, there is nothing to compare.
    pub(crate) fn library_p(&mut self, what: &'static str, ln_found: f64, expected: Option<f64>) {
        if let Some(expected) = expected {
            self.number(what, ln_found.exp(), expected, 1e-10);
        }
    }

    fn note(&mut self, what: &'static str, distance: f64, limit: f64, found: f64, expected: f64) {
        assert!(
            distance <= limit,
            "{what}: {found:e}, expected {expected:e}: {distance:e} apart"
        );
        let (worst, compared) = self.0.entry(what).or_default();
        *worst = worst.max(distance);
        *compared += 1;
    }

    /// Prints the distances, and holds that enough was compared for each.
    pub(crate) fn finish(self, at_least: usize) {
        for (what, (worst, compared)) in self.0 {
            println!("{what}: {worst:.1e} at most, of {compared}");
            assert!(compared >= at_least, "{what}: only {compared} compared");
        }
    }
}
