//! The plots of a page that needs no script.

use super::Page;
use super::svg::{Series, Words, bars, histogram, scatter};
use crate::report::points::{self, Sides};
use crate::report::table::{Table, Values};
use crate::stats::evidence::{CallFacts, Category, ExtendedTables};

/// A panel of the page.
pub(super) struct Panel {
    /// Its name for scripts and links.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// The meaning of the picture, in two or three sentences.
    pub(super) about: &'static str,
    /// The picture; empty where only a script draws it.
    pub(super) svg: String,
}

const VOLCANO: &str = "One point an atom: how far it leans (odds ratio of firing, true against false \
    calls, all calls at once) and how sure that is (Fisher's exact test). Right of the middle an atom fires more \
    on true calls, left of it more on false calls. Coloured atoms hold within strata too, by the strictest \
    procedure.";
const CRUDE: &str = "One point an atom with an association at a false discovery rate of 5 %: its odds ratio on all \
    calls against its odds ratio within strata. On the diagonal, type, size and dataset explain nothing; near the \
    horizontal line they explain all; in the upper left and lower right the atom leans to the other side within \
    strata (Simpson's paradox).";
const SUPPORT: &str = "How many atoms fire on how many calls. Atoms left of the dashed line fire on too few calls to \
    be tested.";
const TYPES: &str = "True and false calls of each SV type. Atoms that fire on one type look as if they went with the \
    label where types differ in their share of true calls: hence the strata.";
const SIZES: &str = "True and false calls by size, |SVLEN| in base pairs, on a logarithmic scale.";
const CHROMOSOMES: &str = "True and false calls of each chromosome.";
const MAP: &str = "The strongest atoms, and how often every two of them fire together (correlation φ of their \
    firing). Atoms that fire together stand together (average linkage), so a block is a group that says one thing.";
const REPLICATION: &str = "Every atom that is tested in both parts of the cohort: its odds ratio within strata in the \
    part where it was discovered, and in the part that confirms. Points on the diagonal agree; points in the upper \
    left and lower right change sides.";

/// All panels, in their order.
pub(super) fn panels(page: &Page<'_>, facts: Option<&CallFacts>) -> Vec<Panel> {
    let Some(extended) = page.extended else {
        return Vec::new();
    };
    let panel = |id, title, about, svg| Panel {
        id,
        title,
        about,
        svg,
    };
    let sides = Sides::of(page.summary, extended);
    let mut panels = vec![
        panel(
            "volcano",
            "Effect and certainty of every atom",
            VOLCANO,
            sided(extended, &sides, &VOLCANO_WORDS, points::volcano, false),
        ),
        panel(
            "crude",
            "On all calls, and within strata",
            CRUDE,
            sided(
                extended,
                &sides,
                &CRUDE_WORDS,
                points::crude_and_within,
                true,
            ),
        ),
        panel(
            "support",
            "How often atoms fire",
            SUPPORT,
            support(extended),
        ),
        panel(
            "types",
            "SV types",
            TYPES,
            categories("SV types", TYPES, &extended.types.categories),
        ),
    ];
    if let Some(facts) = facts {
        panels.push(panel("sizes", "Sizes", SIZES, sizes(facts)));
        let svg = categories("Chromosomes", CHROMOSOMES, &facts.chromosomes.list);
        panels.push(panel("chromosomes", "Chromosomes", CHROMOSOMES, svg));
    }
    if extended.pairs.is_some() {
        panels.push(panel("map", "Atoms that fire together", MAP, String::new()));
    }
    if let Some(table) = page.tables.iter().find(|table| table.name == "replication") {
        panels.push(panel(
            "replication",
            "Replication",
            REPLICATION,
            replication(table),
        ));
    }
    panels
}

/// A scatter of the atoms that have a place, in the colours of their sides.
fn sided(
    extended: &ExtendedTables,
    sides: &Sides,
    words: &Words<'_>,
    place: fn(&ExtendedTables, usize) -> Option<[f64; 2]>,
    has_diagonal: bool,
) -> String {
    let atoms = 0..extended.atoms.len();
    let points = atoms.filter_map(|atom| Some((sides.side(atom) as usize, place(extended, atom)?)));
    points_of(words, points, has_diagonal)
}

const VOLCANO_WORDS: Words<'static> = Words {
    title: "Effect and certainty of every atom",
    about: VOLCANO,
    x: "log odds ratio: false calls ← → true calls",
    y: "−log₁₀ p",
};

const CRUDE_WORDS: Words<'static> = Words {
    title: "On all calls, and within strata",
    about: CRUDE,
    x: "log odds ratio on all calls",
    y: "log odds ratio within strata",
};

/// Panels of earlier results. Of points the series that they are in comes first: 0 none, 1 true calls,
/// 2 false ones. Calls of types and chromosomes: name, true ones, false ones.
pub(super) fn of_tables(
    volcano: impl Iterator<Item = (usize, [f64; 2])>,
    crude: impl Iterator<Item = (usize, [f64; 2])>,
    types: &[(String, u64, u64)],
    chromosomes: &[(String, u64, u64)],
) -> Vec<Panel> {
    let panel = |id, words: &Words<'static>, svg| Panel {
        id,
        title: words.title,
        about: words.about,
        svg,
    };
    let mut panels = vec![
        panel(
            "volcano",
            &VOLCANO_WORDS,
            points_of(&VOLCANO_WORDS, volcano, false),
        ),
        panel("crude", &CRUDE_WORDS, points_of(&CRUDE_WORDS, crude, true)),
    ];
    for (id, title, about, list) in [
        ("types", "SV types", TYPES, types),
        ("chromosomes", "Chromosomes", CHROMOSOMES, chromosomes),
    ] {
        let words = Words {
            title,
            about,
            x: "",
            y: "",
        };
        if !list.is_empty() {
            panels.push(panel(id, &words, bars(&words, list)));
        }
    }
    panels
}

/// A scatter of points, each with its place in the three series.
fn points_of(
    words: &Words<'_>,
    points: impl Iterator<Item = (usize, [f64; 2])>,
    has_diagonal: bool,
) -> String {
    let mut series = ["none", "tp", "fp"].map(Series::empty);
    for (side, point) in points {
        if let Some(series) = series.get_mut(side) {
            series.points.push(point);
        }
    }
    scatter(words, &series, has_diagonal)
}

/// Atoms by how often they fire, in steps of a factor of two.
fn support(extended: &ExtendedTables) -> String {
    let mut counts = Vec::<[u64; 2]>::new();
    for atom in &extended.atoms {
        let bin = match atom.table.fires() {
            0 => 0,
            fires => 1 + fires.ilog2() as usize,
        };
        if counts.len() <= bin {
            counts.resize(bin + 1, [0, 0]);
        }
        if let Some([all, _]) = counts.get_mut(bin) {
            *all += 1;
        }
    }
    let edge = |bin: usize| match bin.checked_sub(1).map(|power| 1_u64 << power) {
        None => "0".to_owned(),
        Some(least) if least < 1000 => least.to_string(),
        Some(least) => format!("{}k", least / 1000),
    };
    let edges: Vec<String> = (0..counts.len()).map(edge).collect();
    let words = Words {
        title: "How often atoms fire",
        about: SUPPORT,
        x: "calls on which an atom fires, from",
        y: "atoms",
    };
    // Bin b begins at 2^(b-1) calls.
    let least = extended.options.min_support.max(1) as f64;
    let limit = Some(1.0 + libm::log2(least)).filter(|&limit| limit < counts.len() as f64);
    histogram(&words, ["none", "none"], &edges, &counts, limit)
}

fn categories(title: &str, about: &str, list: &[Category]) -> String {
    let list = list
        .iter()
        .map(|category| (category.name.clone(), category.tp, category.fp));
    bars(
        &Words {
            title,
            about,
            x: "",
            y: "",
        },
        &list.collect::<Vec<_>>(),
    )
}

/// Calls by size, four bins to a factor of ten: the power of ten of the first bin in quarters, and of each
/// bin its least size, true and false calls.
pub(super) fn sizes_of(facts: &CallFacts) -> (usize, Vec<(u64, u64, u64)>) {
    let mut counts = vec![[0, 0]; 36];
    for (size, is_tp) in facts.sizes.iter().zip(&facts.is_tp) {
        let bin = (libm::log10(*size) * 4.0).max(0.0) as usize;
        if let Some(count) = counts.get_mut(bin).filter(|_| !size.is_nan()) {
            count[usize::from(!is_tp)] += 1;
        }
    }
    let is_some = |count: &[u64; 2]| *count != [0, 0];
    let first = counts.iter().position(is_some).unwrap_or(0);
    let last = counts.iter().rposition(is_some).unwrap_or(0);
    let least = |bin: usize| libm::pow(10.0, bin as f64 / 4.0).ceil() as u64;
    let bins = counts.iter().enumerate().take(last + 1).skip(first);
    (
        first,
        bins.map(|(bin, [tp, fp])| (least(bin), *tp, *fp)).collect(),
    )
}

fn sizes(facts: &CallFacts) -> String {
    let (first, bins) = sizes_of(facts);
    let edge = |bin: usize| match bin % 4 {
        0 => (10_u64.pow(bin as u32 / 4)).to_string(),
        _ => String::new(),
    };
    let edges: Vec<String> = (first..first + bins.len()).map(edge).collect();
    let counts: Vec<[u64; 2]> = bins.iter().map(|(_, tp, fp)| [*tp, *fp]).collect();
    let words = Words {
        title: "Sizes",
        about: SIZES,
        x: "|SVLEN| in base pairs",
        y: "calls",
    };
    histogram(&words, ["tp", "fp"], &edges, &counts, None)
}

fn replication(table: &Table) -> String {
    let column = |name: &str| table.columns.iter().find(|column| column.name == name);
    let numbers = |name: &str| match column(name).map(|column| &column.values) {
        Some(Values::F64(values)) => values.as_slice(),
        _ => &[],
    };
    let replicated = match column("replicated").map(|column| &column.values) {
        Some(Values::Bool(values)) => values.as_slice(),
        _ => &[],
    };
    let [x, y] = ["discovery_cmh_log_or", "confirmation_cmh_log_or"].map(numbers);
    let points = x.iter().zip(y).zip(replicated);
    let points = points.filter(|((x, y), _)| x.is_finite() && y.is_finite());
    let points = points.map(|((&x, &y), replicated)| {
        let is_sure = *replicated == Some(true);
        (usize::from(is_sure) * (1 + usize::from(x < 0.0)), [x, y])
    });
    let words = Words {
        title: "Replication",
        about: REPLICATION,
        x: "log odds ratio, discovery",
        y: "log odds ratio, confirmation",
    };
    points_of(&words, points, true)
}
