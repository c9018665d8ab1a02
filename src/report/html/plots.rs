//! The plots of a page that needs no script.

use super::Page;
use super::svg::{Series, Words, bars, histogram, scatter};
use crate::report::table::{Table, Values};
use crate::stats::evidence::summary::{Procedure, Scope, claimed_atoms};
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
const SUPPORT: &str = "How many atoms fire on how many calls. Atoms left of the line fire on too few calls to \
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
    let sides = Sides::of(page, extended);
    let mut panels = vec![
        panel(
            "volcano",
            "Effect and certainty of every atom",
            VOLCANO,
            volcano(extended, &sides),
        ),
        panel(
            "crude",
            "On all calls, and within strata",
            CRUDE,
            crude(extended, &sides),
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

/// Atoms by whether they hold within strata, and to which side they lean there.
struct Sides {
    /// 0 of an atom that does not hold, 1 to true calls, 2 to false ones.
    of: Vec<usize>,
}

impl Sides {
    fn of(page: &Page<'_>, extended: &ExtendedTables) -> Self {
        let strictest = page
            .summary
            .extended
            .as_ref()
            .map(|findings| findings.strictest);
        let strictest = strictest.unwrap_or(Procedure::Holm);
        let claimed = claimed_atoms(extended).into_iter();
        let mut claimed = claimed.filter(|(procedure, scope, _)| {
            *procedure == strictest && *scope == Scope::WithinStrata
        });
        let claimed = claimed
            .next()
            .map(|(_, _, atoms)| atoms)
            .unwrap_or_default();
        let side = |(atom, is_claimed): (usize, bool)| {
            let atom = extended.atoms.get(atom);
            let within = atom.and_then(|atom| atom.stratified.ln_odds_ratio);
            let crude = || atom.and_then(|atom| atom.log_odds).map(|log| log.value);
            match within.or_else(crude) {
                Some(log) if is_claimed => 1 + usize::from(log < 0.0),
                _ => 0,
            }
        };
        Self {
            of: claimed.into_iter().enumerate().map(side).collect(),
        }
    }

    /// Series of the points of some atoms.
    fn series(&self, points: impl Iterator<Item = (usize, [f64; 2])>) -> Vec<Series> {
        let mut series = ["none", "tp", "fp"].map(|class| Series {
            class,
            points: Vec::new(),
        });
        for (atom, point) in points {
            let side = self.of.get(atom).copied().unwrap_or(0);
            if let Some(series) = series.get_mut(side) {
                series.points.push(point);
            }
        }
        series.into()
    }
}

fn volcano(extended: &ExtendedTables, sides: &Sides) -> String {
    let atoms = extended.atoms.iter().enumerate();
    let points = atoms.filter_map(|(atom, counts)| {
        extended.fisher.bh.get(atom).copied().flatten()?;
        Some((atom, [counts.log_odds?.value, counts.fisher.p.neg_log10()]))
    });
    let words = Words {
        title: "Effect and certainty of every atom",
        about: VOLCANO,
        x: "log odds ratio: false calls ← → true calls",
        y: "−log₁₀ p",
    };
    scatter(&words, &sides.series(points), false)
}

fn crude(extended: &ExtendedTables, sides: &Sides) -> String {
    let atoms = extended.atoms.iter().enumerate();
    let points = atoms.filter_map(|(atom, counts)| {
        extended
            .fisher
            .bh
            .get(atom)
            .copied()
            .flatten()
            .filter(|p| p.p() < 0.05)?;
        Some((
            atom,
            [counts.log_odds?.value, counts.stratified.ln_odds_ratio?],
        ))
    });
    let words = Words {
        title: "On all calls, and within strata",
        about: CRUDE,
        x: "log odds ratio on all calls",
        y: "log odds ratio within strata",
    };
    scatter(&words, &sides.series(points), true)
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
    histogram(&words, ["none", "none"], &edges, &counts)
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
    histogram(&words, ["tp", "fp"], &edges, &counts)
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
    let mut series = ["none", "tp", "fp"].map(|class| Series {
        class,
        points: Vec::new(),
    });
    for ((&x, &y), replicated) in x.iter().zip(y).zip(replicated) {
        if x.is_finite() && y.is_finite() {
            let side = if *replicated == Some(true) {
                1 + usize::from(x < 0.0)
            } else {
                0
            };
            if let Some(series) = series.get_mut(side) {
                series.points.push([x, y]);
            }
        }
    }
    let words = Words {
        title: "Replication",
        about: REPLICATION,
        x: "log odds ratio, discovery",
        y: "log odds ratio, confirmation",
    };
    scatter(&words, &series, true)
}
