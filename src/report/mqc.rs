//! Files that `MultiQC` takes as custom content: headline figures of a run, and its volcano plot.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::points::{self, Side, Sides};
use super::text::words::claimed_by;
use crate::stats::evidence::summary::{Scope, Summary};
use crate::stats::evidence::{ExtendedTables, LEVEL};

/// Atoms of the volcano plot: of more than 100 points `MultiQC` (1.35) draws none before a click.
const STRONGEST: usize = 60;
/// Others that show where the rest lies, one of every so many by strength.
const OTHERS: usize = 40;

/// The name of the sample.
const SAMPLE: &str = "atomscope";

/// `atomscope_mqc.json`: one row of figures.
pub fn headline(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut figures = Map::new();
    let mut headers = Map::new();
    let mut add = |name: &str, title: &str, about: &str, value: Value| {
        figures.insert(name.to_owned(), value);
        let header = json!({"title": title, "description": about, "format": "{:,.0f}"});
        headers.insert(name.to_owned(), header);
    };
    let calls = summary.calls;
    add(
        "tp",
        "True calls",
        "Calls that the benchmark labels true",
        calls.tp.into(),
    );
    add(
        "fp",
        "False calls",
        "Calls that the benchmark labels false",
        calls.fp.into(),
    );
    add(
        "dropped",
        "Dropped",
        "Calls without usable embeddings",
        calls.dropped.into(),
    );
    if let Some(findings) = &summary.extended {
        let atoms = findings.atoms;
        add(
            "atoms",
            "Atoms",
            "Features of the autoencoder",
            atoms.all.into(),
        );
        add(
            "tested",
            "Tested",
            "Atoms with calls enough for a test",
            atoms.tested.into(),
        );
        for claim in &findings.claims {
            let (scope, of) = match claim.scope {
                Scope::WithinStrata => ("within", "within strata"),
                Scope::AllCalls => ("all", "on all calls"),
                Scope::Scores => ("scores", "by scores"),
            };
            let (procedure, name) = (claim.procedure.as_str(), claimed_by(claim.procedure));
            let title = format!("{name} {of}");
            let about = format!("Atoms that {name} claims {of}");
            add(
                &format!("{scope}_{procedure}"),
                &title,
                &about,
                claim.atoms.into(),
            );
        }
    }
    let mut samples = Map::new();
    samples.insert(SAMPLE.to_owned(), Value::Object(figures));
    let content = json!({
        "id": "atomscope",
        "section_name": "atomscope: atoms on true and false calls",
        "description": "Atoms of a sparse autoencoder that lean to true or to false structural-variant \
                        calls, by how strict a procedure claims them. report.html has each of them.",
        "plot_type": "table",
        "pconfig": {"id": "atomscope_table", "title": "atomscope: headline figures"},
        "headers": headers,
        "data": samples,
    });
    put(&content, out)
}

/// `atomscope_volcano_mqc.json`: the strongest atoms by effect and certainty.
pub fn volcano(summary: &Summary, tables: &ExtendedTables, out: &mut dyn Write) -> io::Result<()> {
    let sides = Sides::of(summary, tables);
    let mut points = Vec::new();
    let mut atoms = tables.by_strength();
    let others = atoms.split_off(STRONGEST.min(atoms.len()));
    let step = others.len().div_ceil(OTHERS).max(1);
    atoms.extend(others.into_iter().step_by(step));
    for atom in atoms {
        let place = points::volcano(tables, atom as usize);
        let Some([x, y]) = place.filter(|[_, y]| y.is_finite()) else {
            continue;
        };
        let colour = match sides.side(atom as usize) {
            Side::Neither => "#8c959f",
            Side::False => "#d55e00",
            Side::True => "#0072b2",
        };
        let name = format!("atom {atom}");
        points.push(json!({"x": x, "y": y, "color": colour, "name": name}));
    }
    let content = json!({
        "id": "atomscope_volcano",
        "section_name": "atomscope: volcano plot",
        "description": format!(
            "One point an atom: log odds ratio of firing, true against false calls, and the p of Fisher's exact \
             test. The {STRONGEST} strongest, and {OTHERS} that show where all others lie; report.html has \
             all. Coloured atoms hold within strata at {} %: blue on true calls, orange on false ones.",
            100.0 * LEVEL
        ),
        "plot_type": "scatter",
        "pconfig": {
            "id": "atomscope_volcano_plot",
            "title": "atomscope: effect and certainty of atoms",
            "xlab": "log odds ratio: false calls to true calls",
            "ylab": "-log10 p",
        },
        "data": {SAMPLE: points},
    });
    put(&content, out)
}

fn put(content: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, content)?;
    writeln!(out)
}
