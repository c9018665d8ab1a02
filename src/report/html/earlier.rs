//! A page of results of which only tables are left: no counts by stratum, no firing sets.

use std::fmt::Write;

use serde_json::json;

use super::cards::{BINS, CHUNK};
use super::columns::{self, Island, Piece};
use super::data::{self, Data};
use super::earlier_atoms::{Claims, median, numbers, strongest};
use super::escape::{short, text};
use super::frame::Parts;
use super::layout;
use super::neighbours::Neighbour;
use super::plots::{self, Panel};
use super::{PAGE_FORMAT, Settings, cards};
use crate::report::table::Table;
use crate::stats::evidence::LEVEL;

/// Tables of earlier results.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earlier {
    /// The tables; the first one is `atoms`.
    pub tables: Vec<Table>,
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

/// The scopes of procedures, with the titles of their claims.
const SCOPES: [(&str, &str); 2] = [
    ("within_strata", layout::WITHIN_STRATA),
    ("all_calls", layout::ALL_CALLS),
];

impl Earlier {
    /// Makes the page. The same tables give the same bytes. `None` without a table of atoms that has
    /// counts.
    pub fn page(&self, settings: &Settings) -> Option<String> {
        let atoms = self.tables.first().filter(|table| table.name == "atoms")?;
        let [tp, fp] = calls(atoms)?;
        let claims = Claims::of(atoms);
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

    fn data(
        &self,
        atoms: &Table,
        [tp, fp]: [u64; 2],
        claims: &Claims,
        settings: &Settings,
    ) -> Data {
        let count = atoms.rows();
        let mut pieces = Vec::new();
        let mut tables = Vec::new();
        for table in &self.tables {
            let (about, of_table) = columns::table(table);
            tables.push(about);
            pieces.extend(of_table);
        }
        let (width, bytes) = super::pack::whole(&claims.bits);
        pieces.push(Piece::new("claims", bytes));
        let (first, lengths, mut later) = data::first(pieces, &tables);
        later.extend(self.cards(atoms));
        let mut about = json!({
            "page": PAGE_FORMAT,
            "version": env!("CARGO_PKG_VERSION"),
            "atoms": count,
            "tp": tp,
            "fp": fp,
            "min_support": self.min_support.unwrap_or(0),
            "log_or_median": median(atoms),
            "scheme": [false, false, false],
            "strata": [[null, null, null, tp, fp]],
            "chromosomes": null,
            "sizes": null,
            "has_scores": false,
            "has_firings": false,
            "chunk": CHUNK,
            "bins": BINS,
            "top": 0,
            "notebook": [[], []],
            "summary": {"extended": {"strictest": claims.strictest, "claims": claims.counts, "strongest": []}},
            "tables": tables,
            "claims": {"w": width, "i": "claims", "names": claims.names},
            "first": lengths,
            "examples": 0,
            "map": null,
            "directions": null,
            "types": self.types.iter().map(|(name, tp, fp)| json!([short(name), tp, fp])).collect::<Vec<_>>(),
            "of_chromosomes": self.chromosomes.iter().map(|(name, tp, fp)| json!([short(name), tp, fp])).collect::<Vec<_>>(),
        });
        if let Some(fields) = about.as_object_mut() {
            fields.extend(data::settings(settings));
        }
        Data {
            about,
            first,
            later,
        }
    }

    fn cards(&self, atoms: &Table) -> Vec<Island> {
        let [tp, fp] = ["tp_on", "fp_on"].map(|name| numbers(atoms, name));
        let starts = (0..atoms.rows()).step_by(CHUNK);
        let islands = starts.map(|start| {
            let chunk = start..atoms.rows().min(start + CHUNK);
            // One stratum, all calls, of each atom that fires.
            let mut arrays = vec![Vec::new(); 4];
            for atom in chunk.clone() {
                let [tp, fp] = [&tp, &fp].map(|of| of.get(atom).copied().unwrap_or(0.0) as u32);
                arrays[0].push(u32::from(tp + fp > 0));
                if tp + fp > 0 {
                    arrays[1].push(0);
                    arrays[2].push(tp);
                    arrays[3].push(fp);
                }
            }
            arrays.extend(vec![Vec::new(); 11]);
            arrays.extend(cards::of_neighbours(self.neighbours.get(chunk)));
            arrays.extend(vec![Vec::new(); 3]);
            let bytes = super::pack::sections(&arrays);
            Piece::new(format!("cards-{}", start / CHUNK), bytes).pack()
        });
        islands.collect()
    }

    fn findings(&self, [tp, fp]: [u64; 2], claims: &Claims) -> String {
        let mut html = "<ul class=\"findings\">\n".to_owned();
        // The printed report begins with what holds, a title and a line before it.
        let printed: Vec<&str> = self
            .report
            .lines()
            .skip(2)
            .take_while(|line| !line.trim().is_empty())
            .collect();
        let own = [
            format!("{} calls: {tp} true (TP) and {fp} false (FP).", tp + fp),
            "The printed report is not beside the tables: this page has counts of atoms alone."
                .to_owned(),
        ];
        let own = own.iter().map(String::as_str);
        let lines = if printed.is_empty() {
            own.collect()
        } else {
            printed
        };
        for line in lines {
            let _ = writeln!(html, "<li>{}</li>", text(line));
        }
        html += "</ul>\n";
        for (scope, title) in SCOPES {
            let _ = writeln!(html, "<h3>{title}</h3>\n<ol class=\"claims\">");
            for claim in claims.counts.iter().filter(|claim| claim["scope"] == scope) {
                let procedure = claim["procedure"].as_str().unwrap_or_default();
                let _ = writeln!(
                    html,
                    "<li><strong class=\"number\">{}</strong> <span class=\"by\">{}</span><p>atoms that it claims, \
                     at {} %</p></li>",
                    claim["atoms"],
                    text(&procedure.replace('_', " ")),
                    100.0 * LEVEL
                );
            }
            html += "</ol>\n";
        }
        html += "<h3>Not in this page</h3>\n<ul class=\"cautions\">\n";
        for sentence in &self.missing {
            let _ = writeln!(html, "<li>{}</li>", text(sentence));
        }
        html + "</ul>\n"
    }

    fn panels(&self, atoms: &Table, claims: &Claims) -> Vec<Panel> {
        let columns = ["log_or", "neg_log10_p", "cmh_or", "fdr_bh"];
        let [log, certainty, within, fdr] = columns.map(|name| numbers(atoms, name));
        let strictest = claims.names.iter().position(|name| {
            name["scope"] == "within_strata" && name["procedure"] == claims.strictest
        });
        let side = |atom: usize| {
            let bits = claims.bits.get(atom).copied().unwrap_or(0);
            let is_claimed = strictest.is_some_and(|place| bits >> place & 1 == 1);
            let is_low = within.get(atom).is_some_and(|&odds| odds < 1.0);
            usize::from(is_claimed) * (1 + usize::from(is_low))
        };
        let at = |of: &[f64], atom: usize| of.get(atom).copied().unwrap_or(f64::NAN);
        let all = 0..atoms.rows();
        let volcano = all.clone().map(|atom| {
            let is_tested = !at(&fdr, atom).is_nan();
            let y = if is_tested {
                at(&certainty, atom)
            } else {
                f64::NAN
            };
            (side(atom), [at(&log, atom), y])
        });
        let crude = all.filter(|&atom| at(&fdr, atom) < 0.05).map(|atom| {
            let y = libm::log(at(&within, atom));
            let y = if y.is_finite() { y } else { f64::NAN };
            (side(atom), [at(&log, atom), y])
        });
        plots::of_tables(volcano, crude, &self.types, &self.chromosomes)
    }
}

/// True and false calls: those on which an atom fires and those on which it does not.
fn calls(atoms: &Table) -> Option<[u64; 2]> {
    let first = |name: &str| numbers(atoms, name).first().map(|&count| count as u64);
    Some([
        first("tp_on")? + first("tp_off")?,
        first("fp_on")? + first("fp_off")?,
    ])
}
