//! The plots of a page that needs no script.

mod ranges;
mod words;

use super::Page;
use super::svg::{CROSS, Series, Words, bars, histogram, scatter};
use crate::report::points::{self, Side, Sides};
use crate::report::table::{Table, Values};
use crate::stats::evidence::{CallFacts, Category, ExtendedTables, Within};
use words::{
    CHROMOSOMES, CRUDE, MAP, PREDICTION, REGIONS, REPLICATION, SIZES, SUPPORT, TYPES, VOLCANO,
};

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

impl Panel {
    fn new(id: &'static str, words: &Words<'static>, svg: String) -> Self {
        Self {
            id,
            title: words.title,
            about: words.about,
            svg,
        }
    }
}

/// A point of a picture of atoms: the side to which the atom leans, and its place.
pub(super) type Point = (Side, [f64; 2]);

/// All panels, in their order: two of about one height stand beside each other.
pub(super) fn panels(page: &Page<'_>, facts: Option<&CallFacts>) -> Vec<Panel> {
    let Some(extended) = page.extended else {
        return Vec::new();
    };
    let sides = Sides::of(page.summary, extended);
    let atoms = 0..extended.atoms.len();
    let point = |place: fn(&ExtendedTables, usize) -> Option<[f64; 2]>| {
        move |atom: usize| place(extended, atom)
    };
    let (volcano, crude) = (point(points::volcano), point(points::crude_and_within));
    let sided = |atom: usize, place: Option<[f64; 2]>| Some((sides.side(atom), place?));
    let is_flipped = |atom: &usize| extended.within.get(*atom) == Some(&Some(Within::Paradox));
    let flips = atoms.clone().filter(is_flipped).filter_map(crude).collect();
    let mut panels = of_atoms(
        atoms.clone().filter_map(|atom| sided(atom, volcano(atom))),
        atoms.filter_map(|atom| sided(atom, crude(atom))),
        flips,
    );
    let fires = extended.atoms.iter().map(|atom| atom.table.fires());
    panels.push(support(fires, extended.options.min_support));
    if let Some(facts) = facts {
        panels.push(Panel::new("sizes", &SIZES, sizes(facts)));
        let svg = categories(&CHROMOSOMES, &facts.chromosomes.list);
        panels.push(Panel::new("chromosomes", &CHROMOSOMES, svg));
    }
    if extended.pairs.is_some() {
        panels.push(Panel::new("map", &MAP, String::new()));
    }
    let [replication, regions, prediction] = [REPLICATION_TABLE, REGIONS_TABLE, PREDICTION_TABLE]
        .map(|of_table| of_table.panel(page.tables));
    panels.extend(replication);
    let types = categories(&TYPES, &extended.types.categories);
    panels.push(Panel::new("types", &TYPES, types));
    panels.extend(regions);
    panels.extend(prediction);
    panels
}

/// The picture of a table: its name, its words, and what draws it where it has something to show.
#[derive(Clone, Copy)]
struct OfTable(
    &'static str,
    &'static Words<'static>,
    fn(&Table) -> Option<String>,
);

const REPLICATION_TABLE: OfTable = OfTable("replication", &REPLICATION, |table| {
    Some(replication(table))
});
const REGIONS_TABLE: OfTable = OfTable("regions", &REGIONS, ranges::regions);
const PREDICTION_TABLE: OfTable = OfTable("prediction", &PREDICTION, ranges::prediction);

impl OfTable {
    fn panel(self, tables: &[Table]) -> Option<Panel> {
        let Self(id, words, draw) = self;
        let table = tables.iter().find(|table| table.name == id);
        table.and_then(draw).map(|svg| Panel::new(id, words, svg))
    }
}

/// Panels of those of these tables that have one.
pub(super) fn of_tables(tables: &[Table]) -> impl Iterator<Item = Panel> {
    let all = [REPLICATION_TABLE, REGIONS_TABLE, PREDICTION_TABLE];
    all.into_iter()
        .filter_map(|of_table| of_table.panel(tables))
}

/// Panels of the calls of types and of chromosomes: name, true ones, false ones.
pub(super) fn of_calls(
    types: &[(String, u64, u64)],
    chromosomes: &[(String, u64, u64)],
) -> Vec<Panel> {
    let all = [
        ("types", &TYPES, types),
        ("chromosomes", &CHROMOSOMES, chromosomes),
    ];
    let some = all.into_iter().filter(|(.., list)| !list.is_empty());
    some.map(|(id, words, list)| Panel::new(id, words, bars(words, list)))
        .collect()
}

/// The panel of how often atoms fire, of which each fires on so many calls; from `min_support` on they are
/// tested.
pub(super) fn support(fires: impl Iterator<Item = u64>, min_support: u64) -> Panel {
    Panel::new("support", &SUPPORT, by_support(fires, min_support))
}

/// The panels of single atoms; `flips` are the places of those that change sides within strata.
pub(super) fn of_atoms(
    volcano: impl Iterator<Item = Point>,
    crude: impl Iterator<Item = Point>,
    flips: Vec<[f64; 2]>,
) -> Vec<Panel> {
    let volcano = points_of(&VOLCANO, volcano, Vec::new(), false);
    let crude = points_of(&CRUDE, crude, flips, true);
    vec![
        Panel::new("volcano", &VOLCANO, volcano),
        Panel::new("crude", &CRUDE, crude),
    ]
}

/// A scatter of points in the colours of their sides, with crosses over some.
fn points_of(
    words: &Words<'_>,
    points: impl Iterator<Item = Point>,
    crosses: Vec<[f64; 2]>,
    has_diagonal: bool,
) -> String {
    let mut series = ["none", "tp", "fp"].map(Series::empty);
    for (side, point) in points {
        series[side as usize].points.push(point);
    }
    let mut series = Vec::from(series);
    if !crosses.is_empty() {
        series.push(Series {
            class: CROSS,
            points: crosses,
        });
    }
    scatter(words, &series, has_diagonal)
}

/// Atoms by how often they fire, in steps of a factor of two.
fn by_support(all: impl Iterator<Item = u64>, min_support: u64) -> String {
    let mut counts = Vec::<[u64; 2]>::new();
    for fires in all {
        let bin = match fires {
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
    // Bin b begins at 2^(b-1) calls.
    let least = min_support.max(1) as f64;
    let limit = Some(1.0 + libm::log2(least)).filter(|&limit| limit < counts.len() as f64);
    histogram(&SUPPORT, ["none", "none"], &edges, &counts, limit)
}

fn categories(words: &Words<'_>, list: &[Category]) -> String {
    let list = list
        .iter()
        .map(|category| (category.name.clone(), category.tp, category.fp));
    bars(words, &list.collect::<Vec<_>>())
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
    histogram(&SIZES, ["tp", "fp"], &edges, &counts, None)
}

fn replication(table: &Table) -> String {
    let replicated = match table.column("replicated").map(|column| &column.values) {
        Some(Values::Bool(values)) => values.as_slice(),
        _ => &[],
    };
    let [x, y] =
        ["discovery_cmh_log_or", "confirmation_cmh_log_or"].map(|name| table.numbers(name));
    let points = x.iter().zip(&y).zip(replicated);
    let points = points.filter(|((x, y), _)| x.is_finite() && y.is_finite());
    let points = points.map(|((&x, &y), replicated)| {
        let is_sure = *replicated == Some(true);
        (Side::of(is_sure, Some(x)), [x, y])
    });
    points_of(&REPLICATION, points, Vec::new(), true)
}
