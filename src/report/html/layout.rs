//! The page's frame, and its first layer: findings in words, tables and plots that need no script.

use std::fmt::Write;

use super::columns::Island;
use super::data::Data;
use super::escape::{self, text};
use super::pack::hash_source;
use super::plots::{self, Panel};
use super::{EARLY, Page, SCRIPT, STYLE};
use crate::cohort::Label;
use crate::report::text::Short;
use crate::report::text::words;
use crate::stats::evidence::CallFacts;
use crate::stats::evidence::summary::{
    AtomSummary, Claim, Findings, OddsWithin, Procedure, Ratio, Scope,
};

/// The whole page.
pub(super) fn page(page: &Page<'_>, facts: Option<&CallFacts>, data: Option<&Data>) -> String {
    let mut of_findings = String::new();
    findings(&mut of_findings, page);
    let mut of_atoms = String::new();
    if let Some(findings) = &page.summary.extended {
        strongest(&mut of_atoms, findings);
    }
    let parts = Parts {
        findings: &of_findings,
        panels: &plots::panels(page, facts),
        atoms: &of_atoms,
        report: page.report,
        data,
    };
    parts.page()
}

/// The parts of a page, as HTML where they are not said to be text.
pub(super) struct Parts<'a> {
    pub(super) findings: &'a str,
    pub(super) panels: &'a [Panel],
    /// Tables of the strongest atoms.
    pub(super) atoms: &'a str,
    /// The printed report, as text.
    pub(super) report: &'a str,
    pub(super) data: Option<&'a Data>,
}

impl Parts<'_> {
    pub(super) fn page(&self) -> String {
        let mut html = String::with_capacity(1 << 20);
        head(&mut html);
        html += "<body>\n<a class=\"skip\" href=\"#main\">Skip to the findings</a>\n<header><h1>atomscope</h1>\
                 <p class=\"lead\">Which atoms of a sparse autoencoder fire on true and on false \
                 structural-variant calls</p><nav id=\"nav\" aria-label=\"Sections\"><a href=\"#findings\">Findings\
                 </a> <a href=\"#pictures\">Pictures</a> <a href=\"#atoms\">Atoms</a> \
                 <a href=\"#text\">Printed report</a></nav></header>\n<main id=\"main\" tabindex=\"-1\">\n";
        html += "<p id=\"old\" class=\"note\"><noscript>This page works without scripts: findings, pictures and \
                 the strongest atoms are below. With scripts it also has every atom, a card for each, and \
                 search.</noscript></p>\n<section id=\"findings\" aria-labelledby=\"h-findings\">\
                 <h2 id=\"h-findings\">What holds</h2>\n";
        html += self.findings;
        html += "</section>\n";
        pictures(&mut html, self.panels);
        html += "<section id=\"atoms\" aria-labelledby=\"h-atoms\"><h2 id=\"h-atoms\">Atoms</h2>\n";
        html += self.atoms;
        html += "<div id=\"app-table\"></div><div id=\"app-print\"></div></section>\n\
                 <section id=\"app-card\" aria-live=\"polite\"></section>\n<section id=\"app-tables\"></section>\n";
        self.end(&mut html);
        html
    }

    fn end(&self, html: &mut String) {
        if !self.report.is_empty() {
            let _ = writeln!(
                html,
                "<section id=\"text\" aria-labelledby=\"h-text\"><h2 id=\"h-text\">Printed report</h2><details>\
                 <summary>The whole text, as report.txt has it</summary><pre tabindex=\"0\">{}</pre></details>\
                 </section>",
                text(self.report)
            );
        }
        let _ = writeln!(
            html,
            "</main>\n<footer>Made by atomscope {}. Numbers here have four digits; exact ones are in the Parquet \
             tables beside this page.</footer>",
            env!("CARGO_PKG_VERSION")
        );
        // The script stands before most of the data, so that it works before all is read.
        if let Some(data) = self.data {
            let about = escape::json(&data.about.to_string());
            let _ = writeln!(
                html,
                "<script type=\"application/json\" id=\"about\">{about}</script>"
            );
            islands(html, std::slice::from_ref(&data.first));
            let _ = writeln!(html, "<script>{SCRIPT}</script>");
            islands(html, &data.later);
        }
        *html += "</body>\n</html>\n";
    }
}

fn head(html: &mut String) {
    let policy = format!(
        "default-src 'none'; script-src {} {}; style-src {}; img-src data: blob:; base-uri 'none'; form-action 'none'",
        hash_source(EARLY),
        hash_source(SCRIPT),
        hash_source(STYLE)
    );
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>atomscope: atoms on true and false calls</title>\n<style>{STYLE}</style>\n<script>{EARLY}</script>\n</head>\n"
    );
}

fn islands(html: &mut String, islands: &[Island]) {
    for Island { id, text } in islands {
        let _ = writeln!(
            html,
            "<script type=\"application/octet-stream\" id=\"{id}\">{text}</script>"
        );
    }
}

fn findings(html: &mut String, page: &Page<'_>) {
    *html += "<ul class=\"findings\">\n";
    // The printed summary without its title, a line an item.
    for line in Short(page.summary).to_string().lines().skip(2) {
        let class = if line.starts_with("Biggest caution") || line.starts_with("Caution") {
            " class=\"caution\""
        } else {
            ""
        };
        let _ = writeln!(html, "<li{class}>{}</li>", text(line));
    }
    *html += "</ul>\n";
    if let Some(findings) = &page.summary.extended {
        claims(html, findings);
        cautions(html, page, findings);
    }
    about(html, page);
}

/// The title of claims within strata.
pub(super) const WITHIN_STRATA: &str = "Atoms that lean to true or to false calls within strata";

/// The title of claims on all calls.
pub(super) const ALL_CALLS: &str =
    "The same on all calls at once, which may be due to type, size or dataset instead";

fn claims(html: &mut String, findings: &Findings) {
    for (scope, title) in [
        (Scope::WithinStrata, WITHIN_STRATA),
        (Scope::AllCalls, ALL_CALLS),
    ] {
        let _ = write!(html, "<h3>{title}</h3>\n<ol class=\"claims\">\n");
        for claim in findings.claims.iter().filter(|claim| claim.scope == scope) {
            card(html, claim);
        }
        *html += "</ol>\n";
    }
}

fn card(html: &mut String, claim: &Claim) {
    let meaning = words::meaning(claim.procedure);
    let (name, what) = match meaning.split_once(": ") {
        Some((name, what)) if !matches!(claim.procedure, Procedure::Storey { .. }) => (name, what),
        _ => ("Storey's q", meaning.as_str()),
    };
    let distinct = claim.distinct.filter(|distinct| *distinct < claim.atoms);
    let distinct = distinct.map(|distinct| format!(" ({distinct} if near-duplicates count once)"));
    let _ = writeln!(
        html,
        "<li><strong class=\"number\">{}</strong> <span class=\"by\">{}</span><p>{}{}</p></li>",
        claim.atoms,
        text(name),
        text(what),
        distinct.unwrap_or_default()
    );
}

fn cautions(html: &mut String, page: &Page<'_>, findings: &Findings) {
    if !findings.cautions.is_empty() {
        *html += "<h3>Cautions, the heaviest first</h3>\n<ul class=\"cautions\">\n";
        for caution in &findings.cautions {
            let _ = writeln!(
                html,
                "<li>{}</li>",
                text(&sentence(&words::caution(caution)))
            );
        }
        *html += "</ul>\n";
    }
    if !page.warnings.is_empty() {
        *html += "<h3>Warnings</h3>\n<ul class=\"cautions\">\n";
        for warning in page.warnings {
            let _ = writeln!(html, "<li>{}</li>", text(warning));
        }
        *html += "</ul>\n";
    }
}

/// Words that stand alone begin with a capital.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// What was analysed, and how sure the firing sets are.
fn about(html: &mut String, page: &Page<'_>) {
    let model = &page.cohort.model;
    let certificate = page.cohort.tally.certificate();
    let fires = match model.top_k {
        Some(k) => format!("{k} on every call"),
        None => "as many as pass their thresholds".to_owned(),
    };
    let mut facts = vec![
        ("Atoms (SAE features)", model.feature_dim.to_string()),
        ("Atoms that fire", fires),
    ];
    if !model.is_of_activations() {
        facts.push(("Length of an embedding", model.input_dim.to_string()));
        facts.push((
            "Certificate",
            // The rest of it depends on how the rows were cut, and is in run.json.
            format!(
                "the firing sets of {} calls are those of the definition, exactly: what a proven bound left \
                 open was scored again in full precision",
                certificate.rows
            ),
        ));
    }
    if let Some(extended) = page.extended {
        facts.push((
            "Strata",
            format!("{} ({})", extended.strata, extended.scheme),
        ));
        let permutations = extended
            .permutations
            .as_ref()
            .map_or(0, |found| found.count);
        facts.push(("Permutations", permutations.to_string()));
    }
    *html += "<details class=\"about\"><summary>What was analysed, and how</summary><dl>\n";
    for (name, value) in facts {
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", text(&value));
    }
    *html += "</dl></details>\n";
}

fn pictures(html: &mut String, panels: &[Panel]) {
    *html += "<section id=\"pictures\" aria-labelledby=\"h-pictures\"><h2 id=\"h-pictures\">Pictures</h2>\n<p \
              class=\"key\"><span class=\"swatch tp\"></span> true calls (TP), round \
              <span class=\"swatch fp\"></span> false calls (FP), square <span class=\"swatch none\"></span> not \
              claimed</p>\n<div class=\"panels\">\n";
    for panel in panels {
        let class = match panel.id {
            // What a script draws.
            "map" => "panel drawn",
            "volcano" | "crude" | "replication" => "panel canvas",
            _ => "panel",
        };
        let _ = writeln!(
            html,
            "<figure class=\"{class}\" id=\"p-{}\"><figcaption><h3>{}</h3><details><summary>What is this?</summary>\
             <p>{}</p></details></figcaption><div class=\"static\">{}</div></figure>",
            panel.id,
            text(panel.title),
            text(panel.about),
            panel.svg
        );
    }
    *html += "</div></section>\n";
}

fn strongest(html: &mut String, findings: &Findings) {
    let within = findings.strongest_tp.iter().chain(&findings.strongest_fp);
    atoms(html, "Strongest within strata", within);
    atoms(
        html,
        "Strongest on all calls at once",
        findings.strongest.iter(),
    );
}

fn atoms<'a>(html: &mut String, title: &str, atoms: impl Iterator<Item = &'a AtomSummary>) {
    let _ = writeln!(
        html,
        "<div class=\"scroll strongest\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table><caption>{title}\
         </caption><thead><tr><th scope=\"col\">atom</th><th scope=\"col\">leans to</th><th scope=\"col\">calls</th>\
         <th scope=\"col\">true share</th><th scope=\"col\">odds ratio (95 %)</th><th scope=\"col\">p</th>\
         <th scope=\"col\">within strata (95 %)</th><th scope=\"col\">cautions</th></tr></thead><tbody>"
    );
    let mut is_empty = true;
    for atom in atoms {
        is_empty = false;
        let side = match atom.side {
            Label::Tp => "<span class=\"tp\">true</span>",
            Label::Fp => "<span class=\"fp\">false</span>",
        };
        let ratio = |ratio: &Ratio| {
            let [value, low, high] = [ratio.value, ratio.low, ratio.high].map(words::figure);
            format!("{value} ({low} to {high})")
        };
        let within = match &atom.within {
            OddsWithin::Ratio(found) => ratio(found),
            OddsWithin::Infinite => "infinite".to_owned(),
            OddsWithin::Zero => "0".to_owned(),
            OddsWithin::Unknown => "unknown".to_owned(),
        };
        let cautions: Vec<&str> = atom
            .cautions
            .iter()
            .copied()
            .map(words::atom_caution)
            .collect();
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><a href=\"#atom={0}\">{0}</a></th><td>{side}</td><td>{1}</td><td>{2}</td>\
             <td>{3}</td><td>{4}</td><td>{within}</td><td>{5}</td></tr>",
            atom.atom,
            atom.support,
            words::percent(atom.true_share),
            ratio(&atom.odds_ratio),
            words::p_text(atom.neg_log10_p).trim_start_matches("p = "),
            text(&cautions.join("; "))
        );
    }
    if is_empty {
        *html += "<tr><td colspan=\"8\">none</td></tr>";
    }
    *html += "</tbody></table></div>\n";
}
