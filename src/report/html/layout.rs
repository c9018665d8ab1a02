//! The first layer of a page: findings in words, and tables that need no script.

use std::fmt::Write;

use super::Page;
use super::data::Data;
use super::escape::text;
use super::frame::Parts;
use super::plots;
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
