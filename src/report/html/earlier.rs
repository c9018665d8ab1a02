//! A page of results of which only tables are left: no counts by stratum, no firing sets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Settings;
use super::about::{About, categories};
use super::cards::Cards;
use super::columns::{self, Piece};
use super::data::{self, Data};
use super::earlier_atoms::{Claims, median, strongest};
use super::frame::Parts;
use super::layout;
use super::neighbours::Neighbour;
use super::plots::{self, Panel};
use crate::report::points::Side;
use crate::report::table::{Table, Values};
use crate::stats::evidence::LEVEL;
use crate::stats::evidence::summary::Scope;

/// Tables of earlier results.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earlier {
    /// The tables; the first one is `atoms`.
    pub tables: Vec<Table>,
    /// What each of these tables says of itself.
    pub meanings: Vec<Meaning>,
    /// The calls of each SV type, and of each chromosome: name, true ones, false ones.
    pub types: Vec<(String, u64, u64)>,
    /// The same of chromosomes.
    pub chromosomes: Vec<(String, u64, u64)>,
    /// The atoms that fire with each atom, the nearest first; empty where pairs are not known.
    pub neighbours: Vec<Vec<Neighbour>>,
    /// The fewest calls on which a tested atom fires, where it is known.
    pub min_support: Option<u64>,
    /// The printed report; empty where it is not there.
    pub report: String,
    /// Sentences on what is not there.
    pub missing: Vec<String>,
}

/// What a table of earlier results says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The content of the table, and the meaning of one row.
    pub table: Option<String>,
    /// The meaning of each column, by its name.
    pub columns: BTreeMap<String, String>,
}

impl Meaning {
    /// Puts its words into the description of the table.
    fn tell(&self, described: &mut Value) {
        if let Some(about) = &self.table {
            described["about"] = json!(about);
        }
        for column in described["columns"].as_array_mut().into_iter().flatten() {
            let name = column["n"].as_str().unwrap_or_default();
            if let Some(about) = self.columns.get(name) {
                column["a"] = json!(about);
            }
        }
    }
}

impl Earlier {
    /// Makes the page. The same tables give the same bytes. `None` without a table of atoms that has
    /// counts.
    pub fn page(&self, settings: &Settings) -> Option<String> {
        let atoms = self.tables.first().filter(|table| table.name == "atoms")?;
        let [tp, fp] = calls(atoms)?;
        let mut claims = Claims::of(atoms);
        if let Some(replication) = self.table("replication") {
            claims.add_replicated(replication);
        }
        let data = self.data(atoms, [tp, fp], &claims, settings);
        let findings = self.findings([tp, fp], &claims);
        let panels = self.panels(atoms, &claims);
        let strongest = strongest(atoms);
        let parts = Parts {
            findings: &findings,
            panels: &panels,
            atoms: &strongest,
            report: &self.report,
            data: Some(&data),
        };
        Some(parts.page())
    }

    fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    fn data(
        &self,
        atoms: &Table,
        [tp, fp]: [u64; 2],
        claims: &Claims,
        settings: &Settings,
    ) -> Data {
        let mut pieces = Vec::new();
        let mut tables = Vec::new();
        for (number, table) in self.tables.iter().enumerate() {
            let (mut described, of_table) = columns::table(table);
            if let Some(meaning) = self.meanings.get(number) {
                meaning.tell(&mut described);
            }
            tables.push(described);
            pieces.extend(of_table);
        }
        let (width, bytes) = super::pack::whole(&claims.bits);
        pieces.push(Piece::new("claims", bytes));
        let (first, lengths, mut later) = data::first(pieces, &tables);
        later.extend(Cards::of_counts(&fires(atoms), &self.neighbours));
        let calls_of = |list: &[(String, u64, u64)]| {
            Some(categories(
                list.iter().map(|(name, tp, fp)| (&**name, *tp, *fp)),
            ))
        };
        let about = About {
            identity: super::pack::identity(&first.text),
            min_support: self.min_support.unwrap_or(0),
            log_or_median: median(atoms),
            summary: json!({"extended": {"strictest": claims.strictest, "claims": claims.counts(), "strongest": []}}),
            tables,
            claims: json!({"w": width, "i": "claims", "names": claims.names()}),
            first: lengths,
            types: calls_of(&self.types),
            of_chromosomes: calls_of(&self.chromosomes),
            ..About::of_counts(atoms.rows(), [tp, fp], settings)
        };
        Data {
            about,
            first,
            later,
        }
    }

    fn findings(&self, [tp, fp]: [u64; 2], claims: &Claims) -> String {
        // The printed report begins with what holds, a title and a line before it.
        let printed = self.report.lines().skip(2);
        let mut lines: Vec<String> = printed
            .take_while(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
        if lines.is_empty() {
            lines =
                vec![
                format!("{} calls: {tp} true (TP) and {fp} false (FP).", tp.saturating_add(fp)),
                "The printed report is not beside the tables: this page has counts of atoms alone."
                    .to_owned(),
            ];
        }
        let mut html = String::new();
        layout::sentences(&mut html, lines.iter().map(String::as_str));
        for scope in [Scope::WithinStrata, Scope::AllCalls] {
            let of_scope = claims.list.iter().filter(|claim| claim.scope == scope);
            let cards = of_scope.map(|claim| {
                let (name, meaning) = layout::procedure(claim.procedure);
                (claim.atoms, name, meaning)
            });
            layout::claims(&mut html, scope, cards);
        }
        layout::warned(&mut html, "Not in this page", self.missing.iter().cloned());
        html
    }

    fn panels(&self, atoms: &Table, claims: &Claims) -> Vec<Panel> {
        let columns = ["log_or", "neg_log10_p", "cmh_or", "fdr_bh"];
        let [log, certainty, within, fdr] = columns.map(|name| atoms.numbers(name));
        let at = |of: &[f64], atom: usize| of.get(atom).copied().unwrap_or(f64::NAN);
        let lean = |atom: usize| match libm::log(at(&within, atom)) {
            unknown if unknown.is_nan() => at(&log, atom),
            known => known,
        };
        let side = |atom: usize| Side::of(claims.is_sure(atom), Some(lean(atom)));
        let all = 0..atoms.rows();
        let is_tested = |atom: &usize| !at(&fdr, *atom).is_nan();
        let volcano = all.clone().filter(is_tested);
        let volcano = volcano.map(|atom| (side(atom), [at(&log, atom), at(&certainty, atom)]));
        let place = |atom: usize| [at(&log, atom), libm::log(at(&within, atom))];
        let is_shown = |atom: &usize| at(&fdr, *atom) < LEVEL && place(*atom)[1].is_finite();
        let crude = all.clone().filter(is_shown);
        let flips = match atoms.column("sign_flip").map(|column| &column.values) {
            Some(Values::Bool(values)) => values.as_slice(),
            _ => &[],
        };
        let is_flipped = |atom: &usize| flips.get(*atom) == Some(&Some(true));
        let flips = all.filter(is_flipped).filter(is_shown).map(place);
        let mut panels = plots::of_atoms(
            volcano,
            crude.map(|atom| (side(atom), place(atom))),
            flips.collect(),
        );
        let each = fires(atoms).into_iter().map(|[tp, fp]| tp + fp);
        panels.push(plots::support(each, self.min_support.unwrap_or(0)));
        panels.extend(plots::of_calls(&self.types, &self.chromosomes));
        panels.extend(plots::of_tables(&self.tables));
        panels
    }
}

/// The true and the false calls on which each atom fires.
fn fires(atoms: &Table) -> Vec<[u64; 2]> {
    let [tp, fp] = ["tp_on", "fp_on"].map(|name| atoms.numbers(name));
    let both = tp.into_iter().zip(fp);
    both.map(|(tp, fp)| [tp as u64, fp as u64]).collect()
}

/// True and false calls: those on which an atom fires and those on which it does not.
fn calls(atoms: &Table) -> Option<[u64; 2]> {
    let first = |name: &str| atoms.numbers(name).first().map(|&count| count as u64);
    Some([
        first("tp_on")?.saturating_add(first("tp_off")?),
        first("fp_on")?.saturating_add(first("fp_off")?),
    ])
}
