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
    findings(&mut of_findings, page, facts);
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

fn findings(html: &mut String, page: &Page<'_>, facts: Option<&CallFacts>) {
    // The printed summary without its title, a line an item.
    sentences(html, Short(page.summary).to_string().lines().skip(2));
    if let Some(findings) = &page.summary.extended {
        for scope in [Scope::WithinStrata, Scope::AllCalls] {
            let of_scope = findings.claims.iter().filter(|claim| claim.scope == scope);
            claims(html, scope, of_scope.map(card));
        }
        let cautions = findings.cautions.iter();
        let cautions = cautions.map(|caution| sentence(&words::caution(caution)));
        warned(html, "Cautions, the heaviest first", cautions);
        warned(html, "Warnings", page.warnings.iter().cloned());
    }
    about(html, page, facts);
}

/// Lines of a summary, one an item; cautions stand out.
pub(super) fn sentences<'a>(html: &mut String, lines: impl Iterator<Item = &'a str>) {
    *html += "<ul class=\"findings\">\n";
    for line in lines {
        let class = if line.starts_with("Biggest caution") || line.starts_with("Caution") {
            " class=\"caution\""
        } else {
            ""
        };
        let _ = writeln!(html, "<li{class}>{}</li>", text(line));
    }
    *html += "</ul>\n";
}

/// Cautions under a title; nothing where there are none.
pub(super) fn warned(html: &mut String, title: &str, sentences: impl Iterator<Item = String>) {
    let mut sentences = sentences.peekable();
    if sentences.peek().is_none() {
        return;
    }
    let _ = write!(html, "<h3>{title}</h3>\n<ul class=\"cautions\">\n");
    for sentence in sentences {
        let _ = writeln!(html, "<li>{}</li>", text(&sentence));
    }
    *html += "</ul>\n";
}

/// The claims of one scope as cards, each with its number of atoms, the procedure and what it means.
pub(super) fn claims(
    html: &mut String,
    scope: Scope,
    claims: impl Iterator<Item = (usize, String, String)>,
) {
    let title = match scope {
        Scope::WithinStrata => "Atoms that lean to true or to false calls within strata",
        Scope::AllCalls | Scope::Scores => {
            "The same on all calls at once, which may be due to type, size or dataset instead"
        }
    };
    let _ = write!(html, "<h3>{title}</h3>\n<ol class=\"claims\">\n");
    for (atoms, name, meaning) in claims {
        let _ = writeln!(
            html,
            "<li><strong class=\"number\">{atoms}</strong> <span class=\"by\">{}</span><p>{}</p></li>",
            text(&name),
            text(&meaning)
        );
    }
    *html += "</ol>\n";
}

/// What a claim's card says.
fn card(claim: &Claim) -> (usize, String, String) {
    let (name, what) = procedure(claim.procedure);
    let distinct = claim.distinct.filter(|distinct| *distinct < claim.atoms);
    let distinct = distinct.map(|distinct| format!(" ({distinct} if near-duplicates count once)"));
    (claim.atoms, name, what + &distinct.unwrap_or_default())
}

/// The name of a procedure, and what it promises of the atoms that it claims.
pub(super) fn procedure(procedure: Procedure) -> (String, String) {
    let meaning = match procedure {
        Procedure::Storey { null_share } if null_share.is_nan() => "Storey's q < 5 %".to_owned(),
        _ => words::meaning(procedure),
    };
    match meaning.split_once(": ") {
        Some((name, what)) if !matches!(procedure, Procedure::Storey { .. }) => {
            (name.to_owned(), what.to_owned())
        }
        _ => ("Storey's q".to_owned(), meaning),
    }
}

/// Words that stand alone begin with a capital.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// What was analysed, and how sure the firing sets are.
fn about(html: &mut String, page: &Page<'_>, calls: Option<&CallFacts>) {
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
    facts.push(("True calls", page.cohort.rule.to_string()));
    let sizes = calls.map_or(&[][..], |calls| &calls.sizes);
    let without = sizes.iter().filter(|size| size.is_nan()).count();
    if without > 0 {
        let text = format!(
            "{without} of {}: strata have them at size 0, pictures of sizes leave them out",
            sizes.len()
        );
        facts.push(("Calls without a length", text));
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
    const HEADS: [&str; 7] = [
        "leans to",
        "calls",
        "true share",
        "odds ratio (95 %)",
        "p",
        "within strata (95 %)",
        "cautions",
    ];
    table(
        html,
        title,
        &HEADS,
        atoms.map(|atom| (atom.atom, cells(atom))),
    );
}

/// What the table of the strongest says of an atom, as HTML.
fn cells(atom: &AtomSummary) -> Vec<String> {
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
    let cautions = atom.cautions.iter().copied().map(words::atom_caution);
    let p = words::p_text(atom.neg_log10_p);
    vec![
        side.to_owned(),
        atom.support.to_string(),
        words::percent(atom.true_share),
        ratio(&atom.odds_ratio),
        p.trim_start_matches("p = ").to_owned(),
        within,
        text(&cautions.collect::<Vec<&str>>().join("; ")),
    ]
}

/// A table of strong atoms: their numbers, and cells as HTML under these heads.
pub(super) fn table(
    html: &mut String,
    title: &str,
    heads: &[&str],
    atoms: impl Iterator<Item = (u32, Vec<String>)>,
) {
    let _ = write!(
        html,
        "<div class=\"scroll strongest\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table><caption>{title}\
         </caption><thead><tr><th scope=\"col\">atom</th>"
    );
    for head in heads {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    *html += "</tr></thead><tbody>\n";
    let mut is_empty = true;
    for (atom, cells) in atoms {
        is_empty = false;
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><a href=\"#atom={atom}\">{atom}</a></th>"
        );
        for cell in cells {
            let _ = write!(html, "<td>{cell}</td>");
        }
        *html += "</tr>\n";
    }
    if is_empty {
        let _ = write!(
            html,
            "<tr><td colspan=\"{}\">none</td></tr>",
            heads.len() + 1
        );
    }
    *html += "</tbody></table></div>\n";
}
